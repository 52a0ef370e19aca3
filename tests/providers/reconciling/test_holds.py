"""Holds: which orders wait while an outcome is unknown, for how long, and what that costs the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import Order, Service
from providers.models import Offer, Placement, Provider, Route
from providers.panels.simulators import Panel
from providers.placing import routing, submission
from providers.reconciling import decisions, holds, id_windows
from tests.providers.conftest import buy, claim, customer, provider_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def placement(panel: Panel) -> Placement:
    """An order that the panel has, whose answer was lost; the search is on."""
    provider = provider_at(panel, "v2")
    Provider.objects.update(search_checked_at=timezone.now())
    buy(customer(), Service.objects.filter(service_type="default")[0])
    panel.fault("add", "reset_after")
    submission.submit_due(provider)
    return Placement.objects.get(state="in_doubt")


def buy_like(placement: Placement, number: int, **inputs: str) -> Order:
    """Place an order for the same service and quantity, for another link."""
    first = placement.order
    return buy(first.user, first.service, link=f"https://x.example.com/like/{number}", **inputs)


def submit() -> None:
    submission.submit_due(Provider.objects.get(name="at-v2"), is_now=True)


def status_of(order: Order) -> str:
    return Order.objects.get(pk=order.pk).status


def test_only_what_asks_for_the_same_waits_and_only_until_the_outcome_is_known(
    panel: Panel, placement: Placement
) -> None:
    same, other = buy_like(placement, 1), buy_like(placement, 2, quantity="200")
    submit()
    assert (status_of(same), status_of(other)) == ("queued", "pending")
    decisions.attach(placement, upstream_id=next(iter(panel.orders)))
    submit()
    assert status_of(same) == "pending"


def test_nothing_waits_once_the_other_order_has_been_unknown_for_a_while(placement: Placement) -> None:
    same = buy_like(placement, 1)
    Placement.objects.filter(pk=placement.pk).update(in_doubt_at=timezone.now() - holds.HOLD)
    submit()
    assert status_of(same) == "pending"


def test_no_order_waits_longer_however_many_become_unknown(placement: Placement) -> None:
    patient = buy_like(placement, 1)
    Order.objects.filter(pk=patient.pk).update(created_at=timezone.now() - holds.HOLD)
    same = buy_like(placement, 2)
    submit()
    assert (status_of(patient), status_of(same)) == ("pending", "queued")


def test_what_waited_goes_out_after_other_orders_have_closed_the_window_of_the_lost_one(placement: Placement) -> None:
    """All of it goes out at once: an answer lost among it must not lie in the same window."""
    settled = timedelta(seconds=placement.provider.settle_seconds)
    same = buy_like(placement, 1)
    for since, expected in ((settled + 2 * id_windows.SKEW, "queued"), (settled + timedelta(seconds=10), "pending")):
        Placement.objects.filter(pk=placement.pk).update(in_doubt_at=timezone.now() - since)
        submit()
        assert status_of(same) == expected


@pytest.mark.parametrize(
    "values",
    [
        {"is_search_allowed": False},
        {"search_checked_at": None},
        {"search_checked_at": timezone.now() - timedelta(days=3)},
    ],
)
def test_without_the_search_nothing_waits(placement: Placement, values: dict[str, Any]) -> None:
    Provider.objects.update(**values)
    same = buy_like(placement, 1)
    submit()
    assert status_of(same) == "pending"


def test_nothing_waits_when_very_many_are_unknown(placement: Placement, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holds, "MOST", 0)
    same = buy_like(placement, 1)
    submit()
    assert status_of(same) == "pending"


def test_what_waits_may_go_by_another_route(
    panel: Panel, placement: Placement, start_panel: Callable[..., Panel]
) -> None:
    other = start_panel("v2")
    second = provider_at(other, "v2", name="second")
    there = Offer.objects.get(provider=second, upstream_id=placement.offer.upstream_id)
    Route.objects.create(service=placement.order.service, offer=there, priority=5)
    same = buy_like(placement, 1)
    submission.submit_due(second, is_now=True)
    assert (status_of(same), len(other.orders)) == ("pending", 1)


def test_a_second_offer_of_the_same_provider_is_another_route(panel: Panel, placement: Placement) -> None:
    offers = Offer.objects.filter(provider=placement.provider, service_type="default", problem="")
    cheaper = offers.exclude(pk=placement.offer_id).order_by("rate")[0]
    Offer.objects.filter(pk=cheaper.pk).update(rate=placement.offer.rate)
    Route.objects.create(service=placement.order.service, offer=cheaper, priority=5)
    same = buy_like(placement, 1)
    submit()
    assert Placement.objects.get(order=same).offer_id == cheaper.pk


def test_orders_of_unknown_outcome_do_not_narrow_the_provider(panel: Panel, placement: Placement) -> None:
    panel.latency = 0.1
    for number in range(8):
        buy_like(placement, number, quantity=str(200 + number))
    submit()
    assert Order.objects.filter(status="pending").count() == 8
    assert panel.peak_parallel > 1


# ------------------------------------------------------------------------------------------------ what it costs


@contextmanager
def count_reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Count the SQL statements in the block, and the orders that are read from the database."""
    counts = {"orders": 0, "statements": 0}
    read = Order.from_db.__func__  # type: ignore[attr-defined]

    def count(cls: Any, *args: Any) -> Any:
        counts["orders"] += 1
        return read(cls, *args)

    with CaptureQueriesContext(connection) as queries, monkeypatch.context() as patch:
        patch.setattr(Order, "from_db", classmethod(count))
        yield counts
    counts["statements"] = len(queries)


