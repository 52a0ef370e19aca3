"""Refills and cancellations in the sandbox: the shop's rules and words, over pretended orders."""

from __future__ import annotations

from datetime import datetime

import pytest

from orders.models import Service
from storefront.api.sandbox.models import SandboxRefill
from tests.factories import service
from tests.storefront.api.reseller import Reseller
from tests.storefront.api.sandbox.playing import LINK, buy, freeze, order_line

pytestmark = pytest.mark.django_db
TOO_SOON = {"error": "The order was completed or refill was requested less than 24 hours ago"}
NOT_COMPLETED = {"error": "The order is not completed"}


@pytest.fixture
def sold() -> Service:
    return service(has_refill=True, has_cancel=True)


# ------------------------------------------------------------------------------------------------ refills
@pytest.mark.parametrize(("link", "end"), [(LINK, "Completed"), (f"{LINK}/Rejected", "Rejected")])
def test_a_refill_goes_on_by_itself(reseller: Reseller, sold: Service, start: datetime, link: str, end: str) -> None:
    with freeze(start):
        own = buy(reseller, sold, link)
    with freeze(start, hours=1):
        number = reseller.call(action="refill", order=own)["refill"]
        assert number == str(SandboxRefill.objects.get().pk)
    for seconds, word in ((0, "Pending"), (29, "Pending"), (30, "In progress"), (119, "In progress"), (120, end)):
        with freeze(start, hours=1, seconds=seconds):
            assert reseller.call(action="refill_status", refill=number) == {"status": word}
            assert reseller.call(action="refill_status", order=number) == {"status": word}
            assert reseller.call(action="refill_status", refills=f"{number},x") == [
                {"refill": int(number), "status": word},
                {"refill": "x", "status": {"error": "Refill not found"}},
            ]


def test_refills_of_many_are_told_row_by_row(reseller: Reseller, sold: Service, start: datetime) -> None:
    with freeze(start):
        first, slow = buy(reseller, sold), buy(reseller, sold, f"{LINK}/slow")
    with freeze(start, hours=1):
        answer = reseller.call(action="refill", orders=f"{first},{slow},999999")
    assert answer == [
        {"order": first, "refill": SandboxRefill.objects.get().pk},
        {"order": slow, "refill": NOT_COMPLETED},
        {"order": 999999, "refill": {"error": "Incorrect order ID"}},
    ]


def test_between_two_refills_is_a_day_and_one_is_open_at_a_time(
    reseller: Reseller, sold: Service, start: datetime
) -> None:
    with freeze(start):
        own = buy(reseller, sold)
        assert reseller.call(action="refill", order=own) == NOT_COMPLETED
    for hours in (1, 2, 24.9):
        with freeze(start, hours=hours):
            answer = reseller.call(action="refill", order=own)
            assert answer == TOO_SOON if hours > 1 else list(answer) == ["refill"]
    with freeze(start, hours=1, seconds=5):
        assert reseller.call(action="refill", order=own) == TOO_SOON
    with freeze(start, hours=25):
        assert list(reseller.call(action="refill", order=own)) == ["refill"]
    assert SandboxRefill.objects.count() == 2


@pytest.mark.parametrize(
    ("flags", "end", "days", "error"),
    [
        ({"has_refill": False}, "", 0.5, "Refill is disabled for this service"),
        ({}, "canceled", 0.5, "The order is not completed"),
        ({"refill_days": 3}, "", 3.5, "Refill days are over"),
    ],
)
def test_why_there_is_no_refill(
    reseller: Reseller, start: datetime, flags: dict[str, int], end: str, days: float, error: str
) -> None:
    with freeze(start):
        own = buy(reseller, service(**{"has_refill": True, **flags}), LINK + end)
    with freeze(start, days=days):
        assert reseller.call(action="refill", order=own) == {"error": error}
        assert reseller.call(action="refill", orders=own) == [{"order": own, "refill": {"error": error}}]
    assert not SandboxRefill.objects.exists()


def test_what_a_partial_order_got_can_be_refilled(reseller: Reseller, sold: Service, start: datetime) -> None:
    with freeze(start):
        own = buy(reseller, sold, f"{LINK}/partial")
    with freeze(start, hours=1):
        assert list(reseller.call(action="refill", order=own)) == ["refill"]


