"""The actions refill, refill_status and cancel, with response formats and error texts of other panels."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from orders.ledger import audit
from orders.lifecycle import customer_requests
from orders.models import Cancellation, Order, Refill, Service
from orders.models.customer_request import RequestStatus
from tests.factories import service
from tests.storefront.api.reseller import Reseller

pytestmark = pytest.mark.django_db
NO_ORDER = {"error": "Incorrect order ID"}
NO_REFILL = {"error": "Refill not found"}


@pytest.fixture(autouse=True)
def _no_worker(settings: Any) -> None:
    settings.ORDERS_WAKE = "builtins.id"


@pytest.fixture
def sold() -> Service:
    return service(has_refill=True, has_cancel=True)


def create_orders(reseller: Reseller, what: Service, status: str, count: int = 1, **details: Any) -> list[int]:
    made = Order.objects.bulk_create(
        Order(
            user=reseller.user, service=what, status=status, quantity=100, rate=what.rate, charge=Decimal("0.09"),
            **{"remains": 0 if status == "completed" else 100, "ended_at": timezone.now(), **details},
        )
        for _ in range(count)
    )  # fmt: skip
    return [order.pk for order in made]


def test_one_refill_id_is_a_string_and_several_are_numbers(reseller: Reseller, sold: Service) -> None:
    first, second, third = create_orders(reseller, sold, "completed", 3)
    answer = reseller.call(action="refill", order=first)
    assert answer == {"refill": str(Refill.objects.get(order_id=first).pk)}
    answer = reseller.call(action="refill", orders=f"{second},{third},999999")
    numbers = dict(Refill.objects.values_list("order_id", "pk"))
    assert answer == [
        {"order": second, "refill": numbers[second]},
        {"order": third, "refill": numbers[third]},
        {"order": 999999, "refill": NO_ORDER},
    ]


@pytest.mark.parametrize(
    ("status", "details", "flags", "text"),
    [
        ("completed", {}, {"has_refill": False}, "Refill is disabled for this service"),
        ("in_progress", {}, {}, "The order is not completed"),
        ("canceled", {}, {}, "The order is not completed"),
        ("completed", {"ended_at": timezone.now() - timedelta(days=31)}, {}, "Refill days are over"),
    ],
)
def test_a_refused_refill_names_the_reason(
    reseller: Reseller, sold: Service, status: str, details: dict[str, Any], flags: dict[str, Any], text: str
) -> None:
    Service.objects.update(**flags)
    (own,) = create_orders(reseller, sold, status, **details)
    assert reseller.call(action="refill", order=own) == {"error": text}
    assert reseller.call(action="refill", orders=own) == [{"order": own, "refill": {"error": text}}]
    assert not Refill.objects.exists()


def test_a_second_refill_is_too_soon(reseller: Reseller, sold: Service) -> None:
    too_soon = {"error": "The order was completed or refill was requested less than 24 hours ago"}
    (own,) = create_orders(reseller, sold, "completed")
    reseller.call(action="refill", order=own)
    assert reseller.call(action="refill", order=own) == too_soon
    customer_requests.complete(Refill.objects.get())
    assert reseller.call(action="refill", order=own) == too_soon


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (RequestStatus.WAITING, "Pending"),
        (RequestStatus.SENT, "Pending"),
        (RequestStatus.IN_PROGRESS, "In progress"),
        (RequestStatus.COMPLETED, "Completed"),
        (RequestStatus.REJECTED, "Rejected"),
    ],
)
def test_refill_statuses_use_the_panels_words(
    reseller: Reseller, sold: Service, status: RequestStatus, word: str
) -> None:
    (own,) = create_orders(reseller, sold, "completed")
    number = int(reseller.call(action="refill", order=own)["refill"])
    Refill.objects.update(status=status)
    assert reseller.call(action="refill_status", refill=number) == {"status": word}
    assert reseller.call(action="refill_status", refills=number) == [{"refill": number, "status": word}]
    assert reseller.call(action="refill_status", refills=f"{number},999,x") == [
        {"refill": number, "status": word},
        {"refill": 999, "status": NO_REFILL},
        {"refill": "x", "status": NO_REFILL},
    ]


def test_another_customers_refill_is_answered_like_an_unknown_one(
    reseller: Reseller, stranger: Reseller, sold: Service
) -> None:
    (theirs,) = create_orders(stranger, sold, "completed")
    number = int(stranger.call(action="refill", order=theirs)["refill"])
    for word in (number, 999, "x", ""):
        assert reseller.call(action="refill_status", refill=word) == NO_REFILL
    assert reseller.call(action="refill", order=theirs) == NO_ORDER
    assert reseller.call(action="cancel", orders=theirs) == [{"order": theirs, "cancel": NO_ORDER}]
    assert Refill.objects.count() == 1


def test_cancel_answers_each_order_separately(reseller: Reseller, sold: Service) -> None:
    (running,) = create_orders(reseller, sold, "in_progress")
    (done,) = create_orders(reseller, sold, "completed")
    assert reseller.call(action="cancel", orders=f"9999,{running},{done}") == [
        {"order": 9999, "cancel": NO_ORDER},
        {"order": running, "cancel": 1},
        {"order": done, "cancel": {"error": "Order already completed and cannot be canceled"}},
    ]
    assert reseller.call(action="cancel", order=running) == [
        {"order": running, "cancel": {"error": "Cancel was already requested"}}
    ]
    status = reseller.call(action="status", order=running)
    assert (status["status"], status["charge"]) == ("In progress", "0.09")
    assert Cancellation.objects.get().order_id == running


def test_a_queued_order_is_canceled_at_once(reseller: Reseller, sold: Service) -> None:
    before = reseller.balance
    own = reseller.call(action="add", service=sold.pk, link="https://example.com/p", quantity=100)["order"]
    assert reseller.call(action="cancel", orders=own) == [{"order": own, "cancel": 1}]
    status = reseller.call(action="status", order=own)
    assert (status["status"], status["remains"], status["charge"]) == ("Canceled", "100", "0.00")
    assert reseller.balance == before
    assert list(audit.findings()) == []


@pytest.mark.parametrize("count", [5, 100])
@pytest.mark.parametrize("action", ["refill", "cancel", "refill_status"])
def test_actions_take_the_same_queries_for_any_number(
    reseller: Reseller, sold: Service, count: int, action: str, django_assert_num_queries: Callable[..., Any]
) -> None:
    orders = create_orders(reseller, sold, "in_progress" if action == "cancel" else "completed", count)
    name, queries = "orders", 9 if action == "refill" else 8
    if action == "refill_status":
        name, queries = "refills", 2
        orders = [made.pk for made in Refill.objects.bulk_create(Refill(order_id=order) for order in orders)]
    with django_assert_num_queries(queries):
        answer = reseller.call(action=action, **{name: ",".join(map(str, orders))})
    assert len(answer) == count
    assert not [row for row in answer if any(isinstance(value, dict) for value in row.values())]