def claim_one(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Return what one claim costs; the claimed order is taken back."""
    with count_reads(monkeypatch) as counts:
        (sent,) = claim(Provider.objects.get(), limit=1)
    Placement.objects.filter(pk=sent.placement.pk).delete()
    Order.objects.filter(pk=sent.placement.order_id).update(status="queued")
    return counts


def lines(placement: Placement, count: int) -> None:
    """``count`` more orders for the same thing, and behind them one for something else."""
    Order.objects.exclude(pk=placement.order_id).update(status="canceled", ended_at=timezone.now())
    same = buy_like(placement, 1)
    copies = [Order.objects.get(pk=same.pk) for _ in range(count - 1)]
    for copy in copies:
        copy.pk = None
    Order.objects.bulk_create(copies)
    buy_like(placement, 2, quantity="300")


def test_a_claim_costs_the_same_with_any_number_of_orders_that_wait(
    placement: Placement, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines(placement, 10)
    few = claim_one(monkeypatch)
    lines(placement, 500)
    assert claim_one(monkeypatch) == few


@pytest.mark.parametrize("why", ["refused", "too dear"])
def test_a_claim_costs_the_same_with_any_number_of_orders_that_the_route_cannot_serve(
    placement: Placement, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    def spoil() -> None:
        orders = Order.objects.filter(status="queued", quantity=placement.quantity)
        if why == "too dear":
            orders.update(charge=placement.cost / 2)
            return
        refused = [
            Placement(
                order=order,
                provider=placement.provider,
                offer=placement.offer,
                state="refused",
                reason="other",
                quantity=order.quantity,
                cost=placement.cost,
                currency="USD",
                exchange_rate=1,
                lease_until=timezone.now(),
                ended_at=timezone.now(),
            )
            for order in orders
        ]
        Placement.objects.bulk_create(refused)

    decisions.attach(placement, upstream_id="23501")
    lines(placement, 10)
    spoil()
    few = claim_one(monkeypatch)
    lines(placement, 300)
    spoil()
    assert claim_one(monkeypatch) == few


def test_an_order_that_just_pays_for_itself_is_placed(placement: Placement) -> None:
    """The query that leaves out what costs too much reckons in floats; it must not leave out what does not."""
    decisions.attach(placement, upstream_id="23501")
    for quantity in (100, 101, 333, 999, 1000):
        exact = buy_like(placement, quantity, quantity=str(quantity))
        Order.objects.filter(pk=exact.pk).update(charge=placement.offer.cost_of(quantity))
        assert exact in routing.waiting(placement.provider)
        assert exact.pk in routing.choose([Order.objects.get(pk=exact.pk)])
