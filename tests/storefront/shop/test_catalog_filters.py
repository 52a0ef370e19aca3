"""Searching and filtering the catalog: live, by price, and with 10,000 services."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from orders.ledger import transfers
from orders.models import Account, CustomerRate, PriceLevel, Service
from storefront.accounts.models import User
from storefront.shop import favorites
from tests import factories
from tests.storefront.shop.forms import text_of

FOUND = "/services/found/"


def names(response: Any) -> list[str]:
    return [service.name for service in response.context["results"].page.object_list]


def found_names(client: Client, **asked: Any) -> list[str]:
    return sorted(names(client.get("/services/", asked)))


def create_services(*rates: str, **details: Any) -> None:
    for rate in rates:
        factories.service(name=rate, rate=rate, **details)


# ------------------------------------------------------------------------------------------------ search
def test_words_are_found_in_names_categories_and_descriptions(client: Client) -> None:
    lamps = factories.category(name="Lamps of brass")
    factories.service(name="Small", category=lamps)
    factories.service(name="Large", description="Made of brass as well")
    factories.service(name="Brass bell")
    factories.service(name="Wood")
    assert found_names(client, q="brass") == ["Brass bell", "Large", "Small"]
    assert found_names(client, q="brass small") == ["Small"]


def test_live_results_match_the_full_page(page: Client) -> None:
    factories.service(name="Lamps", has_refill=True)
    factories.service(name="Chairs", has_refill=True)
    query = {"q": "lamps", "refill": "1", "sort": "price", "type": "", "from": "", "to": ""}
    live, whole = page.get(FOUND, query), page.get("/services/", query)
    assert names(live) == names(whole) == ["Lamps"]
    text = live.content.decode()
    assert "<html" not in text
    assert 'id="categories" hx-swap-oob="true"' in text
    assert "1 service found" in text
    assert "no-store" in live.headers["Cache-Control"]


def test_links_in_live_results_lead_to_the_full_page(client: Client) -> None:
    category = factories.category()
    Service.objects.bulk_create(
        Service(category=category, name=f"Lamp {n}", rate=Decimal(1), max_quantity=10) for n in range(60)
    )
    text = text_of(client.get(FOUND, {"q": "lamp"}))
    assert 'href="?q=lamp&page=2"' in text


@pytest.mark.parametrize("address", ["/services/", FOUND, "/orders/new/"])
@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 }}", "' OR 1=1"])
def test_search_texts_are_escaped(text: str, address: str, page: Client) -> None:
    factories.service()
    for name in ("q", "from", "to"):
        shown = page.get(address, {name: text}).content.decode()
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
        assert '"><img' not in shown


@pytest.mark.parametrize("text", ["%", "_", "\\", "a" * 5000, "\x00", "٣", "²", "1 " * 100, "🜂"])
def test_an_unusual_search_is_no_error(text: str, client: Client) -> None:
    factories.service(name="Plain")
    assert client.get(FOUND, {"q": text}).status_code == 200


# ------------------------------------------------------------------------------------------------ price
def test_the_price_filter_includes_its_bounds(client: Client) -> None:
    create_services("0.99", "1", "1.5", "2", "2.00000001")
    assert found_names(client, **{"from": "1", "to": "2"}) == ["1", "1.5", "2"]
    assert found_names(client, to="0.99") == ["0.99"]
    assert found_names(client, **{"from": "2.00000001"}) == ["2.00000001"]


def test_the_price_filter_ignores_flat_prices(client: Client) -> None:
    create_services("1.5")
    create_services("1.6", is_flat=True)
    assert found_names(client, **{"from": "1"}) == ["1.5"]
    assert found_names(client) == ["1.5", "1.6"]


@pytest.mark.parametrize("discount", ["0", "2.5", "33.33", "99.99", "100"])
def test_the_price_filter_finds_what_the_page_shows_within_the_bounds(discount: str, page: Client, nadia: User) -> None:
    level = PriceLevel.objects.create(name="Level", discount=Decimal(discount))
    transfers.set_price_level(Account.objects.get(user=nadia), level=level, is_pinned=True)
    create_services(
        "0", "0.00000001", "0.00000003", "0.5", "0.99999999", "1", "1.02564102", "1.02564103", "1.5", "92233720368"
    )
    CustomerRate.objects.create(user=nadia, service=Service.objects.get(name="1.5"), rate=Decimal(1))
    response = page.get("/services/")
    pricing = response.context["pricing"]
    shown = {service.name: pricing.rate(service) for service in response.context["results"].page.object_list}
    assert len(shown) == 10
    for bound in {*shown.values(), Decimal(1), Decimal("0.00000002")}:
        text = f"{bound:f}"
        assert found_names(page, to=text) == sorted(name for name, rate in shown.items() if rate <= bound), text
        assert found_names(page, **{"from": text}) == sorted(name for name, rate in shown.items() if rate >= bound), (
            text
        )


@pytest.mark.parametrize(
    "text",
    ["-1", "-0.5", "nan", "inf", "1e400", "1e5", "abc", "1.2.3", "1,000.50", "1" * 30, "\x00", "½", "<b>", "--", "+"],
)
def test_invalid_prices_are_ignored_with_an_error(text: str, client: Client) -> None:
    create_services("1", "2")
    for name in ("from", "to"):
        response = client.get("/services/", {name: text})
        assert sorted(names(response)) == ["1", "2"]
        assert "isn't a valid price" in text_of(response)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,5", ["2"]),
        ("١٫٥", ["2"]),
        (" 1.5 ", ["2"]),
        ("9" * 20, []),
        ("0." + "0" * 23 + "1", ["1", "2"]),
        ("", ["1", "2"]),
    ],
)
def test_prices_are_read_as_people_write_them(text: str, expected: list[str], client: Client) -> None:
    create_services("1", "2")
    assert found_names(client, **{"from": text}) == expected


def test_a_minimum_above_the_maximum_finds_nothing(client: Client) -> None:
    create_services("1", "2")
    text = text_of(client.get("/services/", {"from": "5", "to": "1"}))
    assert "1 filter applied" in text
    assert "Clear filters" in text


# ------------------------------------------------------------------------------------------------ other filters, order
def test_the_drip_feed_filter_finds_types_that_support_it(client: Client) -> None:
    factories.service(name="With", has_dripfeed=True)
    factories.service(name="Without")
    factories.service(name="A poll", service_type="subscriptions", has_dripfeed=True)
    shown = client.get("/services/", {"dripfeed": "1"}).context["results"].page.object_list
    assert [service.name for service in shown if not service.has_runs] == []
    assert "With" in [service.name for service in shown]


def test_sorting_by_price_uses_the_customers_prices(page: Client, nadia: User) -> None:
    level = PriceLevel.objects.create(name="Level", discount=Decimal(10))
    transfers.set_price_level(Account.objects.get(user=nadia), level=level, is_pinned=True)
    create_services("1", "2", "3")
    CustomerRate.objects.create(user=nadia, service=Service.objects.get(name="3"), rate=Decimal("1.5"))
    CustomerRate.objects.create(user=nadia, service=Service.objects.get(name="1"), rate=Decimal("1.9"))
    assert names(page.get("/services/?sort=price")) == ["3", "2", "1"]
    assert names(page.get("/services/?sort=-price")) == ["1", "2", "3"]
    assert names(page.get("/services/?sort=new")) == ["3", "2", "1"]


# ------------------------------------------------------------------------------------------------ 10,000 services
@pytest.fixture
def large_catalog(nadia: User) -> None:
    categories = [factories.category() for _number in range(40)]
    made = Service.objects.bulk_create(
        Service(
            category=categories[n % 40],
            name=f"Followers {n}",
            description=f"Steady pace, from anywhere {n}",
            rate=Decimal(n + 1) / 100,
            max_quantity=1000,
            has_refill=n % 3 == 0,
        )
        for n in range(10_000)
    )
    CustomerRate.objects.bulk_create(
        CustomerRate(user=nadia, service=service, rate=Decimal("0.5")) for service in made[::20]
    )
    favorites.set_favorite(nadia, service=made[0], is_on=True)
    level = PriceLevel.objects.create(name="Level", discount=Decimal("2.5"))
    transfers.set_price_level(Account.objects.get(user=nadia), level=level, is_pinned=True)


@pytest.mark.usefixtures("large_catalog")
def test_ten_thousand_services_and_500_custom_rates_take_five_queries(
    page: Client, nadia: User, django_assert_max_num_queries
) -> None:
    assert CustomerRate.objects.filter(user=nadia).count() == 500
    page.get("/services/")
    filters = (
        {},
        {"q": "followers 99"},
        {"q": "zzz"},
        {"from": "0.4", "to": "30", "sort": "price"},
        {"sort": "-price", "refill": "1", "page": "40"},
        {"sort": "fast"},
        {"favorites": "1"},
        {"category": str(Service.objects.all()[0].category_id)},
    )
    for query in filters:
        for address in ("/services/", FOUND):
            started = time.monotonic()
            with django_assert_max_num_queries(5):
                assert page.get(f"{address}?{urlencode(query)}").status_code == 200
            assert time.monotonic() - started < 5, query
    service = CustomerRate.objects.filter(user=nadia)[0].service
    with django_assert_max_num_queries(5):
        page.get(f"/services/{service.pk}/")
    with django_assert_max_num_queries(5):
        page.get("/orders/new/", {"service": service.pk})
    with django_assert_max_num_queries(5):
        page.get("/orders/new/", {"q": "followers"})
