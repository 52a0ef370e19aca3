"""Following orders: in batches, at their time, and without believing what cannot be true."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from orders import audit
from orders.models import Order, OrderEvent, Service
from providers import submission, syncing
from providers.models import PanelCall, Placement, Provider
from providers.simulators import Panel
from tests.providers.conftest import buy, customer, provider_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def panel(start_panel: Callable[..., Panel]) -> Panel:
    return start_panel("v2")


@pytest.fixture
def order(panel: Panel) -> Order:
    """An order of 100 that the panel has."""
    provider_at(panel, "v2")
    order = buy(customer(), Service.objects.filter(kind="default", max_quantity__gte=100)[0], quantity="100")
    submission.submit_due(Provider.objects.get())
    return order


def sync(order: Order) -> Order:
    syncing.sync_statuses(Provider.objects.get(), is_now=True)
    order.refresh_from_db()
    return order


def number_of(order: Order) -> str:
    return Placement.objects.get(order=order).upstream_id


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("html", {}),
        ("empty", {}),
        ("list", {}),
        ("http_500", {}),
        ("truncated", {}),
        ("error", {"text": "Invalid API key"}),
        ("error", {"text": "Too many requests"}),
        ("reset_after", {}),
        ("hang", {}),
        ("drip", {}),
        ("text", {"body": "{}"}),
        ("text", {"body": '{"status":"Sleeping"}'}),
        ("text", {"body": '{"error":"Incorrect order ID"}'}),
        ("wrong_types", {}),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.usefixtures("quick_calls")
def test_an_answer_that_says_nothing_changes_nothing(
    panel: Panel, order: Order, kind: str, options: dict[str, Any]
) -> None:
    panel.report(number_of(order), "In progress", remains=40)
    assert sync(order).status == "in_progress"
    panel.fault("status", kind, **options)
    sync(order)
    assert (order.status, order.remains, order.refunded) == ("in_progress", 40, 0)
    panel.report(number_of(order), "Completed", remains=0)
    assert sync(order).status == "completed", "the next good answer counts"


def test_a_row_the_panel_leaves_out_is_counted_and_changes_nothing(panel: Panel, order: Order) -> None:
    second = buy(order.user, order.service, link="https://x.example.com/p/2")
    submission.submit_due(Provider.objects.get())
    number = number_of(second)
    panel.fault("status", "text", body=f'{{"{number}":{{"status":"Completed","remains":"0"}}}}')
    sync(order)
    second.refresh_from_db()
    assert (order.status, second.status) == ("pending", "completed")
    assert Placement.objects.get(order=order).missing == 1


@pytest.mark.parametrize(("remains", "refunded_pieces"), [("-5", 0), ("250", 100), ("0", 0), ("100", 100)])
def test_remains_out_of_range_is_clamped(panel: Panel, order: Order, remains: str, refunded_pieces: int) -> None:
    panel.fault("status", "text", body=f'{{"status":"Partial","remains":"{remains}"}}')
    sync(order)
    assert order.status == "partial"
    assert order.refunded == order.charge * refunded_pieces / 100
    assert list(audit.findings()) == []


@pytest.mark.parametrize("remains", ['"Unknown"', "null", '""'])
def test_a_partial_without_remains_moves_no_money_and_is_shown_to_a_person(
    panel: Panel, order: Order, remains: str
) -> None:
    body = f'{{"status":"Partial","remains":{remains}}}'
    for _ in range(3):
        panel.fault("status", "text", body=body)
        sync(order)
    assert (order.status, order.refunded) == ("pending", 0)
    assert OrderEvent.objects.filter(order=order, kind="oddity").count() == 1, "said once, not at every look"


def test_fail_is_left_to_a_person_unless_this_panel_pays_back(panel: Panel, order: Order) -> None:
    panel.fault("status", "text", body='{"status":"Fail"}')
    assert (sync(order).status, order.refunded) == ("pending", 0)
    Provider.objects.update(refunds_failed=True)
    panel.fault("status", "text", body='{"status":"Fail"}')
    assert (sync(order).status, order.refunded) == ("canceled", order.charge)


def test_a_late_change_pays_back_the_difference_and_only_that(panel: Panel, order: Order) -> None:
    for word, remains, refunded in (
        ("Completed", 0, Decimal(0)),
        ("Partial", 30, order.charge * 30 / 100),
        ("Partial", 20, order.charge * 30 / 100),
        ("Completed", 0, order.charge * 30 / 100),
        ("Canceled", 100, order.charge),
        ("In progress", 50, order.charge),
        ("Completed", 0, order.charge),
    ):
        panel.report(number_of(order), word, remains=remains)
        assert sync(order).refunded == refunded, word
    assert order.status == "canceled"
    assert list(audit.findings()) == []


def test_intervals_stretch_with_age_and_end(order: Order, settings: Any) -> None:
    settings.SYNC_INTERVAL = 60
    now = timezone.now()
    placement = Placement.objects.get()
    waits = []
    for hours in (0, 2, 12, 100, 1000):
        placement.created_at = now - timedelta(hours=hours)
        waits.append(syncing.next_look(placement, now) - now)  # type: ignore[operator]
    assert waits == sorted(waits)
    assert waits[0] == timedelta(seconds=60)
    placement.ended_at = now
    assert syncing.next_look(placement, now) == now + timedelta(hours=1)
    placement.ended_at = now - timedelta(days=8)
    assert syncing.next_look(placement, now) is None


def test_only_what_is_due_is_asked_for(panel: Panel, order: Order) -> None:
    assert syncing.sync_statuses(Provider.objects.get()) == {}
    assert panel.received("status") == []
    assert syncing.providers_to_sync() == []
    Placement.objects.update(sync_at=timezone.now())
    assert syncing.providers_to_sync() == [Provider.objects.get().pk]


def test_statuses_of_a_thousand_orders_cost_ten_calls(
    panel: Panel, order: Order, django_assert_max_num_queries: Any
) -> None:
    row = Placement.objects.get()
    template = Order.objects.get()
    orders = Order.objects.bulk_create(
        [
            Order(
                user=template.user,
                service=template.service,
                link=f"x{number}",
                quantity=100,
                rate=1,
                charge=0,
                status="pending",
            )
            for number in range(999)
        ]
    )
    there = panel.orders[row.upstream_id]
    for number, copy in enumerate(orders):
        panel.orders[str(50_000 + number)] = there
        Placement.objects.create(
            order=copy,
            provider=row.provider,
            offer=row.offer,
            state="accepted",
            upstream_id=str(50_000 + number),
            quantity=100,
            cost=1,
            currency="USD",
            exchange_rate=1,
            lease_until=row.lease_until,
            sync_at=timezone.now(),
        )
    sync(order)
    before = PanelCall.objects.count()
    with django_assert_max_num_queries(60):
        counts = syncing.sync_statuses(Provider.objects.get(), is_now=True)
    assert (counts["calls"], counts["looked_at"], counts["changed"]) == (10, 1000, 0)
    assert PanelCall.objects.count() == before, "good reads leave no rows"
    assert panel.violations == []