# ------------------------------------------------------------------------------------------------ cancellations
def test_an_order_that_has_not_started_is_canceled_before_the_answer(
    reseller: Reseller, sold: Service, start: datetime
) -> None:
    with freeze(start):
        own = buy(reseller, sold)
    with freeze(start, seconds=20):
        assert reseller.call(action="cancel", orders=own) == [{"order": own, "cancel": 1}]
        assert order_line(reseller, own) == ("Canceled", "100", "0.00")
        assert reseller.call(action="balance")["balance"] == "1000.00"
        over = {"error": "Order already completed and cannot be canceled"}
        assert reseller.call(action="cancel", order=own) == [{"order": own, "cancel": over}]


@pytest.mark.parametrize(
    ("end", "asked_at", "story"),
    [
        ("", 30, ("Canceled", "100", "0.00")),
        ("", 75, ("Partial", "50", "0.045")),
        ("canceled", 75, ("Canceled", "100", "0.00")),
        ("slow", 500, ("Partial", "50", "0.045")),
        ("partial", 75, ("Partial", "75", "0.0225")),
    ],
)
def test_an_order_under_way_ends_by_what_was_delivered(
    reseller: Reseller, sold: Service, start: datetime, end: str, asked_at: int, story: tuple[str, str, str]
) -> None:
    """A request first, as with a panel: it is answered a quarter of an order's time later."""
    with freeze(start):
        own = buy(reseller, sold, f"{LINK}/{end}")
    with freeze(start, seconds=asked_at):
        assert reseller.call(action="cancel", orders=own) == [{"order": own, "cancel": 1}]
    for later in (0, 29):
        with freeze(start, seconds=asked_at + later):
            assert order_line(reseller, own) == ("In progress", story[1], "0.09")
            assert reseller.call(action="cancel", orders=own) == [
                {"order": own, "cancel": {"error": "Cancel was already requested"}}
            ]
    for later in (30, 10**6):
        with freeze(start, seconds=asked_at + later):
            assert order_line(reseller, own) == story


def test_a_cancellation_shortly_before_the_end_is_answered_by_the_end(
    reseller: Reseller, sold: Service, start: datetime
) -> None:
    with freeze(start):
        own = buy(reseller, sold)
    with freeze(start, seconds=111):
        reseller.call(action="cancel", orders=own)
    with freeze(start, seconds=120):
        assert order_line(reseller, own) == ("Partial", "10", "0.081")


def test_what_was_stopped_in_time_can_be_refilled_for_what_was_delivered(
    reseller: Reseller, sold: Service, start: datetime
) -> None:
    with freeze(start):
        half, none = buy(reseller, sold), buy(reseller, sold, f"{LINK}/2")
        reseller.call(action="cancel", orders=none)
    with freeze(start, seconds=75):
        reseller.call(action="cancel", orders=half)
    with freeze(start, hours=1):
        assert list(reseller.call(action="refill", order=half)) == ["refill"]
        assert reseller.call(action="refill", order=none) == NOT_COMPLETED


def test_cancellations_are_told_row_by_row(reseller: Reseller, sold: Service, start: datetime) -> None:
    with freeze(start):
        done = buy(reseller, sold)
        fixed = buy(reseller, service(has_cancel=False))
    with freeze(start, hours=1):
        running = buy(reseller, sold)
        assert reseller.call(action="cancel", orders=f"9999,{running},{done},{fixed},x") == [
            {"order": 9999, "cancel": {"error": "Incorrect order ID"}},
            {"order": running, "cancel": 1},
            {"order": done, "cancel": {"error": "Order already completed and cannot be canceled"}},
            {"order": fixed, "cancel": {"error": "Cancel is disabled for this service"}},
            {"order": "x", "cancel": {"error": "Incorrect order ID"}},
        ]


def test_before_its_start_every_order_can_be_canceled(reseller: Reseller, start: datetime) -> None:
    with freeze(start):
        own = buy(reseller, service(has_cancel=False), start_at=start.replace(day=3).isoformat())
    with freeze(start, days=1):
        assert reseller.call(action="cancel", orders=own) == [{"order": own, "cancel": 1}]
        assert order_line(reseller, own) == ("Canceled", "100", "0.00")
