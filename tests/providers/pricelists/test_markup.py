"""Markup: the most specific rule applies, prices follow costs, and pinned prices stay."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import PriceChange, Service
from providers.models import Markup, Offer, Provider, Route
from providers.pricelists import importer, markup, onboarding
from tests.providers.pricelists.test_importer import WRITES, rows, with_last

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    """Two services, made of offers that cost 0.90; no rule yet."""
    provider = provider_named("north")
    importer.store(provider, rows(2))
    importer.publish(provider)
    return provider


def provider_named(name: str) -> Provider:
    return onboarding.save_provider(
        name, url="http://127.0.0.1:9009/api/v2", key="k", dialect_name="v2", currency="USD"
    )


def rates() -> list[Decimal]:
    return list(Service.objects.order_by("pk").values_list("rate", flat=True))


# ------------------------------------------------------------------------------------------------ rules
def test_the_most_specific_markup_rule_applies(provider: Provider, settings: Any) -> None:
    first, second = Service.objects.order_by("pk")
    settings.DEFAULT_MARKUP = "10"
    found = [(markup.reprice(), *rates())]
    for percent, target in ((20, {}), (30, {"provider": provider}), (40, {"category": first.category})):
        Markup.objects.create(percent=percent, **target)
        found.append((markup.reprice(), *rates()))
    Markup.objects.create(percent=50, service=second)
    found.append((markup.reprice(), *rates()))
    prices = {percent: Decimal("0.9") * (100 + percent) / 100 for percent in (10, 20, 30, 40, 50)}
    assert found == [(2, prices[at], prices[at]) for at in (10, 20, 30, 40)] + [(1, prices[40], prices[50])]


def test_percent_comes_first_then_the_fixed_amount_in_the_store_currency() -> None:
    rule = markup.Rule(Decimal(50), Decimal("0.25"))
    assert rule.price(Decimal(80), exchange_rate=Decimal("0.0125")) == Decimal("1.75")


def test_a_price_is_never_below_cost_by_rounding() -> None:
    cost, rate = Decimal("0.00000001"), Decimal("0.33333333")
    assert markup.Rule(Decimal(0)).price(cost, exchange_rate=rate) >= cost * rate


def test_a_flat_price_takes_the_fixed_amount_for_each_piece() -> None:
    provider = provider_named("flat")
    Markup.objects.create(provider=provider, percent=0, fixed=Decimal(2))
    importer.store(provider, rows(1, service_type="package", type_name="Package", is_flat=True, rate=Decimal(5)))
    importer.publish(provider)
    assert (rates(), Service.objects.get().is_flat) == ([Decimal(7)], True)


def test_a_markup_given_while_publishing_becomes_the_providers_rule(provider: Provider) -> None:
    importer.publish(provider, markup_percent=Decimal("33.333"))
    rule = Markup.objects.get(provider=provider)
    assert rule.percent == Decimal("33.34"), "rounded up, not down"
    assert rates() == [Decimal("0.9") * Decimal("1.3334")] * 2
    importer.store(provider, rows(2, rate=Decimal(1)))
    assert rates() == [Decimal("1.3334")] * 2, "later imports keep it"
    with pytest.raises(ValidationError):
        markup.set_for(provider, percent=Decimal(10_000_000))


def test_a_new_percent_leaves_the_fixed_amount_of_the_rule(provider: Provider) -> None:
    Markup.objects.create(provider=provider, percent=10, fixed=Decimal(1))
    assert markup.set_for(provider, percent=Decimal(20))
    assert not markup.set_for(provider, percent=Decimal(20))
    assert Markup.objects.get().fixed == 1


# ------------------------------------------------------------------------------------------------ repricing
def test_only_prices_that_change_are_written_each_with_a_line_of_history(provider: Provider) -> None:
    done = importer.store(provider, with_last(rows(2), rate=Decimal(1)))
    assert (done.repriced, rates()) == (1, [Decimal("1.17"), Decimal("1.3")])
    change = PriceChange.objects.get()
    assert (change.old_rate, change.new_rate) == (Decimal("1.17"), Decimal("1.3"))
    with CaptureQueriesContext(connection) as queries:
        assert markup.reprice(provider) == 0
    assert not [query for query in queries if query["sql"].startswith(WRITES)]


def test_a_pinned_price_stays(provider: Provider) -> None:
    Service.objects.update(is_pinned=True)
    importer.store(provider, rows(2, rate=Decimal(1)))
    assert rates() == [Decimal("1.17")] * 2
    assert markup.reprice() == 0


def test_a_price_set_by_hand_stays_until_the_cost_of_its_own_offer_changes(provider: Provider) -> None:
    Service.objects.update(rate=Decimal(5))
    importer.store(provider, with_last(rows(2), rate=Decimal(1)))
    assert rates() == [Decimal(5), Decimal("1.3")]


def test_a_changed_exchange_rate_reprices(provider: Provider) -> None:
    Provider.objects.update(exchange_rate=Decimal(2))
    assert markup.reprice(provider) == 2
    assert rates() == [Decimal("2.34")] * 2


def test_the_price_comes_from_the_first_route_that_is_usable(provider: Provider) -> None:
    other = provider_named("south")
    importer.store(other, rows(1, rate=Decimal(3)))
    service = Service.objects.order_by("pk")[0]
    Route.objects.create(service=service, offer=Offer.objects.get(provider=other), priority=5)
    assert markup.reprice() == 0
    importer.store(provider, [*rows(2)[1:], *rows(3)[2:]], is_short_fine=True)
    importer.store(provider, [*rows(2)[1:], *rows(3)[2:]], is_short_fine=True)
    service.refresh_from_db()
    assert (service.rate, service.is_active) == (Decimal("3.9"), True), (
        "its first offer is gone, the next one costs more"
    )


def test_a_cost_for_other_units_than_the_price_prices_nothing(provider: Provider) -> None:
    Service.objects.update(is_flat=True)
    assert markup.reprice() == 0


def test_repricing_takes_as_many_statements_for_many_services_as_for_few() -> None:
    counts = []
    for size in (20, 400):
        provider = provider_named(f"of-{size}")
        importer.store(provider, rows(size))
        importer.publish(provider)
        Provider.objects.filter(pk=provider.pk).update(exchange_rate=Decimal(2))
        with CaptureQueriesContext(connection) as queries:
            assert markup.reprice(provider) == size
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8
