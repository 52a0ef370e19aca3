"""Every order and request that waits too long is listed with exactly one reason."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.db.encrypted_field import Secret
from orders.models import DeliveryStats, Order, Run, Service
from providers.models import Offer, Placement, Provider, Route
from providers.tracking import waiting
from tests import factories

pytestmark = pytest.mark.django_db

LATE = timedelta(minutes=20)


@pytest.fixture
def service() -> Service:
    """A service with one route to an active provider."""
    sold = factories.service()
    provider = Provider.objects.create(
        name="north", url="https://p.example.com/api", dialect_name="v2", key=Secret.hide("k" * 32)
    )
    offer = Offer.objects.create(
        provider=provider, upstream_id="1", name="likes", service_type="default", rate=Decimal("0.5"),
        min_quantity=1, max_quantity=10_000,
    )  # fmt: skip
    Route.objects.create(service=sold, offer=offer)
    return sold


def order_of(service: Service, *, age: timedelta, status: str = "queued", **values: Any) -> Order:
    order = factories.order(None, service, status=status)
    Order.objects.filter(pk=order.pk).update(created_at=timezone.now() - age, **values)
    order.refresh_from_db()
    return order


def test_an_order_that_is_not_late_is_in_no_group(service: Service) -> None:
    assert waiting.reasons_of(order_of(service, age=timedelta(minutes=1))) == []


def test_a_late_order_that_could_be_placed_is_shown(service: Service) -> None:
    assert waiting.reasons_of(order_of(service, age=LATE)) == ["waiting"]


def test_an_order_waits_for_the_start_that_its_customer_set(service: Service) -> None:
    now = timezone.now()
    assert waiting.reasons_of(order_of(service, age=timedelta(days=3), starts_at=now + timedelta(days=1))) == []
    assert waiting.reasons_of(order_of(service, age=timedelta(days=3), starts_at=now - timedelta(minutes=5))) == []
    assert waiting.reasons_of(order_of(service, age=timedelta(days=3), starts_at=now - LATE)) == ["waiting"]


def test_a_late_order_at_a_paused_provider_says_so(service: Service) -> None:
    order = order_of(service, age=LATE)
    Provider.objects.update(paused_until=timezone.now() + timedelta(hours=1))
    assert waiting.reasons_of(order) == ["paused"]
    Provider.objects.update(paused_until=timezone.now() - timedelta(hours=1))
    assert waiting.reasons_of(order) == ["waiting"]


def test_a_late_order_that_was_sent_back_waits_for_its_next_try(service: Service) -> None:
    order = order_of(service, age=LATE, due_at=timezone.now() + timedelta(minutes=5))
    assert waiting.reasons_of(order) == ["retrying"]


def test_an_order_without_a_route_is_shown_at_once(service: Service) -> None:
    order = order_of(service, age=timedelta(0))
    Route.objects.update(is_active=False)
    assert waiting.reasons_of(order) == ["routeless"]


def test_a_late_run_is_shown_with_its_order(service: Service) -> None:
    order = order_of(service, age=timedelta(days=1), status="in_progress", runs=2, interval=60)
    run = Run.objects.create(order=order, number=2, quantity=50, due_at=timezone.now() - timedelta(minutes=5))
    assert waiting.reasons_of(order) == []
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now() - LATE)
    assert waiting.reasons_of(order) == ["waiting"]


def test_a_submission_that_never_ended_is_shown(service: Service) -> None:
    order = order_of(service, age=timedelta(hours=1), status="submitting")
    offer = Offer.objects.get()
    claim = Placement.objects.create(
        order=order, provider=offer.provider, offer=offer, quantity=100, cost=1, currency="USD", exchange_rate=1,
        lease_until=timezone.now(),
    )  # fmt: skip
    assert waiting.reasons_of(order) == []
    Placement.objects.filter(pk=claim.pk).update(lease_until=timezone.now() - timedelta(minutes=10))
    assert waiting.reasons_of(order) == ["submitting"]


def test_an_unknown_outcome_is_searched_for_or_waits_for_a_decision(service: Service) -> None:
    order = order_of(service, age=timedelta(0), status="in_doubt")
    offer = Offer.objects.get()
    Placement.objects.create(
        order=order, provider=offer.provider, offer=offer, quantity=100, cost=1, currency="USD", exchange_rate=1,
        state="in_doubt", lease_until=timezone.now(), in_doubt_at=timezone.now(),
    )  # fmt: skip
    Provider.objects.update(is_search_allowed=False)
    assert waiting.reasons_of(order) == ["undecided"]
    Provider.objects.update(is_search_allowed=True, search_checked_at=timezone.now())
    assert waiting.reasons_of(order) == ["searched"]


@pytest.mark.parametrize(
    ("p90", "sample", "age", "is_late"),
    [
        (86_400, 50, timedelta(days=2), False),
        (86_400, 50, timedelta(days=4), True),
        (60, 50, timedelta(hours=5), False),
        (60, 50, timedelta(hours=7), True),
        (86_400, 3, timedelta(days=4), False),
        (None, 50, timedelta(days=13), False),
        (None, 50, timedelta(days=15), True),
        (30 * 86_400, 50, timedelta(days=60), False),
    ],
)
@pytest.mark.parametrize("status", ["pending", "processing", "in_progress"])
def test_an_order_is_overdue_by_what_its_service_usually_takes(
    service: Service, status: str, p90: int | None, sample: int, age: timedelta, is_late: bool
) -> None:
    DeliveryStats.objects.create(service=service, finish_p90=p90, sample=sample)
    assert waiting.reasons_of(order_of(service, age=age, status=status)) == (["overdue"] if is_late else [])


def test_a_drip_feed_may_take_as_long_as_its_deliveries(service: Service) -> None:
    order = order_of(service, age=timedelta(days=20), status="in_progress", runs=11, interval=24 * 60)
    assert waiting.reasons_of(order) == []
    Order.objects.update(interval=60)
    assert waiting.reasons_of(order) == ["overdue"]


def test_a_subscription_may_run_for_months(service: Service) -> None:
    order = order_of(service, age=timedelta(days=60), status="in_progress")
    assert waiting.reasons_of(order) == ["overdue"]
    Service.objects.update(service_type="subscriptions")
    assert waiting.reasons_of(order) == []
    Order.objects.update(created_at=timezone.now() - timedelta(days=100))
    assert waiting.reasons_of(order) == ["overdue"]


def test_an_ended_order_waits_for_nothing(service: Service) -> None:
    now = timezone.now()
    order = order_of(service, age=timedelta(days=90), status="completed", ended_at=now)
    assert waiting.reasons_of(order) == []


def test_reasons_cost_the_same_for_few_and_for_many_orders(service: Service) -> None:
    order = order_of(service, age=LATE)

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            waiting.reasons_of(order)
        return len(caught)

    few = queries()
    for _ in range(20):
        order_of(service, age=LATE)
    assert queries() == few == len(waiting.ORDERS)
