"""The search for lost orders at a panel with other customers: what it decides, never does, and what stops it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.ledger import audit
from orders.models import Order, OrderEvent, Service
from providers.models import Placement, Provider
from providers.notes import Note
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.pricelists import onboarding
from providers.reconciling import decisions, id_search, id_windows
from providers.worker import leases
from tests.providers.conftest import buy, customer, provider_at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_calls")]


FULL_HISTORY = id_windows.HISTORY


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """One clock, no pause between two calls, and a history of 20 orders, which are bought faster than 50."""
    monkeypatch.setattr(id_windows, "HISTORY", 20)
    monkeypatch.setattr(id_windows, "SKEW", timedelta(0))
    monkeypatch.setattr(id_search, "CALL_INTERVAL", 0.0)
    settings.SUBMIT_PARALLEL = 4


@pytest.fixture
def full_history(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(id_windows, "HISTORY", FULL_HISTORY)


@pytest.fixture
def panel(start_panel: Callable[..., Panel]) -> Panel:
    """Every third number is ours; orders of others are not shown to us."""
    panel = start_panel("v2")
    panel.order_id = lambda number: str(23501 + 3 * number)  # type: ignore[method-assign]
    return panel


class Shop:
    """A shop with one provider and as many orders there as a search needs."""

    def __init__(self, panel: Panel) -> None:
        provider_at(panel, "v2", settle_seconds=0, is_search_allowed=True)
        self.panel, self.user, self.bought = panel, customer(), 0
        self.service = Service.objects.filter(service_type="default")[0]
        for _ in range(id_windows.HISTORY):
            self.buy()
        self.submit()

    @property
    def provider(self) -> Provider:
        return Provider.objects.get()

    def buy(self, **inputs: str) -> Order:
        self.bought += 1
        details = {"link": f"https://x.example.com/p/{self.bought}", "quantity": str(100 + self.bought), **inputs}
        return buy(self.user, self.service, **details)

    def submit(self) -> None:
        submission.submit_due(self.provider, is_now=True)

    def lose(self, kind: str = "reset_after", **inputs: str) -> Placement:
        """Return an order whose answer is lost; ``kind`` decides whether the panel has it."""
        order = self.buy(**inputs)
        self.panel.fault("add", kind)
        self.submit()
        return Placement.objects.get(order=order, state="in_doubt")

    def later(self) -> Order:
        """Return a natural order, which closes the windows before it."""
        order = self.buy()
        self.submit()
        return order

    def search(self) -> dict[str, int]:
        return dict(id_search.search(self.provider, is_now=True))


@pytest.fixture
def shop(panel: Panel) -> Shop:
    return Shop(panel)


def status_of(placement: Placement) -> str:
    return Order.objects.get(pk=placement.order_id).status


def test_an_order_that_the_panel_has_is_found_and_followed(shop: Shop) -> None:
    lost = shop.lose("reset_after")
    (number,) = [there.id for there in shop.panel.orders.values() if there.params["link"] == lost.order.link]
    shop.later()
    assert shop.search() == {"placed": 1}
    lost.refresh_from_db()
    assert (lost.state, lost.upstream_id, status_of(lost)) == ("accepted", number, "pending")
    event = OrderEvent.objects.get(order=lost.order, kind="resolved")
    assert event.actor is None
    assert event.data["by"] == "search"
    assert event.data["lower"] < int(number) < event.data["upper"]
    assert len(shop.panel.orders) == shop.bought
    assert shop.panel.violations == []


def test_an_order_that_the_panel_does_not_have_is_sent_again_once(shop: Shop) -> None:
    lost = shop.lose("reset_before")
    assert shop.search() == {"open": 1}, "before a later order closes the window nothing is proven"
    assert Placement.objects.get(pk=lost.pk).evidence["search"]["why"] == "open"
    shop.later()
    assert shop.search() == {"unplaced": 1}
    order = Order.objects.get(pk=lost.order_id)
    assert order.due_at is not None
    assert order.due_at > timezone.now(), "it waits a moment first"
    shop.submit()
    assert status_of(lost) == "pending"
    links = [there.params["link"] for there in shop.panel.orders.values()]
    assert links.count(lost.order.link) == 1
    assert list(audit.findings()) == []


def test_nothing_is_decided_before_the_panel_has_settled(shop: Shop) -> None:
    Provider.objects.update(settle_seconds=3600)
    shop.lose("reset_before")
    shop.later()
    assert shop.search() == {"open": 1}
    Placement.objects.filter(state="in_doubt").update(in_doubt_at=timezone.now() - timedelta(seconds=3600))
    assert shop.search() == {"open": 1}, "the later order was sent while ours could still be carried out"


def test_without_permission_nothing_is_asked_and_nothing_decided(shop: Shop) -> None:
    Provider.objects.update(is_search_allowed=False)
    lost = shop.lose("reset_before")
    shop.later()
    assert shop.search() == {"open": 1}
    assert shop.panel.received("status") == []
    assert Placement.objects.get(pk=lost.pk).evidence["search"]["why"] == "not allowed"


def test_what_the_panel_carried_out_in_time_is_found_long_before_it_has_settled(shop: Shop) -> None:
    Provider.objects.update(settle_seconds=3600)
    lost = shop.lose("reset_after")
    assert lost.next_search_at is not None
    assert lost.next_search_at - timezone.now() < timedelta(seconds=11)
    assert shop.search() == {"placed": 1}
    assert status_of(lost) == "pending"


def test_what_was_not_found_in_time_is_looked_for_again_as_soon_as_it_can_be_decided(shop: Shop) -> None:
    Provider.objects.update(settle_seconds=120)
    lost = shop.lose("reset_before")
    assert shop.search() == {"open": 1}
    lost.refresh_from_db()
    assert lost.in_doubt_at is not None
    assert lost.next_search_at == lost.in_doubt_at + timedelta(seconds=10), "looked at before it was due"
    Placement.objects.filter(pk=lost.pk).update(in_doubt_at=timezone.now() - timedelta(seconds=121))
    assert shop.search() == {"open": 1}, "no later order closes the window yet"
    lost.refresh_from_db()
    assert lost.next_search_at is not None
    assert lost.next_search_at - timezone.now() < timedelta(seconds=15)


def test_two_lost_orders_for_the_same_get_their_own_numbers_where_an_order_between_them_tells_them_apart(
    shop: Shop,
) -> None:
    first = shop.lose("reset_after", quantity="500")
    shop.later()
    second = shop.lose("reset_after", quantity="500")
    assert shop.search() == {"placed": 2}
    for lost in (first, second):
        lost.refresh_from_db()
        assert shop.panel.orders[lost.upstream_id].params["link"] == lost.order.link


def test_two_lost_orders_for_the_same_thing_that_cannot_be_told_apart_are_not_guessed(shop: Shop) -> None:
    lost = [shop.lose("reset_after", quantity="500") for _ in range(2)]
    shop.later()
    assert shop.search() == {"open": 2}
    assert [Placement.objects.get(pk=one.pk).evidence["search"]["why"] for one in lost] == ["indistinct"] * 2
    number = next(n for n, there in shop.panel.orders.items() if there.params["link"] == lost[1].order.link)
    decisions.attach(lost[1], upstream_id=number)
    assert shop.search() == {"placed": 1}, "once a person has decided one, the other one follows"
    lost[0].refresh_from_db()
    assert shop.panel.orders[lost[0].upstream_id].params["link"] == lost[0].order.link


def test_two_lost_orders_for_the_very_same_link_need_not_be_told_apart(shop: Shop) -> None:
    same = {"quantity": "500", "link": "https://x.example.com/same"}
    lost = [shop.lose(kind, **same) for kind in ("reset_after", "reset_before")]
    shop.later()
    assert shop.search() == {"placed": 1, "unplaced": 1}
    Order.objects.filter(status="queued").update(due_at=None)
    shop.submit()
    assert {status_of(one) for one in lost} == {"pending"}
    links = [there.params["link"] for there in shop.panel.orders.values()]
    assert links.count(same["link"]) == 2
    assert list(audit.findings()) == []


@pytest.mark.parametrize("count", [2, 4])
def test_any_number_of_lost_orders_without_a_number_in_their_windows_is_sent_again(shop: Shop, count: int) -> None:
    for _ in range(count):
        shop.lose("reset_before", quantity="500")
    shop.later()
    assert shop.search() == {"unplaced": count}


def test_a_number_that_may_be_an_order_somebody_gave_up_is_not_taken_for_another_one(shop: Shop) -> None:
    """An operator decides "not placed" in error; the panel's number must not go to the next lost order of this kind."""
    given_up = shop.lose("reset_after", quantity="500")
    decisions.release(given_up, send_again=False, why="the panel's support said so")
    lost = shop.lose("reset_before", quantity="500")
    shop.later()
    assert shop.search() == {"open": 1}
    assert Placement.objects.get(pk=lost.pk).evidence["search"]["why"] == "others"


