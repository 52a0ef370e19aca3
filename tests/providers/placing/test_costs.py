"""Nothing is sold or placed for more than the customer pays."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.buying import checkout
from orders.errors import ServiceNotSold, SoldBelowCost
from orders.models import Account, Order, Service
from providers.models import Offer, Provider, Route
from providers.placing import cost_floor, costs
from providers.pricelists import availability, importer, onboarding
from tests import factories
from tests.providers.conftest import customer
from tests.providers.pricelists.test_importer import rows, with_last

pytestmark = pytest.mark.django_db
INPUTS = {"link": "https://x.example.com/p/1", "quantity": "100"}


@pytest.fixture(autouse=True)
def untold() -> Iterator[None]:
    """Clear what was logged for the operator in another test."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def provider() -> Provider:
    details = {"url": "http://127.0.0.1:9009/api/v2", "dialect_name": "v2", "currency": "RUB"}
    provider = onboarding.save_provider("north", key="k", exchange_rate=Decimal("0.0125"), **details)
    importer.store(provider, rows(2, rate=Decimal(80)))
    importer.publish(provider)
    return provider


def service_of(number: str) -> Service:
    return Service.objects.select_related("category").get(routes__offer__upstream_id=number)


def test_a_service_is_not_sold_below_what_its_cheapest_usable_route_costs(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    user, service = customer(), service_of("2")
    Service.objects.filter(pk=service.pk).update(rate=Decimal("0.99"), is_pinned=True)
    service.refresh_from_db()
    for _ in range(2):
        with pytest.raises(SoldBelowCost) as refusal:
            checkout.place_order(user, service=service, inputs=INPUTS)
    assert isinstance(refusal.value, ServiceNotSold)
    assert not Order.objects.exists()
    assert Account.objects.get(user=user).balance == 100_000
    warnings = [record for record in caplog.records if record.name == "vitrine.orders"]
    assert [(record.levelno, "was not sold" in record.message) for record in warnings] == [(logging.WARNING, True)]


def test_at_cost_it_is_sold_whatever_the_rounding(provider: Provider) -> None:
    user, service = customer(), service_of("2")
    Provider.objects.update(exchange_rate=Decimal("0.01333333"))
    Offer.objects.update(rate=Decimal("0.00000007"))
    Service.objects.update(rate=Decimal("0.00000001"))
    service.refresh_from_db()
    assert checkout.place_order(user, service=service, inputs={**INPUTS, "quantity": "777"}).pk


def test_one_route_that_is_covered_is_enough(provider: Provider) -> None:
    user, service = customer(), service_of("2")
    other = onboarding.save_provider("south", key="k", url="http://127.0.0.1:9009/", dialect_name="v2", currency="USD")
    importer.store(other, rows(1, rate=Decimal("0.5")))
    Route.objects.create(service=service, offer=Offer.objects.get(provider=other), priority=9)
    Service.objects.filter(pk=service.pk).update(rate=Decimal("0.6"))
    service.refresh_from_db()
    assert checkout.place_order(user, service=service, inputs=INPUTS).pk


def test_a_cost_that_waits_for_approval_counts_already(provider: Provider) -> None:
    user, service = customer(), service_of("2")
    importer.store(provider, with_last(rows(2, rate=Decimal(80)), rate=Decimal(101)))
    assert checkout.place_order(user, service=service, inputs=INPUTS).pk, "1.2625 is below the price of 1.30"
    importer.store(provider, with_last(rows(2, rate=Decimal(80)), rate=Decimal(105)))
    with pytest.raises(SoldBelowCost):
        checkout.place_order(user, service=service, inputs=INPUTS)
    availability.approve(Offer.objects.get(upstream_id="2"))
    service.refresh_from_db()
    assert checkout.place_order(user, service=service, inputs=INPUTS).charge == Decimal("0.170625")


def test_a_lower_cost_that_waits_does_not_count_yet(provider: Provider) -> None:
    importer.store(provider, with_last(rows(2, rate=Decimal(80)), rate=Decimal(1)))
    assert cost_floor.cost_of(service_of("2"), quantity=1000) == Decimal(1)


def test_a_service_that_people_deliver_is_sold_at_any_price(provider: Provider) -> None:
    service = factories.service(rate="0.00000001")
    assert cost_floor.cost_of(service, quantity=100) is None
    assert checkout.place_order(customer(), service=service, inputs=INPUTS).pk


def test_a_route_that_cannot_be_used_costs_nothing(provider: Provider) -> None:
    Offer.objects.update(is_available=False)
    assert cost_floor.cost_of(service_of("2"), quantity=100) is None


def test_a_flat_offer_costs_its_rate_for_each_piece(provider: Provider) -> None:
    Offer.objects.update(is_flat=True)
    assert cost_floor.cost_of(service_of("2"), quantity=3) == Decimal(3)


def test_the_cost_is_asked_in_one_statement_however_many_routes(provider: Provider) -> None:
    service = service_of("2")
    Route.objects.create(service=service, offer=Offer.objects.get(upstream_id="1"))
    with CaptureQueriesContext(connection) as queries:
        cost_floor.cost_of(service, quantity=100)
    assert len(queries) == 1


@pytest.mark.parametrize(
    ("rate", "held", "charge", "is_covered"),
    [
        ("80", None, "0.1", True),
        ("80", None, "0.099999", False),
        ("80", "88", "0.109999", False),
        ("80", "88", "0.11", True),
        ("80", "8", "0.099999", False),
    ],
)
def test_an_offer_is_bought_only_if_the_orders_charge_pays_for_it(
    provider: Provider, rate: str, held: str | None, charge: str, is_covered: bool
) -> None:
    offer: Any = Offer.objects.select_related("provider")[0]
    offer.rate, offer.pending_rate = Decimal(rate), None if held is None else Decimal(held)
    assert costs.covers(Decimal(charge), offer, quantity=100) is is_covered
