"""Currencies, rates and their sources in the back office."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from orders.db.encrypted_field import Secret
from storefront.currencies import fetching, rates
from storefront.currencies.models import Currency, RateSource, SourceFormat
from storefront.currencies.rates import NoRate
from tests import factories
from tests.storefront.currencies.rate_server import RateServer

pytestmark = pytest.mark.django_db

Add = Callable[..., Currency]
CURRENCIES, SOURCES = "/admin/currencies/currency/", "/admin/currencies/ratesource/"
FIELDS = {
    "name": "Rates", "format": "json", "url": "https://rates.example/latest", "base": "USD", "path": "rates.{currency}",
    "interval": "360", "stale_after": "48", "max_change": "20", "is_active": "on",
}  # fmt: skip


def text_of(answer: Any) -> str:
    return unescape(answer.content.decode())


def told(answer: Any) -> list[str]:
    """Return the messages after a form was sent, with their levels."""
    return [f"{message.level_tag}: {message}" for message in answer.context["messages"]]


def operator(*permissions: str) -> Client:
    person = factories.customer()
    type(person).objects.filter(pk=person.pk).update(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(person)
    return client


def errors_of(client: Client, address: str = f"{SOURCES}add/", /, **fields: str) -> dict[str, list[str]]:
    answer = client.post(address, {**FIELDS, **fields})
    return dict(answer.context["adminform"].form.errors) if answer.status_code == 200 else {}


# ------------------------------------------------------------------------------------------------ sources


def test_an_operator_adds_a_source(admin_client: Client) -> None:
    page = text_of(admin_client.get(f"{SOURCES}add/"))
    assert "Examples: rates.{currency}, data.{currency}.value" in page
    assert errors_of(admin_client, base="eur", is_inverse="on") == {}
    source = RateSource.objects.get()
    assert (source.base, source.is_inverse, source.interval, source.key) == ("EUR", True, 360, Secret(""))
    assert source.next_fetch_at <= timezone.now()


def test_the_settings_of_the_ecb_format_are_fixed(admin_client: Client) -> None:
    assert errors_of(admin_client, format="ecb", base="USD", path="x", is_inverse="on") == {}
    source = RateSource.objects.get()
    assert (source.format, source.base, source.path, source.is_inverse) == (SourceFormat.ECB, "EUR", "", False)
    address = f"{SOURCES}{source.pk}/change/"
    assert errors_of(admin_client, address) == {}
    source.refresh_from_db()
    assert (source.format, source.base, source.path) == (SourceFormat.JSON, "USD", "rates.{currency}")
    assert errors_of(admin_client, address, format="ecb") == {}
    source.refresh_from_db()
    assert (source.base, source.path) == ("EUR", "")


@pytest.mark.parametrize(
    ("fields", "wrong", "error"),
    [
        (
            {"url": "http://rates.example/"},
            "url",
            "Enter a URL that starts with https:// and is on the public internet.",
        ),
        ({"url": "https://127.0.0.1/"}, "url", "Enter a URL that starts with https:// and is on the public internet."),
        ({"url": "https://localhost/"}, "url", "Enter a URL that starts with https:// and is on the public internet."),
        ({"url": "https://a:b@rates.example/"}, "url", "public internet"),
        ({"url": "https://rates.example/?k={key}"}, "api_key", "Enter the API key that takes the place of {key}."),
        ({"api_key": "s3cret"}, "url", "Write {key} where the URL contains the API key."),
        ({"path": "rates.EUR"}, "path", "Enter names separated by dots, with {currency} for the currency code."),
        ({"path": "rates..{currency}"}, "path", "Enter names separated by dots"),
        ({"path": ""}, "path", "Enter names separated by dots"),
        ({"base": "XYZ"}, "base", "not a currency code"),
        ({"stale_after": "6"}, "stale_after", "Enter more hours than there are between two fetches."),
        ({"stale_after": "0"}, "stale_after", "greater than or equal to 1"),
        ({"max_change": "0"}, "max_change", "greater than or equal to 0.1"),
    ],
)
def test_a_source_that_cannot_work_is_not_saved(
    fields: dict[str, str], wrong: str, error: str, admin_client: Client, settings: Any
) -> None:
    settings.ALLOW_PRIVATE_PANELS = False
    errors = errors_of(admin_client, **fields)
    assert list(errors) == [wrong]
    assert error in " ".join(errors[wrong])
    assert not RateSource.objects.exists()


def test_a_key_is_stored_encrypted_and_never_shown(admin_client: Client) -> None:
    url = "https://rates.example/?k={key}"
    assert errors_of(admin_client, url=url, api_key="s3cret-key") == {}
    source = RateSource.objects.get()
    assert source.key.reveal() == "s3cret-key"
    address = f"{SOURCES}{source.pk}/change/"
    assert "s3cret" not in text_of(admin_client.get(address))
    assert "A key is stored" in text_of(admin_client.get(address))
    assert errors_of(admin_client, address, url=f"{url}&x=1") == {}
    source.refresh_from_db()
    assert source.key.reveal() == "s3cret-key"
    # A colleague cannot read the key by sending it to a server of their own.
    for other in ("https://evil.example/?k={key}", "https://rates.example:8443/?k={key}"):
        assert "it is not sent elsewhere" in " ".join(errors_of(admin_client, address, url=other)["api_key"])
    assert errors_of(admin_client, address, url="https://evil.example/") == {}
    source.refresh_from_db()
    assert not source.key


def test_a_source_in_use_cannot_be_deleted(admin_client: Client, source: RateSource, add: Add) -> None:
    euro = add()
    admin_client.post(f"{SOURCES}{source.pk}/delete/", {"post": "yes"})
    assert RateSource.objects.exists()
    euro.delete()
    admin_client.post(f"{SOURCES}{source.pk}/delete/", {"post": "yes"})
    assert not RateSource.objects.exists()


# ------------------------------------------------------------------------------------------------ fetch now


def test_fetch_now_says_what_became_of_each_rate(
    admin_client: Client, server: RateServer, source: RateSource, add: Add
) -> None:
    server.body = {"rates": {"EUR": 0.92, "JPY": 15123, "TRY": 0, "GBP": 5}}
    add("EUR", "0.90")
    add("JPY", "151")
    add("TRY", "40")
    add("CHF", "0.9")
    add("GBP", "0.8", rejected_rate=Decimal("5.1"), rejected_at=timezone.now())
    expected = [
        "success: Rates: rates fetched: EUR 0.92.",
        "warning: Rates: waiting for your approval: JPY 15123.",
        "info: Rates: ignored, close to a rejected rate: GBP 5.",
        "error: TRY: The source's rate is zero or negative.",
        "error: CHF: The source has no rate for this currency.",
    ]
    address = f"{SOURCES}{source.pk}/change/"
    assert "Fetch now" in text_of(admin_client.get(address))
    answer = admin_client.post(f"{SOURCES}{source.pk}/fetch/", follow=True)
    assert answer.redirect_chain[-1][0] == address
    assert told(answer) == expected
    answer = admin_client.post(f"{CURRENCIES}fetch/", follow=True)
    assert answer.redirect_chain[-1][0] == CURRENCIES
    assert told(answer) == expected
    assert len(server.requests) == 2


def test_fetch_now_says_why_nothing_was_fetched(
    admin_client: Client, server: RateServer, source: RateSource, add: Add
) -> None:
    add()
    server.body = "<html><script>alert(1)</script>"
    answer = admin_client.post(f"{SOURCES}{source.pk}/fetch/", follow=True)
    assert told(answer) == [
        "error: Rates: no rates were fetched. The answer is not JSON. (<html><script>alert(1)</script>)"
    ]
    assert "<script>alert" not in answer.content.decode()
    assert "Failing" in text_of(admin_client.get(SOURCES))
    Currency.objects.all().delete()
    server.body = {"rates": {}}
    answer = admin_client.post(f"{SOURCES}{source.pk}/fetch/", follow=True)
    assert told(answer) == ["info: Rates answered, but no currency uses it as its source."]
    RateSource.objects.update(is_active=False)
    answer = admin_client.post(f"{CURRENCIES}fetch/", follow=True)
    assert told(answer) == ["warning: There is no active source. Add one under Exchange rate sources."]


def test_only_those_who_may_change_rates_fetch_and_decide(server: RateServer, source: RateSource, add: Add) -> None:
    euro = add(pending_rate=Decimal(9), pending_at=timezone.now())
    viewer = operator("view_currency", "view_ratesource")
    for path in (f"{SOURCES}{source.pk}/fetch/", f"{CURRENCIES}fetch/", f"{CURRENCIES}{euro.pk}/decide/"):
        assert viewer.post(path, {"rate": "9", "decision": "approve"}).status_code == 403
        assert viewer.get(path).status_code == 405
        assert Client().post(path).status_code == 302
    for path in (CURRENCIES, f"{CURRENCIES}{euro.pk}/change/", f"{SOURCES}{source.pk}/change/", SOURCES):
        page = text_of(viewer.get(path))
        assert "Fetch now" not in page
        assert "Approve rate" not in page
    assert "waits for approval" in text_of(viewer.get(f"{CURRENCIES}{euro.pk}/change/"))
    assert server.requests == []
    changer = operator("view_currency", "change_currency", "view_ratesource")
    assert "Fetch now" in text_of(changer.get(f"{SOURCES}{source.pk}/change/"))
    assert changer.post(f"{SOURCES}{source.pk}/fetch/").status_code == 302
    assert len(server.requests) == 1


# ------------------------------------------------------------------------------------------------ decisions


@pytest.fixture
def waiting(server: RateServer, source: RateSource, add: Add) -> Currency:
    euro = add(confirmed_at=timezone.now())
    server.body = {"rates": {"EUR": 1.8}}
    fetching.fetch(source)
    euro.refresh_from_db()
    return euro


def test_a_waiting_rate_is_approved(admin_client: Client, admin_user: Any, waiting: Currency) -> None:
    address = f"{CURRENCIES}{waiting.pk}/change/"
    page = text_of(admin_client.get(address))
    assert "The rate 1.8 for EUR waits for approval" in page
    assert "The current rate is 0.9: a difference of +100.0%." in page
    assert '<input type="hidden" name="rate" value="1.8">' in page
    answer = admin_client.post(f"{CURRENCIES}{waiting.pk}/decide/", {"rate": "1.8", "decision": "approve"}, follow=True)
    assert told(answer) == ["success: Rate 1.8 approved. Payments in EUR use it from now on."]
    assert rates.payment_rate("EUR") == Decimal("1.8")
    assert LogEntry.objects.get().change_message == "Approved the rate 1.8."
    assert "waits for approval" not in text_of(admin_client.get(address))


def test_a_waiting_rate_is_rejected(admin_client: Client, waiting: Currency) -> None:
    answer = admin_client.post(f"{CURRENCIES}{waiting.pk}/decide/", {"rate": "1.8", "decision": "reject"}, follow=True)
    assert told(answer) == ["success: Rate 1.8 rejected. The last rate of EUR stays in use."]
    assert rates.payment_rate("EUR") == Decimal("0.9")


@pytest.mark.parametrize("rate", ["1.7", "", "NaN", "1e0", "x"])
def test_a_decision_on_an_old_page_changes_nothing(rate: str, admin_client: Client, waiting: Currency) -> None:
    answer = admin_client.post(f"{CURRENCIES}{waiting.pk}/decide/", {"rate": rate, "decision": "approve"}, follow=True)
    assert told(answer) == ["error: This rate no longer waits for approval. Check the page and decide again."]
    with pytest.raises(NoRate):
        rates.payment_rate("EUR")
    assert not LogEntry.objects.exists()


# ------------------------------------------------------------------------------------------------ currencies


def test_a_currency_with_a_source_needs_no_rate(
    admin_client: Client, source: RateSource, django_capture_on_commit_callbacks: Any
) -> None:
    fields = {"code": "EUR", "margin": "2", "is_active": "on", "is_payable": "on"}
    answer = admin_client.post(f"{CURRENCIES}add/", fields)
    assert answer.context["adminform"].form.errors == {"rate": ["Enter the exchange rate."]}
    RateSource.objects.update(next_fetch_at=timezone.now() + timedelta(hours=5))
    with django_capture_on_commit_callbacks(execute=True):
        answer = admin_client.post(f"{CURRENCIES}add/", {**fields, "source": str(source.pk)}, follow=True)
    assert "warning: The first rate is fetched within a few minutes and then waits for your approval." in told(answer)
    source.refresh_from_db()
    assert source.next_fetch_at <= timezone.now()
    fetching.fetch(source)
    euro = Currency.objects.get()
    page = text_of(admin_client.get(f"{CURRENCIES}{euro.pk}/change/"))
    assert "It is the first rate, so there is nothing to compare it with." in page
    # The list can be saved meanwhile.
    form = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(euro.pk), "_save": "Save"}
    answer = admin_client.post(CURRENCIES, {**form, "form-0-rate": "", "form-0-margin": "3"})
    assert answer.status_code == 302
    euro.refresh_from_db()
    assert (euro.rate, euro.pending_rate, euro.margin) == (None, Decimal("0.92"), 3)


def test_a_known_rate_cannot_be_removed(admin_client: Client, source: RateSource, add: Add) -> None:
    euro = add()
    answer = admin_client.post(f"{CURRENCIES}{euro.pk}/change/", {"source": str(source.pk), "rate": "", "margin": "0"})
    assert answer.context["adminform"].form.errors == {"rate": ["Enter the exchange rate."]}


def again(answer: Any, name: str) -> dict[str, str]:
    """Return the hidden input that confirms an unusual rate, as the browser would send it."""
    found = re.search(rf'<input type="hidden" name="{name}-again" value="([^"]*)">', answer.content.decode())
    return {f"{name}-again": found[1]} if found else {}


@pytest.mark.parametrize(
    ("rate", "is_unusual"), [("9.2", True), ("0.46", False), ("0.4599", True), ("1.84", False), ("1.8401", True)]
)
def test_an_unusual_rate_is_entered_twice(rate: str, is_unusual: bool, admin_client: Client) -> None:
    euro = Currency.objects.create(code="EUR", rate=Decimal("0.92"))
    address = f"{CURRENCIES}{euro.pk}/change/"
    list_form = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(euro.pk), "_save": "Save"}
    for path, prefix, fields in ((address, "", {}), (CURRENCIES, "form-0-", list_form)):
        Currency.objects.update(rate=Decimal("0.92"))
        form = {**fields, f"{prefix}rate": rate, f"{prefix}margin": "0"}
        answer = admin_client.post(path, form)
        assert answer.status_code == (200 if is_unusual else 302)
        if is_unusual:
            euro.refresh_from_db()
            assert euro.rate == Decimal("0.92")
            assert "If it is right, save again." in text_of(answer)
            # Another unusual rate is no confirmation.
            other = admin_client.post(path, {**form, **again(answer, f"{prefix}rate"), f"{prefix}rate": "92"})
            assert other.status_code == 200
            assert admin_client.post(path, {**form, **again(answer, f"{prefix}rate")}).status_code == 302
        euro.refresh_from_db()
        assert euro.rate == Decimal(rate)


def test_the_first_rate_of_a_currency_is_entered_once(admin_client: Client, source: RateSource, add: Add) -> None:
    euro = add(rate=None)
    fields = {"source": str(source.pk), "rate": "9.2", "margin": "0"}
    assert admin_client.post(f"{CURRENCIES}{euro.pk}/change/", fields).status_code == 302
    assert admin_client.post(f"{CURRENCIES}add/", {"code": "JPY", "rate": "151", "margin": "0"}).status_code == 302


def test_a_new_source_ends_the_waiting(admin_client: Client, waiting: Currency) -> None:
    admin_client.post(f"{CURRENCIES}{waiting.pk}/change/", {"source": "", "rate": "0.9", "margin": "0"})
    waiting.refresh_from_db()
    assert (waiting.source, waiting.pending_rate) == (None, None)


def test_the_list_shows_and_filters_states(
    admin_client: Client, server: RateServer, source: RateSource, add: Add, django_assert_max_num_queries: Any
) -> None:
    now = timezone.now()
    old = RateSource.objects.create(name="Dead", url="https://dead.example/")
    add("EUR", confirmed_at=now)
    add("JPY", pending_rate=Decimal(9), pending_at=now)
    add("TRY", rate=None)
    add("GBP", source=None)
    add("CHF", source=old, confirmed_at=now - timedelta(hours=49))
    add("SEK", confirmed_at=now, problem="missing")
    states = {
        "current": "EUR", "waiting": "JPY", "unknown": "TRY", "entered": "GBP", "outdated": "CHF", "problem": "SEK",
    }  # fmt: skip
    for state, code in states.items():
        shown = admin_client.get(f"{CURRENCIES}?state={state}").context["cl"].result_list
        assert [row.code for row in shown] == [code], state
    admin_client.get(CURRENCIES)
    with django_assert_max_num_queries(14):
        page = text_of(admin_client.get(CURRENCIES))
    for label in ("Waiting for approval", "Outdated", "No rate", "Not updated", "Up to date", "Entered by hand"):
        assert label in page


# ------------------------------------------------------------------------------------------------ the start page


def test_the_start_page_says_which_rates_need_attention(source: RateSource, add: Add) -> None:
    now = timezone.now()
    viewer = operator("view_currency")
    add("EUR", confirmed_at=now)
    assert viewer.get("/admin/").context["overview"].todos == []
    RateSource.objects.update(problem="status")
    add("JPY", confirmed_at=now, pending_rate=Decimal(9), pending_at=now)
    add("INR", rate=None, pending_rate=Decimal(9), pending_at=now)
    add("TRY", confirmed_at=now - timedelta(hours=49))
    add("GBP", source=None, rate_at=now - timedelta(days=31))
    add("CHF", source=None, rate_at=now - timedelta(days=31), is_payable=False)
    add("SEK", source=None, rate_at=now - timedelta(days=29))
    todos = viewer.get("/admin/").context["overview"].todos
    assert [(todo.title, todo.detail) for todo in todos] == [
        ("2 exchange rates waiting for approval", "Payments in these currencies are stopped: INR, JPY."),
        ("1 outdated exchange rate", "Payments in these currencies are stopped: TRY."),
        ("Exchange rates of Rates are not updated", "The source answered with an error."),
        ("1 exchange rate entered long ago", "Payments use rates that were entered over 30 days ago: GBP."),
    ]
    for todo in (*todos[:2], todos[3]):
        assert viewer.get(todo.url).status_code == 200
    assert operator("view_ratesource").get("/admin/").context["overview"].todos == []
