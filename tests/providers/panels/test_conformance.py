"""The same journey at every panel: imported, bought, placed by its document, tracked by its statuses, refunded."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from orders.ledger import audit
from orders.models import Order, Service
from orders.rules import charges
from orders.rules.service_types import SERVICE_TYPES
from providers.models import Offer, Placement, Provider
from providers.panels.dialects import DIALECTS
from providers.panels.simulators import SIMULATORS, Panel
from providers.placing import submission
from providers.tracking import status_sync
from tests.providers.conftest import ALL_DIALECTS, buy, customer, provider_at

pytestmark = pytest.mark.django_db


def statuses_of(dialect: str) -> tuple[str, ...]:
    """Return the panel's status words for pending, moving, completed, partial and canceled."""
    statuses = SIMULATORS[dialect].statuses
    return statuses.pending, statuses.running, statuses.completed, statuses.partial, statuses.canceled


def place(panel: Panel, provider: Provider, order: Order) -> str:
    """Submit what is due; return the order's number at the panel."""
    submission.submit_due(provider)
    order.refresh_from_db()
    assert order.status == "pending", list(order.events.values_list("kind", "data"))
    return Placement.objects.get(order=order, state="accepted").upstream_id


def sync(provider: Provider, order: Order) -> Order:
    status_sync.sync_statuses(provider, is_now=True)
    order.refresh_from_db()
    return order


@ALL_DIALECTS
def test_every_type_a_panel_sells_is_placed_as_its_document_asks(
    dialect: str, start_panel: Callable[..., Panel]
) -> None:
    panel = start_panel(dialect)
    provider = provider_at(panel, dialect)
    user = customer()
    orders = [
        buy(user, service) for service in Service.objects.filter(service_type__in=DIALECTS[dialect].service_types)
    ]
    assert {order.service.service_type for order in orders} == set(DIALECTS[dialect].service_types) & set(
        Offer.objects.values_list("service_type", flat=True)
    )

    counts = submission.submit_due(provider)

    assert panel.violations == []
    assert counts == {"accepted": len(orders)}
    assert len(panel.orders) == len(orders)
    for placement in Placement.objects.select_related("order__service"):
        there = panel.orders[placement.upstream_id]
        assert isinstance(placement.upstream_id, str)
        assert str(there.service) == placement.offer.upstream_id
        assert there.charge == placement.cost, placement.order.service.service_type


@ALL_DIALECTS
def test_statuses_in_the_panels_own_words_update_the_order(dialect: str, start_panel: Callable[..., Panel]) -> None:
    panel = start_panel(dialect)
    provider = provider_at(panel, dialect)
    order = buy(customer(), Service.objects.filter(is_flat=False).first() or Service.objects.get_queryset()[0])
    number = place(panel, provider, order)
    pending, moving, completed, *_ = statuses_of(dialect)

    panel.report(number, pending, remains=order.quantity)
    assert sync(provider, order).status == "pending"
    panel.report(number, moving, remains=order.quantity // 2, start_count=7)
    assert (sync(provider, order).status, order.remains, order.start_count) == (
        "in_progress",
        order.quantity // 2,
        7,
    )
    panel.report(number, completed, remains=0)
    assert (sync(provider, order).status, order.remains, order.refunded) == ("completed", 0, Decimal(0))
    assert panel.violations == []
    assert list(audit.findings()) == []


@ALL_DIALECTS
def test_partial_and_then_canceled_refund_exactly(dialect: str, start_panel: Callable[..., Panel]) -> None:
    panel = start_panel(dialect)
    provider = provider_at(panel, dialect)
    user = customer()
    order = buy(user, Service.objects.order_by("is_flat", "-max_quantity")[0])
    number = place(panel, provider, order)
    before = user.wallet.__class__.objects.get(user=user).balance
    left = order.quantity // 3

    panel.report(number, statuses_of(dialect)[3], remains=left)
    sync(provider, order)
    due = charges.refund(order.charge, quantity=order.quantity, remains=left)
    assert (order.status, order.refunded) == ("partial", due)

    panel.report(number, statuses_of(dialect)[4], remains=order.quantity)
    sync(provider, order)
    assert (order.status, order.refunded, order.remains) == ("canceled", order.charge, order.quantity)
    assert user.wallet.__class__.objects.get(user=user).balance == before + order.charge
    assert panel.violations == []
    assert list(audit.findings()) == []


@ALL_DIALECTS
def test_many_statuses_are_asked_for_in_one_call(dialect: str, start_panel: Callable[..., Panel]) -> None:
    panel = start_panel(dialect)
    provider = provider_at(panel, dialect)
    user, service = customer(), Service.objects.order_by("rate").filter(max_quantity__lt=10**7)[0]
    for number in range(7):
        buy(user, service, link=service.link_example or f"https://x.example.com/p/{number}")
    submission.submit_due(provider)

    counts = status_sync.sync_statuses(provider, is_now=True)

    assert (counts["calls"], counts["looked_at"]) == (1, 7)
    assert panel.violations == []


@ALL_DIALECTS
def test_the_key_is_in_no_row_of_the_call_log(dialect: str, start_panel: Callable[..., Panel]) -> None:
    panel = start_panel(dialect, key="s3cr3t-and-l0ng-key")
    provider = provider_at(panel, dialect)
    order = buy(customer(), Service.objects.all()[0])
    panel.fault("add", "error", text=f"Something odd about key {panel.key}")
    submission.submit_due(provider)

    order.refresh_from_db()
    rows = [str(row) for row in provider.calls.values()] + [str(row) for row in Placement.objects.values()]
    rows += [str(row) for row in order.events.values()] + [str(row) for row in Provider.objects.values()]
    assert order.status == "in_doubt"
    assert not [row for row in rows if panel.key in row]


def test_every_service_type_is_sold_by_at_least_one_panel(start_panel: Callable[..., Panel]) -> None:
    provider_at(start_panel("v2"), "v2")
    assert set(Service.objects.values_list("service_type", flat=True)) == set(SERVICE_TYPES)