@pytest.mark.parametrize(
    ("wrong_by", "settle"), [(120, 0), (-120, 0), (-120, 100)], ids=["ahead", "behind", "behind, not settled"]
)
def test_a_worker_whose_clock_is_wrong_makes_no_order_count_as_not_placed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, wrong_by: int, settle: int
) -> None:
    """The order is lost by a machine whose clock is wrong; the orders around it are those of another machine."""
    right = timezone.now

    def at(seconds: int, act: Callable[[], Any], *, clock: int = 0) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(timezone, "now", lambda: right() + timedelta(seconds=seconds + clock))
            patch.setattr(leases, "database_now", lambda: right() + timedelta(seconds=seconds))
            return act()

    Provider.objects.update(settle_seconds=settle)
    assert id_search.check_search(shop.provider)
    at(130, shop.later)
    lost = at(140, lambda: shop.lose("reset_before" if settle else "reset_after"), clock=wrong_by)
    at(150, shop.later)
    at(200 if settle else 300, shop.later)
    found = at(310, shop.search)
    assert found == ({"open": 1} if settle else {"placed": 1})
    assert Placement.objects.filter(order=lost.order).count() == 1


def test_a_search_is_bounded_and_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.lose("reset_before")
    id_search.check_search(shop.provider)
    asked = len(shop.panel.received("status"))
    monkeypatch.setattr(id_search, "CALLS", 3)
    monkeypatch.setattr(shop.panel, "order_id", lambda number: str(1_000_000 + number))
    shop.later()
    assert shop.search() == {"open": 1}
    assert len(shop.panel.received("status")) == asked + 3, "a million numbers are not asked for"
    assert Placement.objects.get(state="in_doubt").evidence["search"]["why"] == "too wide"


