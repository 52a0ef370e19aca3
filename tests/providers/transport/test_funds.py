"""Not enough funds: orders that the balance cannot pay for wait, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from orders.lifecycle import customer_requests
from orders.models import Order, Service
from providers.models import Placement, Provider, Route
from providers.panels.simulators import Panel
from providers.placing import routing, submission
from providers.reconciling import evidence
from providers.tracking import upstream_requests
from providers.transport import circuit_breaker, funds
from tests.providers.conftest import buy, customer, provider_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def panel(start_panel: Callable[..., Panel]) -> Panel:
    return start_panel("v2", balance=Decimal("1.00"))


@pytest.fixture
def service(panel: Panel) -> Service:
    """A thousand cost 0.90 at the panel."""
    provider_at(panel, "v2")
    return Service.objects.filter(service_type="default")[0]


@pytest.fixture
def buyer() -> Any:
    return customer()


def provider() -> Provider:
    return Provider.objects.get()


def order(buyer: Any, service: Service, thousands: Decimal | str, **inputs: str) -> Order:
    number = Order.objects.count()
    return buy(
        buyer, service, quantity=str(int(Decimal(thousands) * 1000)), link=f"https://x.example.com/{number}", **inputs
    )


def statuses(*orders: Order) -> list[str]:
    return [Order.objects.get(pk=one.pk).status for one in orders]


def submit() -> None:
    submission.submit_due(provider())


def test_an_order_above_the_balance_waits_and_cheaper_ones_go_on(panel: Panel, buyer: Any, service: Service) -> None:
    dear, *cheap = order(buyer, service, 5), *(order(buyer, service, "0.1") for _ in range(5))
    submit()
    assert statuses(dear, *cheap) == ["queued", *["pending"] * 5]
    assert not provider().is_paused

    later, also_dear = order(buyer, service, "0.2"), order(buyer, service, 4)
    calls = len(panel.received("add"))
    submit()
    assert statuses(dear, also_dear, later) == ["queued", "queued", "pending"]
    assert len(panel.received("add")) == calls + 1, "what cannot be paid for is not sent"


def test_the_balance_is_asked_for_once_for_orders_that_were_refused_together(
    panel: Panel, buyer: Any, service: Service
) -> None:
    panel.latency = 0.05
    for _ in range(4):
        order(buyer, service, "0.1")
    for thousands in range(9, 2, -1):
        order(buyer, service, thousands)
    before = len(panel.received("balance"))
    submit()
    assert len(panel.received("balance")) == before + 1
    assert Order.objects.filter(status="queued").count() == 7


def test_what_was_spent_since_counts(panel: Panel, buyer: Any, service: Service) -> None:
    order(buyer, service, 5)
    submit()
    assert provider().funds_limit == Decimal("1.00")
    order(buyer, service, "0.5")
    submit()
    assert provider().funds_limit == Decimal("0.55")


def test_waiting_orders_are_placed_after_the_first_reading_of_a_higher_balance(
    panel: Panel, buyer: Any, service: Service
) -> None:
    dear = order(buyer, service, 5)
    submit()
    panel.balance = Decimal(100)
    submit()
    assert statuses(dear) == ["queued"]
    evidence.refresh(provider(), seconds=0)
    submit()
    assert statuses(dear) == ["pending"]
    assert provider().funds_limit is None


def test_a_waiting_order_does_not_wait_for_a_reading_that_never_comes(
    panel: Panel, buyer: Any, service: Service
) -> None:
    dear = order(buyer, service, 5)
    submit()
    panel.balance = Decimal(100)
    Provider.objects.update(funds_retry_at=timezone.now())
    submit()
    assert statuses(dear) == ["pending"]


def test_the_next_attempt_looks_at_the_balance_before_it_sends_anything(
    panel: Panel, buyer: Any, service: Service
) -> None:
    dear = order(buyer, service, 5)
    submit()
    Provider.objects.update(funds_retry_at=timezone.now())
    submit()
    assert len(panel.received("add")) == 1
    assert statuses(dear) == ["queued"]
    retry_at = provider().funds_retry_at
    assert retry_at is not None
    assert abs(retry_at - timezone.now() - timedelta(seconds=2 * funds.RETRY.first)) < timedelta(seconds=10)


def test_a_panel_that_names_no_balance_gets_the_cheaper_ones(panel: Panel, buyer: Any, service: Service) -> None:
    for _ in range(3):
        panel.fault("balance", "error", text="Try later")
    dear, cheap = order(buyer, service, 5), order(buyer, service, "0.1")
    submit()
    assert statuses(dear, cheap) == ["queued", "pending"]
    assert provider().funds_limit == Decimal("4.499999")


def test_a_refusal_although_the_balance_would_do_is_tried_again(panel: Panel, buyer: Any, service: Service) -> None:
    one = order(buyer, service, "0.5")
    panel.fault("add", "error", text="Not enough funds on balance")
    submit()
    assert statuses(one) == ["queued"]
    Provider.objects.update(funds_retry_at=timezone.now())
    submit()
    assert statuses(one) == ["pending"]
    assert provider().funds_limit is None


def test_intervals_double_and_end(panel: Panel, buyer: Any, service: Service) -> None:
    order(buyer, service, 5)
    submit()
    waits = []
    for _ in range(7):
        Provider.objects.update(funds_retry_at=timezone.now())
        submit()
        retry_at = provider().funds_retry_at
        assert retry_at is not None
        waits.append(round((retry_at - timezone.now()).total_seconds() / 60))
    assert waits == [2, 4, 8, 16, 30, 30, 30]


def test_an_order_goes_to_a_provider_with_enough_balance(
    panel: Panel, buyer: Any, service: Service, start_panel: Callable[..., Panel]
) -> None:
    first = provider()
    rich = start_panel("v2", balance=Decimal(1000))
    second = provider_at(rich, "v2", name="rich")
    offer = second.offers.get(upstream_id=service.routes.get().offer.upstream_id)
    Route.objects.create(service=service, offer=offer, priority=9)
    dear = order(buyer, service, 5)
    submission.submit_due(first)
    assert second.pk in routing.providers_to_submit()
    submission.submit_due(second)
    assert statuses(dear) == ["pending"]
    assert len(rich.orders) == 1


def test_refills_and_cancellations_go_on_while_orders_wait_for_money(
    panel: Panel, buyer: Any, service: Service
) -> None:
    Service.objects.update(has_cancel=True)
    service = Service.objects.get(service_type="default", routes__offer__has_cancel=True)
    first = order(buyer, service, "0.1")
    submit()
    order(buyer, service, service.max_quantity // 1000)
    submit()
    assert provider().funds_limit is not None
    customer_requests.request_cancellation(Order.objects.get(pk=first.pk), actor=buyer)
    assert provider().pk in upstream_requests.triage()
    upstream_requests.run(provider())
    assert len(panel.received("cancel")) == 1


def test_an_operator_can_end_the_limit(panel: Panel, buyer: Any, service: Service) -> None:
    dear = order(buyer, service, 5)
    submit()
    panel.balance = Decimal(100)
    circuit_breaker.resume(provider())
    submit()
    assert statuses(dear) == ["pending"]
    assert Placement.objects.filter(state="accepted").count() == 1
