"""Price lists: what is read, what is kept, and that a bad answer never empties the shop."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from orders.models import Category, Service
from providers import onboarding, pricelist
from providers.dialect import Listed
from providers.errors import PanelError
from providers.models import Offer, Provider, Route
from providers.simulators import Panel
from tests.providers.conftest import provider_at

pytestmark = pytest.mark.django_db


def rows(count: int, **changes: Any) -> list[Listed]:
    details: dict[str, Any] = {
        "name": "Followers",
        "category": "Photo",
        "type_name": "Default",
        "kind": "default",
        "rate": Decimal("0.9"),
        "is_flat": False,
        "min_quantity": 10,
        "max_quantity": 1000,
        "has_refill": False,
        "has_cancel": False,
        "has_dripfeed": False,
        **changes,
    }
    return [Listed(upstream_id=str(number), **details) for number in range(1, count + 1)]


@pytest.fixture
def provider() -> Provider:
    details = {"url": "http://127.0.0.1:9009/api/v2", "dialect": "v2", "currency": "RUB"}
    return onboarding.save_provider("north", key="k", exchange_rate=Decimal("0.0125"), **details)


def test_a_second_import_of_the_same_list_writes_nothing(provider: Provider) -> None:
    assert pricelist.store(provider, rows(50)).added == 50
    again = pricelist.store(provider, rows(50))
    assert (again.added, again.changed, again.unchanged, again.missing) == (0, 0, 50, 0)


def test_only_what_changed_is_written(provider: Provider) -> None:
    pricelist.store(provider, rows(50))
    changed = rows(50)[:49] + rows(50, rate=Decimal("1.1"))[49:]
    done = pricelist.store(provider, changed)
    assert (done.changed, done.unchanged) == (1, 49)
    assert Offer.objects.get(upstream_id="50").rate == Decimal("1.1")


@pytest.mark.parametrize("count", [0, 1, 39])
def test_an_empty_or_short_list_changes_nothing(provider: Provider, count: int) -> None:
    pricelist.store(provider, rows(50))
    with pytest.raises(pricelist.ListTooShort, match="nothing was changed"):
        pricelist.store(provider, rows(count))
    assert Offer.objects.filter(is_available=True, missed=0).count() == 50


def test_an_offer_goes_off_sale_when_it_is_missing_twice(provider: Provider) -> None:
    pricelist.store(provider, rows(50))
    pricelist.store(provider, rows(49))
    assert Offer.objects.get(upstream_id="50").is_available
    pricelist.store(provider, rows(49))
    assert not Offer.objects.get(upstream_id="50").is_available


def test_publishing_sells_at_cost_in_our_currency_plus_the_markup(provider: Provider) -> None:
    pricelist.store(provider, rows(3, rate=Decimal(1890)))
    assert pricelist.publish(provider, markup_percent=Decimal(30)) == 3
    service = Service.objects.all()[0]
    assert service.rate == Decimal(1890) * Decimal("0.0125") * Decimal("1.3")
    assert (Category.objects.count(), Route.objects.count()) == (1, 3)


def test_publishing_again_adds_only_what_is_new(provider: Provider) -> None:
    pricelist.store(provider, rows(3))
    pricelist.publish(provider, markup_percent=Decimal(30))
    pricelist.store(provider, rows(5))
    assert pricelist.publish(provider, markup_percent=Decimal(30)) == 2
    assert Service.objects.count() == 5


def test_rows_that_cannot_be_sold_are_kept_with_the_reason_and_not_published(provider: Provider) -> None:
    done = pricelist.store(provider, rows(2, problem="unknown type 'x'", kind=""))
    assert len(done.unsellable) == 2
    assert pricelist.publish(provider, markup_percent=Decimal(30)) == 0
    assert Offer.objects.filter(problem="unknown type 'x'").count() == 2


@pytest.mark.parametrize("kind", ["html", "empty", "list", "http_500", "truncated", "reset_after"])
def test_a_broken_list_changes_nothing(kind: str, start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("v2")
    provider = provider_at(panel, "v2")
    before = list(Offer.objects.values())
    panel.fault("services", kind)
    with pytest.raises(PanelError):
        pricelist.import_offers(provider)
    assert list(Offer.objects.values()) == before
