"""Rules for every page: security headers, error pages, and amounts in the reader's language."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

from storefront.shop.templatetags import vitrine
from storefront.web import formats
from tests import factories
from tests.storefront.shop.forms import text_of


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("4.6", "$4.60"),
        ("4.600000", "$4.60"),
        ("0", "$0.00"),
        ("0.001050", "$0.00105"),
        ("0.000001", "$0.000001"),
        ("1234567.891", "$1,234,567.891"),
        ("-4.6", "−$4.60"),
    ],
)
def test_amounts_are_never_rounded(amount: str, shown: str) -> None:
    assert formats.money(Decimal(amount)) == shown


@pytest.mark.parametrize(("language", "shown"), [("ru", "1\xa0234,50\xa0$"), ("tr", "$1.234,50"), ("en", "$1,234.50")])
def test_amounts_are_formatted_for_the_readers_language(language: str, shown: str) -> None:
    with translation.override(language):
        assert formats.money(Decimal("1234.5")) == shown


def test_an_amount_is_isolated_in_right_to_left_text() -> None:
    with translation.override("ar"):
        assert formats.money(Decimal("-4.5")) == "\u2066−4.50\xa0US$\u2069"


def test_a_currency_without_decimals_shows_none(settings) -> None:
    settings.STORE_CURRENCY = "JPY"
    assert formats.money(Decimal(500)) == "¥500"


def test_the_balance_in_the_header_is_never_rounded_up() -> None:
    assert vitrine.short_money(Decimal("4.999999")) == "<bdi>$4.99</bdi>"
    assert vitrine.short_money(Decimal("0.000011")) == "<bdi>$0.000011</bdi>"


@pytest.mark.parametrize(
    "address", ["/", "/services/", "/orders/", "/orders/new/", "/wallet/", "/account/keys/", "/nothing/"]
)
def test_pages_load_nothing_from_other_sites(address: str, page: Client) -> None:
    response = page.get(address)
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    text = text_of(response)
    assert "data:" not in text
    assert "http://" not in text.replace("http://testserver", "")
    assert "https://" not in text


@pytest.mark.parametrize("address", ["/services/", "/orders/", "/orders/export.csv", "/wallet/", "/support/", "/api/"])
def test_pages_are_not_cached_for_other_customers(address: str, page: Client, client: Client) -> None:
    response = page.get(address)
    assert "private" in response.headers["Cache-Control"]
    assert "no-cache" in response.headers["Cache-Control"]
    assert "Cookie" in response.headers["Vary"]
    assert "Cookie" in client.get(address).headers["Vary"], "a visitor's page must not be shown to a signed-in customer"


def test_error_pages_use_the_style_sheet_and_need_no_context() -> None:
    for name in ("400.html", "403.html", "403_csrf.html", "429.html", "500.html"):
        assert "vitrine.css" in render_to_string(name)


def test_the_404_page_offers_the_search(client: Client) -> None:
    response = client.get("/nothing/")
    assert response.status_code == 404
    assert 'action="/services/"' in text_of(response)


def test_the_500_page_needs_no_database(
    client: Client, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries
) -> None:
    def broken(*_args: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("storefront.shop.catalog.find_services", broken)
    client.raise_request_exception = False
    with django_assert_num_queries(0):
        response = client.get("/services/")
    assert response.status_code == 500
    assert "Something went wrong on our end" in text_of(response)


def test_the_style_page_is_only_for_staff(client: Client) -> None:
    assert client.get("/style/").status_code == 404
    client.force_login(factories.user(is_staff=True))
    assert client.get("/style/").status_code == 200


def test_the_balance_is_read_once_per_page(page: Client, django_assert_num_queries) -> None:
    with django_assert_num_queries(5):  # session, customer, wallet; the page's own two
        page.get("/api/")
