"""Limits of parallel calls and calls per minute, and the choice of the route."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from orders.models import Order, Service
from providers import models
from providers.models import Offer, Placement, Provider, Route
from providers.panels import dialects
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.tracking import status_sync
from tests.providers.conftest import buy, customer, provider_at

pytestmark = pytest.mark.django_db


def orders_at(panel: Panel, count: int, **limits: Any) -> Provider:
    provider = provider_at(panel, "v2")
    Provider.objects.update(**limits)
    user, service = customer(), Service.objects.filter(service_type="default")[0]
    for number in range(count):
        buy(user, service, link=f"https://x.example.com/p/{number}")
    return Provider.objects.get(pk=provider.pk)


def gaps(panel: Panel, verb: str) -> list[float]:
    times = sorted(request.at for request in panel.received(verb))
    return [after - before for before, after in pairwise(times)]


def test_orders_are_sent_at_the_providers_calls_a_minute(start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("v2")
    submission.submit_due(orders_at(panel, 5, calls_per_minute=600))
    assert len(panel.orders) == 5
    assert min(gaps(panel, "add")) > 0.15, "half of 600 a minute is one in 0.2 s"


def test_statuses_are_asked_for_at_the_providers_calls_a_minute(
    start_panel: Callable[..., Panel], monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = start_panel("v2")
    provider = orders_at(panel, 5)
    submission.submit_due(provider)
    Provider.objects.update(calls_per_minute=600)
    single = {**dialects.DIALECTS, "v2": replace(dialects.DIALECTS["v2"], batch_size=1)}
    monkeypatch.setattr(models.provider, "DIALECTS", single)
    counts = status_sync.sync_statuses(Provider.objects.get(), is_now=True)
    assert counts["looked_at"] == 5
    assert min(gaps(panel, "status")) > 0.15


def test_no_more_calls_are_under_way_than_the_provider_allows(start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("v2", latency=0.05)
    submission.submit_due(orders_at(panel, 12, parallel=3))
    assert len(panel.orders) == 12
    assert panel.peak_parallel <= 3


@pytest.fixture
def two(start_panel: Callable[..., Panel]) -> tuple[Order, Provider, Provider]:
    """An order that two providers could take for the same cost and at the same priority."""
    first = provider_at(start_panel("v2"), "v2", name="first")
    second = provider_at(start_panel("v2"), "v2", name="second")
    service = Service.objects.filter(service_type="default", routes__offer__provider=first)[0]
    upstream_id = Offer.objects.get(provider=first, routes__service=service).upstream_id
    Route.objects.create(service=service, offer=Offer.objects.get(provider=second, upstream_id=upstream_id))
    return buy(customer(), service), first, second


def submit_and_name_provider(order: Order) -> str:
    for provider in Provider.objects.all():
        submission.submit_due(provider)
    return Placement.objects.get(order=order).provider.name


def test_of_equal_priority_the_cheapest_in_our_currency_is_taken(two: tuple[Order, Provider, Provider]) -> None:
    order, _, second = two
    Provider.objects.filter(pk=second.pk).update(currency="TRY", exchange_rate=Decimal("0.02"))
    assert submit_and_name_provider(order) == "second"


def test_priority_comes_before_cost(two: tuple[Order, Provider, Provider]) -> None:
    order, _, second = two
    Offer.objects.filter(provider=second).update(rate=Decimal("0.001"))
    Route.objects.filter(offer__provider=second).update(priority=1)
    assert submit_and_name_provider(order) == "first"


def test_a_provider_that_cannot_pay_comes_last(two: tuple[Order, Provider, Provider]) -> None:
    order, first, _ = two
    Provider.objects.filter(pk=first.pk).update(balance=Decimal("0.001"), balance_seen_at=timezone.now())
    assert submit_and_name_provider(order) == "second"


def test_nothing_is_bought_for_more_than_the_customer_paid(two: tuple[Order, Provider, Provider]) -> None:
    order, first, _ = two
    Offer.objects.filter(provider=first).update(rate=Decimal(500))
    assert submit_and_name_provider(order) == "second"


def test_an_order_that_every_offer_would_cost_more_waits(two: tuple[Order, Provider, Provider]) -> None:
    order, _, _ = two
    Offer.objects.update(rate=Decimal(500))
    for provider in Provider.objects.all():
        submission.submit_due(provider)
    order.refresh_from_db()
    assert (order.status, Placement.objects.count()) == ("queued", 0)
