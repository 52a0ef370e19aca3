"""The pages of a queued order and of its provider explain why it waits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.models import Order, Service
from providers.models import Offer, Placement, Provider, Route
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.placing.waiting import explain
from tests.providers.conftest import buy, customer, provider_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def panel(start_panel: Callable[..., Panel]) -> Panel:
    return start_panel("v2", balance=Decimal(1))


@pytest.fixture
def order(panel: Panel) -> Order:
    provider_at(panel, "v2")
    return buy(customer(), Service.objects.filter(service_type="default")[0], quantity="5000")


def explanation(order: Order) -> str:
    return " ".join(explain(Order.objects.get(pk=order.pk)))


def submit() -> None:
    submission.submit_due(Provider.objects.get())


def test_an_order_that_could_be_placed_waits_for_nothing(order: Order) -> None:
    assert explanation(order) == ""


def test_a_low_balance_is_named_on_the_pages_of_order_and_provider(order: Order) -> None:
    submit()
    assert "The balance at at-v2 is too low for this order, which costs 4.50 USD." in explanation(order)
    staff = get_user_model().objects.create_superuser("staff@example.com", "x")
    client = Client()
    client.force_login(staff)
    page = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert "The balance at at-v2 is too low for this order" in page
    page = client.get(reverse("admin:providers_provider_change", args=[Provider.objects.get().pk])).content.decode()
    assert "Orders that cost more than" in page


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"starts_at": timezone.now() + timedelta(days=1)}, "The customer asked for a start at"),
        ({"due_at": timezone.now() + timedelta(hours=1)}, "The next attempt is at"),
        ({"charge": Decimal("0.01")}, "costs more than the customer paid"),
    ],
)
def test_what_the_order_itself_waits_for_is_named(order: Order, change: dict[str, Any], text: str) -> None:
    Order.objects.filter(pk=order.pk).update(**change)
    assert text in explanation(order)


def test_a_pause_is_named_with_its_reason_and_end(panel: Panel, order: Order) -> None:
    panel.fault("add", "error", text="Invalid API key")
    submit()
    assert "at-v2 is paused until" in explanation(order)
    assert "still accepts the API key" in explanation(order)


def test_no_route_is_named(order: Order) -> None:
    Route.objects.all().delete()
    assert "No active route" in explanation(order)


def test_an_offer_that_is_answered_in_unfamiliar_words_is_named(panel: Panel, order: Order) -> None:
    Placement.objects.bulk_create(
        Placement(
            order=buy(order.user, order.service, link=f"https://x.example.com/{number}"),
            provider=Provider.objects.get(),
            offer=Offer.objects.get(routes__service=order.service),
            state="in_doubt",
            quantity=100,
            cost=1,
            currency="USD",
            exchange_rate=1,
            evidence={"said": "Words that nobody knows"},
            in_doubt_at=timezone.now(),
            lease_until=timezone.now(),
        )
        for number in range(2)
    )
    assert "returned an unknown error for its service" in explanation(order)


def test_a_rejection_is_named_for_its_route_and_a_free_route_ends_the_wait(panel: Panel, order: Order) -> None:
    offer = Offer.objects.get(routes__service=order.service)
    Placement.objects.create(
        order=order, provider=offer.provider, offer=offer, state="refused", reason="link", quantity=5000, cost=1,
        currency="USD", exchange_rate=1, lease_until=timezone.now(), ended_at=timezone.now(),
    )  # fmt: skip
    assert "at-v2 rejected this order" in explanation(order)
    other = Offer.objects.exclude(pk=offer.pk).filter(service_type="default")[0]
    Offer.objects.filter(pk=other.pk).update(rate=Decimal("0.01"))
    Route.objects.create(service=order.service, offer=other)
    assert explanation(order) == ""