def test_a_lost_order_is_found_at_the_beginning_of_a_window_that_is_too_wide(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.lose("reset_after")
    monkeypatch.setattr(shop.panel, "order_id", lambda number: str(1_000_000 + number))
    shop.later()
    assert shop.search() == {"placed": 1}


def test_a_wide_window_leaves_the_calls_that_a_narrow_one_needs(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = shop.lose("reset_before", quantity="500")
    shop.later()
    shop.lose("reset_before", quantity="600")
    id_search.check_search(shop.provider)
    monkeypatch.setattr(id_search, "CALLS", 1)
    monkeypatch.setattr(shop.panel, "order_id", lambda number: str(1_000_000 + number))
    shop.later()
    assert shop.search() == {"unplaced": 1, "open": 1}
    assert status_of(narrow) == "queued"


@pytest.mark.parametrize("kind", ["html", "http_500", "empty", "reset_before", "truncated", "hang"])
def test_a_panel_that_does_not_answer_proves_nothing(shop: Shop, kind: str) -> None:
    shop.lose("reset_before")
    shop.later()
    id_search.check_search(shop.provider)
    shop.panel.fault("status", kind, times=20)
    assert shop.search() == {"open": 1}
    assert len(shop.panel.received("status")) <= 3, "the first failure ends the search"


def test_a_panel_that_shows_nobody_anything_proves_nothing(shop: Shop) -> None:
    """Not even an order that we know is there: then "not found" means nothing about the lost one."""
    shop.lose("reset_after")
    shop.later()
    id_search.check_search(shop.provider)
    shop.panel.fault("status", "text", body='{"23600":{"error":"Incorrect order ID"}}', times=5)
    assert shop.search() == {"open": 1}


def test_a_number_that_is_left_out_of_the_answer_is_not_proven_missing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.lose("reset_before")
    shop.later()
    id_search.check_search(shop.provider)
    healthy = shop.panel.status_rows
    monkeypatch.setattr(shop.panel, "status_rows", lambda rows: {n: row for n, row in healthy(rows).items() if rows[n]})  # type: ignore[attr-defined]
    assert shop.search() == {"open": 1}
    assert Placement.objects.get(state="in_doubt").evidence["search"]["why"] == "silent"


def test_a_changed_price_leaves_the_decision_to_the_operator(shop: Shop) -> None:
    lost = shop.lose("reset_after")
    Placement.objects.filter(pk=lost.pk).update(cost=lost.cost * 2)
    shop.later()
    assert shop.search() == {"open": 1}
    search = Placement.objects.get(pk=lost.pk).evidence["search"]
    assert search["why"] == "unexplained"
    assert len(search["hits"]) == 1, "the number is shown to the operator"


def test_an_order_is_sent_again_by_itself_five_times_at_most(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(id_search, "TRIES", 2)
    order = shop.buy()
    for expected in ("unplaced", "open"):
        shop.panel.fault("add", "reset_before")
        shop.submit()
        assert Order.objects.get(pk=order.pk).status == "in_doubt"
        shop.later()
        assert shop.search() == {expected: 1}
    assert Placement.objects.get(state="in_doubt").evidence["search"]["why"] == "tries"


def test_two_searches_at_once_look_at_an_order_once(shop: Shop) -> None:
    shop.lose("reset_before")
    Placement.objects.filter(state="in_doubt").update(next_search_at=timezone.now())
    assert id_search.providers_to_search() == [shop.provider.pk]
    assert len(id_search._take(shop.provider, is_now=False)) == 1
    assert id_search._take(shop.provider, is_now=False) == []
    assert id_search.providers_to_search() == []


def test_a_doubt_that_stays_open_is_reported_after_15_minutes_once(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    lost = shop.lose("reset_before")
    early = timezone.now() - timedelta(minutes=16)
    Placement.objects.filter(pk=lost.pk).update(in_doubt_at=early, created_at=early)
    with caplog.at_level(logging.WARNING, "vitrine.providers"):
        shop.search()
        shop.search()
    assert len([line for line in caplog.messages if f"outcome of order {lost.order_id} at" in line]) == 1


# ------------------------------------------------------------------------------------------------ the search check


def test_the_search_waits_for_a_passed_search_check(shop: Shop) -> None:
    shop.panel.fault("status", "html")
    shop.lose("reset_before")
    shop.later()
    assert shop.search() == {"open": 1}
    assert Note.CHECK_UNANSWERED in shop.provider.search_check_result
    assert shop.provider.search_checked_at is None
    assert shop.search() == {"unplaced": 1}
    assert Note.CHECK_PASSED in shop.provider.search_check_result
    assert shop.provider.search_checked_at is not None


def test_a_panel_that_shows_orders_of_others_is_never_searched(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shop.lose("reset_before")
    shop.later()
    healthy = shop.panel.status_rows

    def all_shown(rows: dict[str, Any]) -> object:
        ours = next(row for row in rows.values() if row)
        return healthy({number: row or ours for number, row in rows.items()})

    monkeypatch.setattr(shop.panel, "status_rows", all_shown)
    with caplog.at_level(logging.WARNING, "vitrine.providers"):
        assert shop.search() == {"open": 1}
    assert (shop.provider.is_search_allowed, shop.provider.search_checked_at) == (False, None)
    assert Note.FOREIGN_ORDER in shop.provider.search_check_result
    assert any("no longer searched" in line for line in caplog.messages)


@pytest.mark.usefixtures("full_history")
def test_an_order_placed_by_hand_with_our_key_ends_the_search(shop: Shop) -> None:
    assert id_search.check_search(shop.provider)
    manual = next(iter(shop.panel.orders.values()))
    shop.panel.book.orders["23601"] = manual
    assert not id_search.check_search(shop.provider)
    assert not shop.provider.is_search_allowed


def test_numbers_that_do_not_rise_with_time_are_not_searched(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.lose("reset_before")
    monkeypatch.setattr(shop.panel, "order_id", lambda number: str(10_000 - number))
    shop.later()
    assert shop.search() == {"open": 1}
    assert Note.NUMBERS_FALL in shop.provider.search_check_result
    assert shop.provider.is_search_allowed, "that is a fact about the panel, not an alarm"


def test_a_search_check_passes_although_an_order_of_unknown_outcome_may_have_every_number_since(shop: Shop) -> None:
    Provider.objects.update(settle_seconds=3600)
    shop.lose("reset_before")
    for _ in range(id_windows.HISTORY + 10):
        shop.buy()
    shop.submit()
    asked = len(shop.panel.received("status"))
    assert id_search.check_search(shop.provider), shop.provider.search_check_result
    assert len(shop.panel.received("status")) > asked, "older numbers are asked for"
    assert Note.CHECK_PASSED in shop.provider.search_check_result


@pytest.mark.usefixtures("full_history")
def test_a_search_check_finds_orders_of_others_among_older_numbers(shop: Shop) -> None:
    stranger = next(iter(shop.panel.orders.values()))
    Provider.objects.update(settle_seconds=3600)
    shop.lose("reset_before")
    for _ in range(id_windows.HISTORY + 10):
        shop.buy()
    shop.submit()
    shop.panel.book.orders["23601"] = stranger
    assert not id_search.check_search(shop.provider)
    assert not shop.provider.is_search_allowed


def test_the_search_is_on_automatically_once_a_search_check_has_passed(shop: Shop) -> None:
    assert Provider._meta.get_field("is_search_allowed").default is True
    assert not shop.provider.is_search_on
    onboarding.test_connection(shop.provider)
    assert shop.provider.is_search_on


def test_a_search_check_is_due_until_it_has_passed_then_daily_at_night(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def due_at(hour: int, age: timedelta | None) -> bool:
        now = timezone.localtime().replace(hour=hour, minute=30)
        monkeypatch.setattr(timezone, "now", lambda: now)
        Provider.objects.update(search_checked_at=None if age is None else now - age)
        return id_search.providers_to_check() == [shop.provider.pk]

    assert due_at(15, None)
    assert due_at(15, timedelta(hours=29))
    assert not due_at(15, timedelta(hours=20))
    assert due_at(3, timedelta(hours=20))
    assert not due_at(3, timedelta(hours=2)), "once a night"
    Provider.objects.update(is_search_allowed=False)
    assert not due_at(15, None), "a person switched it off"


@pytest.mark.usefixtures("full_history")
def test_a_new_provider_says_what_the_search_check_waits_for(panel: Panel) -> None:
    provider = provider_at(panel, "v2")
    onboarding.test_connection(provider)
    assert '"few_numbers", "count": 0, "needed": 50' in provider.search_check_result
    assert panel.received("status") == []


def test_an_order_in_doubt_is_not_mistaken_for_one_of_others(shop: Shop) -> None:
    shop.lose("reset_after")
    shop.later()
    assert id_search.check_search(shop.provider)


# ------------------------------------------------------------------------------------------------ looking back


def test_an_order_that_comes_late_ends_the_search_and_is_booked_as_ours(shop: Shop) -> None:
    lost = shop.lose("reset_before")
    shop.later()
    assert shop.search() == {"unplaced": 1}
    shop.submit()
    assert id_search.recheck_not_placed(shop.provider) == 0
    # The panel carries out the first attempt after all, with a number in the window that we took for closed.
    there = next(one for one in shop.panel.orders.values() if one.params["link"] == lost.order.link)
    window = Placement.objects.get(pk=lost.pk).evidence["search"]
    shop.panel.book.orders[str(window["lower"] + 1)] = there

    assert id_search.recheck_not_placed(shop.provider) == 1
    lost.refresh_from_db()
    assert (lost.state, lost.upstream_id) == ("closed", str(window["lower"] + 1))
    provider = shop.provider
    assert (provider.is_search_allowed, provider.settle_seconds) == (False, 60)
    assert Note.FOUND_LATE in provider.search_check_result
    assert status_of(lost) == "pending", "the order follows its second attempt"
    assert id_search.recheck_not_placed(provider) == 0, "once"
    assert list(audit.findings()) == []


def test_an_operator_who_paid_back_in_error_costs_us_not_the_customer(shop: Shop) -> None:
    lost = shop.lose("reset_after")
    shop.later()
    decisions.release(lost, send_again=False, why="the panel's support said so")
    assert id_search.recheck_not_placed(shop.provider) == 1
    lost.refresh_from_db()
    order = Order.objects.get(pk=lost.order_id)
    assert (lost.state, order.status, order.refunded) == ("closed", "failed", order.charge)
    assert shop.provider.is_search_allowed, "the search was not wrong"
    assert OrderEvent.objects.filter(order=order, kind="oddity").exists()
    assert list(audit.findings()) == []


def test_an_order_that_was_found_is_not_found_again(shop: Shop) -> None:
    shop.lose("reset_after")
    shop.later()
    assert shop.search() == {"placed": 1}
    assert shop.search() == {}
    assert id_search.recheck_not_placed(shop.provider) == 0
