"""How sandbox orders go on: each end over time, by the API; and the rules of the pure module."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from orders.rules.state_machine import TERMINAL, Status
from storefront.api.sandbox import progress
from storefront.api.sandbox.models import SandboxOrder
from tests.factories import INPUTS, service
from tests.storefront.api.reseller import Reseller
from tests.storefront.api.sandbox.playing import LINK, buy, freeze, order_line

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
MINUTES = timedelta(minutes=2)
WORDS = ("", "refused", "canceled", "partial", "slow")

STORIES = {
    "": {
        0: ("Pending", "100", "0.09"),
        29.9: ("Pending", "100", "0.09"),
        30: ("In progress", "100", "0.09"),
        75: ("In progress", "50", "0.09"),
        119.9: ("In progress", "1", "0.09"),
        120: ("Completed", "0", "0.09"),
        10**6: ("Completed", "0", "0.09"),
    },
    "partial": {
        29.9: ("Pending", "100", "0.09"),
        75: ("In progress", "75", "0.09"),
        119.9: ("In progress", "51", "0.09"),
        120: ("Partial", "50", "0.045"),
    },
    "canceled": {
        29.9: ("Pending", "100", "0.09"),
        75: ("In progress", "100", "0.09"),
        120: ("Canceled", "100", "0.00"),
    },
    "refused": {
        29.9: ("Pending", "100", "0.09"),
        30: ("Canceled", "100", "0.00"),
    },
    "slow": {
        75: ("In progress", "75", "0.09"),
        120: ("In progress", "50", "0.09"),
        10**6: ("In progress", "50", "0.09"),
    },
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("word", WORDS)
def test_a_word_in_the_link_chooses_the_end(reseller: Reseller, start: datetime, word: str) -> None:
    with freeze(start):
        own = buy(reseller, service(), f"{LINK}?end={word.title()}")
    for seconds, expected in STORIES[word].items():
        with freeze(start, seconds=seconds):
            assert order_line(reseller, own) == expected


@pytest.mark.django_db
@pytest.mark.parametrize(("word", "left"), [("", "999.91"), ("partial", "999.955"), ("canceled", "1000.00")])
def test_what_comes_back_is_in_the_play_money(reseller: Reseller, start: datetime, word: str, left: str) -> None:
    with freeze(start):
        buy(reseller, service(), LINK + word)
        assert reseller.call(action="balance")["balance"] == "999.91"
    with freeze(start, seconds=119):
        assert reseller.call(action="balance")["balance"] == "999.91"
    with freeze(start, seconds=120):
        assert reseller.call(action="balance")["balance"] == left


@pytest.mark.django_db
def test_the_start_count_appears_with_the_start_and_stays(reseller: Reseller, start: datetime) -> None:
    def count(order: int) -> str:
        return str(reseller.call(action="status", order=order)["start_count"])

    with freeze(start):
        one, other = buy(reseller, service()), buy(reseller, service())
        assert (count(one), count(other)) == ("0", "0")
    with freeze(start, seconds=30):
        first = count(one)
        assert int(first) > 0
        assert count(other) != first
    with freeze(start, hours=5):
        assert count(one) == first


@pytest.mark.django_db
def test_the_length_is_a_setting_and_an_order_keeps_the_one_it_was_placed_with(
    reseller: Reseller, settings: Any, start: datetime
) -> None:
    settings.SANDBOX_SECONDS = 8
    with freeze(start):
        own = buy(reseller, service())
    settings.SANDBOX_SECONDS = 120
    with freeze(start, seconds=7):
        assert order_line(reseller, own)[0] == "In progress"
    with freeze(start, seconds=8):
        assert order_line(reseller, own)[0] == "Completed"


@pytest.mark.django_db
def test_no_length_at_all_completes_at_once(reseller: Reseller, settings: Any) -> None:
    settings.SANDBOX_SECONDS = 0
    assert order_line(reseller, buy(reseller, service())) == ("Completed", "0", "0.09")
    assert order_line(reseller, buy(reseller, service(), f"{LINK}/slow")) == ("In progress", "50", "0.09")


@pytest.mark.django_db
def test_a_later_start_begins_later(reseller: Reseller, start: datetime) -> None:
    with freeze(start):
        own = buy(reseller, service(), start_at=(start + timedelta(days=2)).isoformat())
    with freeze(start, days=2, seconds=29):
        assert order_line(reseller, own)[0] == "Pending"
    with freeze(start, days=2, seconds=31):
        assert order_line(reseller, own)[0] == "In progress"
    with freeze(start, days=2, seconds=120):
        assert order_line(reseller, own)[0] == "Completed"


@pytest.mark.django_db
def test_runs_are_followed_as_one_order(reseller: Reseller, start: datetime) -> None:
    with freeze(start):
        own = buy(reseller, service(has_dripfeed=True), runs=5, interval=60)
        assert order_line(reseller, own) == ("Pending", "500", "0.45")
    row = SandboxOrder.objects.get()
    assert (row.runs, row.interval, row.quantity) == (5, 60, 500)
    with freeze(start, seconds=120):
        assert order_line(reseller, own) == ("Completed", "0", "0.45")


@pytest.mark.django_db
def test_a_type_without_a_link_has_the_words_in_its_name(reseller: Reseller, start: datetime) -> None:
    params = {**INPUTS, "action": "add", "service": service("subscriptions").pk, "username": "partial_nadia"}
    with freeze(start):
        own = reseller.call(**params)["order"]
    with freeze(start, seconds=120):
        assert reseller.call(action="status", order=own)["status"] == "Partial"


# ------------------------------------------------------------------------------------------------ pure
moments = some.floats(min_value=0, max_value=300).map(lambda seconds: NOON + timedelta(seconds=seconds))
quantities = some.integers(min_value=1, max_value=10**15 - 1)


@given(some.sampled_from(WORDS), quantities, some.lists(moments, min_size=2), some.booleans())
def test_remains_only_fall_until_the_end_and_ends_are_final(
    word: str, quantity: int, looks: list[datetime], is_stopped: bool
) -> None:
    course = progress.course(word, quantity=quantity, begins_at=NOON, length=MINUTES)
    looks.sort()
    if is_stopped and progress.state_at(course, quantity=quantity, now=looks[0])[0] not in TERMINAL:
        before = progress.state_at(course, quantity=quantity, now=looks[0])
        course = progress.stop_course(course, quantity=quantity, now=looks[0], length=MINUTES)
        assert progress.state_at(course, quantity=quantity, now=looks[0])[1] == before[1]
    story = [progress.state_at(course, quantity=quantity, now=now) for now in looks]
    for (status, remains), (later, left) in pairwise(story):
        assert 0 <= left <= quantity
        assert later is status or status not in TERMINAL
        assert left <= remains or later is Status.CANCELED
        assert left > 0 or later is Status.COMPLETED


def test_the_first_word_that_is_known_counts() -> None:
    course = progress.course("https://x/SLOW-and-Partial-and-refused", quantity=10, begins_at=NOON, length=MINUTES)
    assert (course.status, course.ends_at) == (Status.CANCELED, NOON + MINUTES / 4)


def test_an_odd_piece_of_a_half_is_not_delivered() -> None:
    assert progress.course("partial", quantity=5, begins_at=NOON, length=MINUTES).remains == 3
    assert progress.course("partial", quantity=1, begins_at=NOON, length=MINUTES).remains == 1
