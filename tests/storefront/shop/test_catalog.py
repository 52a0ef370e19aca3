"""The catalog and the landing page: search, filters, and a constant number of queries."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.cache import cache
from django.test import Client

from orders.lifecycle import fulfillment
from orders.models import Category, Service
from orders.rules.state_machine import Progress, Status
from tests import factories


def create_category(count: int, **details) -> Category:
    category = factories.category()
    Service.objects.bulk_create(
        Service(category=category, name=f"Followers {n}", rate=Decimal("0.9"), max_quantity=1000, position=n, **details)
        for n in range(count)
    )
    return category


@pytest.mark.parametrize("count", [50, 500])
@pytest.mark.parametrize("address", ["/", "/services/", "/services/?q=followers", "/services/?sort=price"])
def test_the_catalog_takes_the_same_queries_for_any_size(
    count: int, address: str, client: Client, django_assert_num_queries
) -> None:
    create_category(count)
    create_category(count)
    client.get(address)  # fills the cache of the landing page
    with django_assert_num_queries(1 if address == "/" else 2):
        assert client.get(address).status_code == 200


def test_the_catalog_of_a_customer_takes_at_most_six_queries(page: Client, django_assert_max_num_queries) -> None:
    create_category(60)
    with django_assert_max_num_queries(6):
        page.get("/services/")


def test_every_word_of_a_search_must_match(client: Client) -> None:
    factories.service(name="Photo followers, steady")
    factories.service(name="Photo likes, quick")
    text = client.get("/services/?q=followers photo").content.decode()
    assert "Photo followers, steady" in text
    assert "Photo likes" not in text


def test_an_id_finds_its_service(client: Client) -> None:
    service = factories.service(name="The one")
    factories.service(name="Another")
    text = client.get(f"/services/?q={service.pk}").content.decode()
    assert "The one" in text
    assert "Another" not in text


def test_filters_narrow_the_list_and_are_counted(client: Client) -> None:
    factories.service(name="With refill", has_refill=True)
    factories.service(name="Poll here", service_type="poll")
    assert "Poll here" not in client.get("/services/?refill=1").content.decode()
    assert "With refill" not in client.get("/services/?type=poll").content.decode()
    text = client.get("/services/?type=poll&refill=1").content.decode()
    assert "2 filters applied" in text


def test_a_page_of_the_catalog_has_fifty_services(client: Client) -> None:
    category = create_category(60)
    text = client.get(f"/services/?category={category.pk}").content.decode()
    assert text.count('<th scope="row"') == 50
    assert "1–50" in text
    assert client.get(f"/services/?category={category.pk}&page=2").content.decode().count('<th scope="row"') == 10
    assert client.get("/services/?page=99999").status_code == 200


def test_live_search_updates_the_address_of_the_page(client: Client) -> None:
    def replaced_url(query: str) -> str:
        return client.get(f"/services/found/?{query}", headers={"hx-request": "true"}).headers["HX-Replace-Url"]

    assert replaced_url("q=&type=&category=") == "/services/"
    assert replaced_url("q=a%26b+c&type=&refill=1") == "/services/?q=a%26b+c&refill=1"
    header = replaced_url("q=%0d%0aX-Evil:1%D1%8F")
    assert header == "/services/?q=%0D%0AX-Evil%3A1%D1%8F"


@pytest.mark.parametrize("query", ["q=%00", "category=9999999999999999999999", "category=²", "page=-1", "type=<x>"])
def test_an_invalid_query_is_no_error(client: Client, query: str) -> None:
    factories.service()
    assert client.get(f"/services/?{query}").status_code == 200


def test_services_off_sale_are_not_shown(client: Client) -> None:
    gone = factories.service(name="Gone", is_active=False)
    closed = factories.service(name="Closed", category=factories.category(is_active=False))
    text = client.get("/services/").content.decode()
    assert "Gone" not in text
    assert "Closed" not in text
    assert client.get(f"/services/{gone.pk}/").status_code == 404
    assert client.get(f"/services/{closed.pk}/").status_code == 404
    assert client.get("/services/99999999999999999999999/").status_code == 404


def test_names_and_descriptions_are_escaped(client: Client) -> None:
    service = factories.service(name="<img src=x>", description="<script>alert(1)</script>")
    for address in ("/services/", f"/services/{service.pk}/", "/"):
        text = client.get(address).content.decode()
        assert "<img src=x>" not in text
        assert "<script>alert" not in text


def test_a_small_price_is_not_rounded_to_zero(client: Client) -> None:
    service = factories.service(rate="0.00105")
    assert "$0.00105" in client.get(f"/services/{service.pk}/").content.decode()


def test_the_landing_page_shows_counts_only_after_a_delivery(client: Client) -> None:
    assert "Last 24 hours" not in client.get("/").content.decode()
    factories.order(status="pending")
    done = factories.order(status="pending")
    fulfillment.apply_progress(done.pk, progress=Progress(status=Status.COMPLETED))
    cache.clear()
    text = client.get("/").content.decode()
    assert "Last 24 hours" in text
    assert "100%" in text


def test_pages_have_the_visitors_language_and_direction(client: Client) -> None:
    factories.service(rate="1234.5")
    text = client.get("/services/", headers={"accept-language": "ar"}).content.decode()
    assert '<html lang="ar" dir="rtl">' in text
    text = client.get("/services/", headers={"accept-language": "ru"}).content.decode()
    assert '<html lang="ru" dir="ltr">' in text
    assert "1\xa0234,50" in text
