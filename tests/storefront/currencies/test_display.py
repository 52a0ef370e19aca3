"""Display currencies: shown next to exact amounts where customers decide, never booked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format

from orders.models import Account, Order, Transfer
from storefront.accounts.models import User
from storefront.currencies import display
from storefront.currencies.models import Currency, RateSource
from storefront.demo import seed
from tests import factories
from tests.storefront.conftest import cache_empty_site_notices
from tests.storefront.payments import payments

PROFILE = "/account/profile/"
LIST = "/admin/currencies/currency/"


@pytest.fixture(autouse=True)
def fresh(db: None, settings: Any) -> Iterator[None]:
    settings.ORDERS_WAKE = "tests.orders.alarm.ring"
    settings.STORE_CURRENCY = "USD"
    cache.clear()
    cache_empty_site_notices()
    display.clear_cache()
    yield
    cache.clear()


@pytest.fixture
def euro() -> Currency:
    return Currency.objects.create(code="EUR", rate=Decimal("0.92"))


@pytest.fixture
def nadia(euro: Currency) -> User:
    return factories.customer("100", currency="EUR")


def text_of(answer: Any) -> str:
    return unescape(answer.content.decode())


def approx(text: str) -> str:
    return f'<small class="approx">≈ <bdi>{text}</bdi></small>'


# ------------------------------------------------------------------------------------------------ what operators keep


@pytest.mark.parametrize(
    ("code", "rate", "problem"),
    [
        ("ABC", "1", "not a currency code"),
        ("eur", "1", "not a currency code"),
        ("USD", "1", "store currency, which is always shown"),
        ("EUR", "0", "greater than or equal to 1E-8"),
        ("EUR", "-0.5", "greater than or equal to 1E-8"),
        ("EUR", "NaN", "not a number"),
    ],
)
def test_only_known_currencies_with_positive_rates_are_valid(code: str, rate: str, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Currency(code=code, rate=rate).full_clean()


def test_the_database_rejects_a_rate_of_zero() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Currency.objects.create(code="EUR", rate=Decimal(0))


def test_rates_are_exact() -> None:
    Currency.objects.create(code="EUR", rate=Decimal("0.92345678"))
    Currency.objects.create(code="IRR", rate=Decimal("42105.1"))
    assert [str(rate.normalize()) for rate in Currency.objects.values_list("rate", flat=True)] == [
        "0.92345678",
        "42105.1",
    ]


def test_an_operator_can_add_change_and_deactivate_a_currency(
    admin_client: Client, page: Client, nadia: User, django_capture_on_commit_callbacks: Any
) -> None:
    def save(path: str, **fields: str) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            assert admin_client.post(path, fields).status_code == 302, path

    assert approx("€92.00") in text_of(page.get("/wallet/"))
    save(f"{LIST}add/", code="try", rate="41.67", margin="0", is_active="on")
    lira = Currency.objects.get(code="TRY")
    User.objects.filter(pk=nadia.pk).update(currency="TRY")
    assert approx("TRY4,167.00") in text_of(page.get("/wallet/"))
    # The code is read-only, so what the form sends for it is ignored.
    save(f"{LIST}{lira.pk}/change/", code="JPY", rate="40", margin="0", is_active="on")
    assert approx("TRY4,000.00") in text_of(page.get("/wallet/"))
    save(f"{LIST}{lira.pk}/change/", rate="40", margin="0")
    assert "approx" not in text_of(page.get("/wallet/"))
    save(f"{LIST}{lira.pk}/change/", rate="50", margin="0", is_active="on")
    assert approx("TRY5,000.00") in text_of(page.get("/wallet/"))
    save(f"{LIST}{lira.pk}/delete/", post="yes")
    assert "approx" not in text_of(page.get("/wallet/"))


def test_rates_can_be_edited_in_the_list(
    admin_client: Client, page: Client, euro: Currency, django_capture_on_commit_callbacks: Any
) -> None:
    page.get("/wallet/")
    assert 'name="form-0-rate" value="0.92"' in text_of(admin_client.get(LIST))
    form = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(euro.pk), "_save": "Save"}
    with django_capture_on_commit_callbacks(execute=True):
        answer = admin_client.post(LIST, {**form, "form-0-rate": "0.5", "form-0-margin": "0", "form-0-is_active": "on"})
    assert answer.status_code == 302
    assert approx("€50.00") in text_of(page.get("/wallet/"))


def test_an_invalid_currency_shows_an_error(admin_client: Client) -> None:
    answer = admin_client.post(f"{LIST}add/", {"code": "ABC", "rate": "0", "margin": "0", "is_active": "on"})
    assert "not a currency code" in text_of(answer)
    assert not Currency.objects.exists()


def test_other_processes_show_a_change_within_half_a_minute(time_machine_now: Any, page: Client) -> None:
    assert approx("€92.00") in text_of(page.get("/wallet/"))
    Currency.objects.update(is_active=False)  # as another process does, which cannot reach this one's cache
    time_machine_now(display.CACHE_SECONDS + 1)
    cache_empty_site_notices()
    assert "approx" not in text_of(page.get("/wallet/"))


@pytest.fixture
def time_machine_now() -> Iterator[Any]:
    with time_machine.travel(time.time(), tick=True) as traveller:
        yield lambda seconds: traveller.shift(seconds)


# ------------------------------------------------------------------------------------------------ who sees what


def test_without_currencies_nothing_is_shown() -> None:
    client = Client()
    client.force_login(factories.customer("100"))
    assert 'name="currency"' not in text_of(client.get(PROFILE))
    for path in ("/", "/services/", "/wallet/", "/wallet/add-funds/"):
        assert "≈" not in text_of(client.get(path)), path
    client.post(PROFILE, {"name": "Nadia", "currency": "EUR"})
    assert User.objects.get().currency == ""


def test_customers_without_a_choice_and_visitors_see_none(euro: Currency) -> None:
    service = factories.service()
    client = Client()
    for path in ("/", "/services/", f"/services/{service.pk}/"):
        assert "≈" not in text_of(client.get(path)), path
    client.force_login(factories.customer("100"))
    for path in ("/", "/services/", f"/services/{service.pk}/", "/wallet/"):
        assert "≈" not in text_of(client.get(path)), path


def test_a_customer_can_choose_an_active_currency(page: Client, nadia: User) -> None:
    Currency.objects.create(code="TRY", rate=Decimal(41))
    Currency.objects.create(code="RUB", rate=Decimal(80), is_active=False)
    cache.delete(display._NAME)
    shown = text_of(page.get(PROFILE))
    assert '<option value="EUR" selected>Euro (EUR)</option>' in shown
    assert '<option value="TRY">Turkish Lira (TRY)</option>' in shown
    assert "RUB" not in shown
    assert page.post(PROFILE, {"name": "Nadia", "currency": "TRY"}).status_code == 302
    nadia.refresh_from_db()
    assert nadia.currency == "TRY"
    for wrong in ("RUB", "USD", "XYZ"):
        assert page.post(PROFILE, {"name": "Nadia", "currency": wrong}).status_code == 200
    nadia.refresh_from_db()
    assert nadia.currency == "TRY"
    page.post(PROFILE, {"name": "Nadia", "currency": ""})
    assert "≈" not in text_of(page.get("/wallet/"))


def test_the_choice_ends_with_the_request(page: Client) -> None:
    page.get("/wallet/")
    assert display.current() is None


def test_staff_see_the_customers_currency(admin_client: Client, nadia: User) -> None:
    shown = text_of(admin_client.get(f"/admin/accounts/user/{nadia.pk}/change/"))
    assert "Display currency" in shown
    assert '<div class="readonly">EUR</div>' in shown


# ------------------------------------------------------------------------------------------------ where it is shown


def test_prices_and_balances_show_both_amounts(page: Client, settings: Any) -> None:
    settings.DEMO_GATEWAY, settings.DEMO_GATEWAY_SECRET = True, "for-the-tests-only"
    payments.demo_method()
    service = factories.service(rate="0.90", min_quantity=500, name="Lamps")
    rate, least, balance = "€0.83", "€0.41", "€92.00"
    for path, amounts in {
        "/services/": [rate, balance],
        f"/services/{service.pk}/": [rate, least],
        "/orders/new/?q=Lamp": [rate],
        f"/orders/new/?service={service.pk}": [rate, least, balance, "€91.59"],
        "/wallet/": [balance],
        "/wallet/add-funds/": [balance, "€9.20", "€23.00"],
    }.items():
        shown = text_of(page.get(path))
        for amount in amounts:
            assert approx(amount) in shown, (path, amount)
    shown = text_of(page.get("/services/"))
    assert "<strong><bdi>$0.90</bdi></strong>" in shown
    assert "Amounts marked ≈ are estimates: 1 USD = 0.92 EUR." in shown


def test_the_order_price_shows_both_amounts(page: Client) -> None:
    service = factories.service(rate="0.90")
    data = {"service": service.pk, "link": "https://example.com/p", "quantity": "10000"}
    shown = text_of(page.post("/orders/price/", data, headers={"HX-Request": "true"}))
    assert "<bdi>$9.00</bdi>" in shown
    assert approx("€8.28") in shown


def test_mass_orders_show_both_amounts(page: Client) -> None:
    service = factories.service(rate="0.90")
    shown = text_of(page.post("/orders/mass/", {"text": f"{service.pk} | https://example.com/p | 10000"}))
    assert approx("€8.28") in shown
    assert approx("€83.72") in shown


def test_transactions_and_orders_stay_in_the_store_currency(page: Client, nadia: User) -> None:
    order = factories.order(nadia)
    rows = text_of(page.get("/wallet/")).partition("<tbody>")[2].partition("</tbody>")[0]
    assert "$0.09" in rows
    assert "≈" not in rows
    assert "≈" not in text_of(page.get("/orders/")).partition("<main")[2].partition("</main>")[0]
    assert "≈" not in text_of(page.get(f"/orders/{order.pk}/")).partition("<main")[2].partition("</main>")[0]


def test_orders_are_charged_in_the_store_currency(page: Client, nadia: User) -> None:
    order = factories.order(nadia)
    assert Order.objects.get().charge == Decimal("0.09")
    assert Account.objects.get(user=nadia).currency == "USD"
    assert Account.objects.get(user=nadia).balance == Decimal("99.91")
    assert Transfer.objects.get(reference=f"charge:{order.pk}").amount == Decimal("0.09")


def test_a_small_amount_is_never_shown_as_zero(page: Client, euro: Currency) -> None:
    tiny = factories.service(rate="0.0009", min_quantity=1)
    shown = text_of(page.get(f"/services/{tiny.pk}/"))
    assert approx("€0.00083") in shown
    assert approx("€0.00000092") in shown  # the least charge, a millionth
    Currency.objects.update(rate=Decimal("0.00000001"))
    cache.delete(display._NAME)
    assert approx("€0.000000000009") in text_of(page.get(f"/services/{tiny.pk}/"))


def test_currencies_without_decimals_show_none(page: Client, nadia: User) -> None:
    Currency.objects.create(code="JPY", rate=Decimal("151.23"))
    User.objects.filter(pk=nadia.pk).update(currency="JPY")
    shown = text_of(page.get("/wallet/"))
    assert approx("¥15,123") in shown


def test_zero_is_zero_in_every_currency(euro: Currency) -> None:
    client = Client()
    client.force_login(factories.customer("0", currency="EUR"))
    assert '<small class="approx">' not in text_of(client.get("/wallet/"))


def test_a_display_currency_needs_no_extra_query(page: Client, nadia: User) -> None:
    for _number in range(5):
        factories.service()

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            page.get("/services/")
        return len(queries)

    page.get("/services/")
    with_it = count()
    User.objects.filter(pk=nadia.pk).update(currency="")
    assert with_it == count()
    # Even with an empty cache, the whole page needs one query.
    User.objects.filter(pk=nadia.pk).update(currency="EUR")
    cache.delete(display._NAME)
    assert count() == with_it + 1


@pytest.mark.parametrize(
    ("language", "text"),
    [("ru", "92,00\N{NO-BREAK SPACE}€"), ("tr", "€92,00"), ("ar", "\u206692.00\N{NO-BREAK SPACE}€\u2069")],
)
def test_amounts_follow_the_readers_language(language: str, text: str, page: Client, nadia: User) -> None:
    User.objects.filter(pk=nadia.pk).update(language=language)
    assert approx(text) in text_of(page.get("/wallet/"))


def test_currency_names_follow_the_readers_language(page: Client, nadia: User) -> None:
    User.objects.filter(pk=nadia.pk).update(language="ar")
    assert ">يورو (EUR)</option>" in text_of(page.get(PROFILE))


def test_amounts_include_the_margin(page: Client, euro: Currency) -> None:
    Currency.objects.update(margin=Decimal("2.5"))
    assert approx("€94.30") in text_of(page.get("/wallet/"))
    assert "1 USD = 0.943 EUR." in text_of(page.get("/wallet/"))


def test_an_outdated_rate_is_still_shown_and_marked(page: Client, euro: Currency) -> None:
    source = RateSource.objects.create(name="Rates", url="https://rates.example/", stale_after=48)
    now = timezone.now()
    Currency.objects.update(source=source, confirmed_at=now - timedelta(hours=47))
    assert "out of date" not in text_of(page.get("/wallet/"))
    Currency.objects.update(confirmed_at=now - timedelta(hours=49))
    display.clear_cache()
    shown = text_of(page.get("/wallet/"))
    assert approx("€92.00") in shown
    day = date_format(now - timedelta(hours=49), "DATE_FORMAT")
    assert f"The rate is out of date: it was last updated on {day}." in shown


def test_a_currency_without_a_rate_cannot_be_chosen(page: Client) -> None:
    Currency.objects.create(code="JPY", rate=None)
    assert "JPY" not in text_of(page.get(PROFILE))


# ------------------------------------------------------------------------------------------------ the demo


def test_the_demo_creates_three_currencies_once() -> None:
    seed._currencies()
    assert set(Currency.objects.values_list("code", flat=True)) == {"EUR", "RUB", "TRY"}
    Currency.objects.filter(code="EUR").update(rate=Decimal("0.9"))
    Currency.objects.filter(code="TRY").delete()
    seed._currencies()
    assert dict(Currency.objects.values_list("code", "rate")) == {"EUR": Decimal("0.9"), "RUB": Decimal(80)}
