"""The audit of what submissions cost finds each planted mistake, and nothing in a shop where all is well."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from orders.ledger import audit as ledger_audit
from orders.models import Order, OrderEvent, Service
from providers import audit
from providers.models import Placement
from providers.panels.simulators import Panel
from providers.placing import submission
from tests.providers.conftest import buy, customer, provider_at

pytestmark = pytest.mark.django_db
#: An order that cost 1.00, of which the provider returned 0.40.
SHORT = {"cost": 1, "first_charged": 1, "refunded": Decimal("0.4")}


@pytest.fixture
def placement(start_panel: Callable[..., Panel]) -> Placement:
    """An order that a panel has accepted."""

    provider = provider_at(start_panel("v2"), "v2")
    service = Service.objects.filter(is_flat=False).order_by("pk")[0]
    buy(customer(), service, link=service.link_example or "https://x.example.com/p/1")
    submission.submit_due(provider)
    return Placement.objects.select_related("order").get()


def test_an_order_that_is_placed_leaves_nothing_to_find(placement: Placement) -> None:
    assert list(audit.findings()) == []
    assert list(ledger_audit.findings()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"refunded": 2, "charged": 0, "first_charged": 1}, "returned 2.00, more than the 1.00 that the order cost"),
        ({"refunded": 99, "charged": 0}, "returned 99.00, more than the"),
        (SHORT | {"charged": 1}, "costs 1.00 after the provider's refund, expected 0.60"),
        (SHORT | {"charged": None}, "costs nothing after the provider's refund"),
        ({"cost": 1, "charged": Decimal("10.01")}, "charged 10.01, the cost by its price list was 1.00"),
        ({"cost": 0}, "it cost 0.00, but the provider service costs"),
        ({"state": "refused"}, "a provider accepted it, but no submission has its cost"),
    ],
)  # fmt: skip
def test_each_planted_mistake_is_found(placement: Placement, changes: dict[str, Any], words: str) -> None:
    Placement.objects.filter(pk=placement.pk).update(**changes)
    (found,) = ledger_audit.findings()
    assert words in found
    assert f"order {placement.order_id}" in found


@pytest.mark.parametrize(
    "changes",
    [
        SHORT | {"charged": Decimal("0.6")},
        {"cost": 1, "charged": 10, "first_charged": 10},
        {"cost": 0, "first_charged": 1, "charged": 1},
        {"charged": 0, "first_charged": 1},
    ],
)
def test_costs_that_can_be_true_are_left_alone(placement: Placement, changes: dict[str, Any]) -> None:
    Placement.objects.filter(pk=placement.pk).update(**changes)
    assert list(audit.findings()) == []


def test_a_service_that_is_free_at_the_provider_costs_nothing(placement: Placement) -> None:
    Placement.objects.update(cost=0)
    type(placement.offer).objects.filter(pk=placement.offer_id).update(rate=0)
    assert list(audit.findings()) == []


def test_an_order_that_staff_deliver_needs_no_cost(placement: Placement) -> None:
    Placement.objects.update(state="not_sent")
    OrderEvent.objects.filter(kind="accepted").update(data={})
    Order.objects.update(status="completed")
    assert list(audit.findings()) == []
