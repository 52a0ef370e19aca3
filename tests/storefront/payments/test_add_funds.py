"""The "Add funds" page: what an amount costs, which methods are shown to whom, and what gateways ask customers for."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory

from storefront.accounts.countries import client_country
from storefront.accounts.models import User
from storefront.currencies.models import Currency
from storefront.payments import customer_details
from storefront.payments.gateway import Customer, CustomerField, Details, Next
from storefront.payments.gateways.demo import Demo
from storefront.payments.models import Payment, PaymentMethod
from storefront.payments.templatetags.payments import amount_in, fee_text, qr_code
from tests import factories
from tests.storefront.payments import payments

NEW, QUOTE = "/wallet/add-funds/", "/wallet/add-funds/quote/"


def text_of(answer: Any) -> str:
    return unescape(answer.content.decode())


def facts_of(text: str) -> dict[str, str]:
    """Return the pairs of label and value that a page shows."""
    pairs = re.findall(r"<dt[^>]*>(.*?)</dt>\s*<dd[^>]*>(.*?)</dd>", text, re.DOTALL)
    return {label: re.sub(r"<[^>]+>", "", value).strip() for label, value in pairs}


def methods_on(text: str) -> list[str]:
    return re.findall(r'<label class="choice">.*?<bdi>(.*?)</bdi>', text, re.DOTALL)


# ------------------------------------------------------------------------------------------------ what it costs


def euro(**details: Any) -> PaymentMethod:
    Currency.objects.create(code="EUR", rate=Decimal("0.92"), is_payable=True)
    return payments.bank("Bank in Europe", currency="EUR", **details)


def test_the_page_shows_fee_rate_and_total(page: Client) -> None:
    method = euro(fee_percent=Decimal("2.9"), fee_fixed=Decimal("0.30"))
    text = text_of(page.get(NEW, {"amount": "100", "method": method.pk}))
    assert "Fee 2.9% + $0.30" in text
    facts = facts_of(text)
    assert facts["Added to your balance"] == "$100.00"
    assert facts["Fee"] == "$3.20"
    assert facts["Exchange rate"] == "1 USD = 0.92 EUR"
    assert facts["You pay"] == "€94.95"  # 103.20 * 0.92 = 94.944, rounded up


def test_the_first_method_that_accepts_the_amount_is_preselected(page: Client) -> None:
    small, large = payments.bank("Small", maximum=50), payments.bank("Large", minimum=Decimal(20))
    PaymentMethod.objects.filter(gateway="demo").delete()
    for asked, chosen, shown in (("", small, ""), ("30", small, "30.00"), ("80", large, "80.00"), ("2", small, "5.00")):
        text = text_of(page.get(NEW, {"amount": asked}))
        assert f'value="{chosen.pk}" required checked' in text
        assert f'name="amount" value="{shown}"' in text


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("", "Enter an amount to see what you pay."),
        ("abc", "Enter a number"),
        ("4.99", "The minimum for this payment method is <bdi>$5.00</bdi>."),
        ("50.01", "The maximum for this payment method is <bdi>$50.00</bdi>."),
        ("10", "<bdi>$10.00</bdi>"),
    ],
)
def test_the_quote_follows_the_form(page: Client, amount: str, words: str) -> None:
    method = payments.bank(maximum=50)
    text = text_of(page.post(QUOTE, {"amount": amount, "method": str(method.pk), "details_of": str(method.pk)}))
    assert words in text
    assert "<html" not in text
    assert "payment-details" not in text
    assert not Payment.objects.exists()


def test_the_quote_requires_sign_in() -> None:
    assert Client().post(QUOTE, {"amount": "10"}).status_code == 204


def test_without_scripts_a_button_updates_the_total(page: Client) -> None:
    method = payments.bank(fee_fixed=Decimal(1))
    text = text_of(page.post(NEW, {"amount": "10", "method": str(method.pk), "check": "1"}))
    assert facts_of(text)["You pay"] == "$11.00"
    assert not Payment.objects.exists()


def test_the_payment_page_shows_what_was_paid_and_credited(page: Client, nadia: User) -> None:
    payment = payments.start(nadia, euro(fee_fixed=Decimal(1)), "10")
    facts = facts_of(text_of(page.get(f"/wallet/payments/{payment.reference}/")))
    assert facts["Amount"] == "$10.00"
    assert facts["Fee"] == "$1.00"
    assert facts["You pay"] == "€10.12"
    assert "Received" not in facts
    Payment.objects.filter(pk=payment.pk).update(paid_amount=Decimal("10.12"), paid_currency="EUR")
    assert facts_of(text_of(page.get(f"/wallet/payments/{payment.reference}/")))["Received"] == "€10.12"


def test_the_list_shows_the_credited_amount(page: Client, nadia: User) -> None:
    payment = payments.demo(nadia, "10")
    payments.deliver(payments.webhook_of(payment))
    Payment.objects.filter(pk=payment.pk).update(paid_amount=Decimal("99"), paid_currency="EUR", reversed_amount=4)
    text = text_of(page.get("/wallet/payments/"))
    assert "+$10.00" in text
    assert "99" not in text.partition("<tbody>")[2].partition("</tbody>")[0]
    assert "<bdi>$4.00</bdi> reversed" in text
    detail = facts_of(text_of(page.get(f"/wallet/payments/{payment.reference}/")))
    assert detail["Refunded or charged back"] == "−$4.00"


@pytest.mark.parametrize(
    ("percent", "fixed", "text"),
    [("0", "0", "No fee"), ("2.50", "0", "Fee 2.5%"), ("0", "0.3", "Fee $0.30"), ("3", "1", "Fee 3% + $1.00")],
)
def test_fees_are_described(percent: str, fixed: str, text: str) -> None:
    assert fee_text(PaymentMethod(fee_percent=Decimal(percent), fee_fixed=Decimal(fixed))) == text


def test_amounts_of_coins_have_no_currency_format() -> None:
    assert amount_in(Decimal("0.00120000"), "USDTTRC20") == '<bdi dir="ltr">0.0012 USDTTRC20</bdi>'
    assert amount_in(Decimal("12"), "EUR") == "<bdi>€12.00</bdi>"


# ------------------------------------------------------------------------------------------------ to whom


def test_methods_are_shown_to_their_audience(page: Client, nadia: User) -> None:
    PaymentMethod.objects.all().delete()
    payments.bank("Everyone")
    payments.bank("Regulars", audience="paid")
    payments.bank("Friends", audience="chosen").customers.add(factories.customer("0"))
    chosen = payments.bank("Chosen", audience="chosen")
    chosen.customers.add(nadia)
    assert methods_on(text_of(page.get(NEW))) == ["Everyone", "Chosen"]
    payments.demo(nadia)
    assert "Regulars" not in methods_on(text_of(page.get(NEW)))
    payments.deliver(payments.webhook_of(Payment.objects.get()))
    assert methods_on(text_of(page.get(NEW)))[:3] == ["Everyone", "Regulars", "Chosen"]


def test_a_hidden_method_cannot_be_used(page: Client) -> None:
    hidden = payments.bank("Friends", audience="chosen")
    abroad = payments.bank("Abroad", countries="TR")
    for method in (hidden, abroad):
        assert "Choose a payment method" in text_of(page.post(NEW, {"amount": "10", "method": str(method.pk)}))
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("header", "behind_proxy", "sent", "country"),
    [
        ("CF-IPCountry", True, "tr", "TR"),
        ("CF-IPCountry", False, "TR", ""),
        ("", True, "TR", ""),
        ("CF-IPCountry", True, "", ""),
        ("CF-IPCountry", True, "XX", ""),
        ("CF-IPCountry", True, "T1", ""),
        ("CF-IPCountry", True, "TRX", ""),
        ("X-Country", True, "TR", ""),
    ],
)
def test_the_country_comes_from_the_header_of_the_proxy(
    header: str, behind_proxy: bool, sent: str, country: str, settings: Any
) -> None:
    settings.COUNTRY_HEADER, settings.BEHIND_PROXY = header, behind_proxy
    request = RequestFactory().get("/", headers={"CF-IPCountry": sent})
    request.user = AnonymousUser()
    assert client_country(request) == country


def test_methods_of_some_countries_need_a_known_country(page: Client, settings: Any) -> None:
    payments.bank("Turkish bank", countries="TR, AZ")
    assert "Turkish bank" not in methods_on(text_of(page.get(NEW)))
    settings.COUNTRY_HEADER, settings.BEHIND_PROXY = "CF-IPCountry", True
    assert "Turkish bank" in methods_on(text_of(page.get(NEW, headers={"CF-IPCountry": "TR"})))
    assert "Turkish bank" not in methods_on(text_of(page.get(NEW, headers={"CF-IPCountry": "DE"})))


# ------------------------------------------------------------------------------------------------ customer fields


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Customer]:
    """Let the demo gateway require every field; return the customers with whom it was started."""
    seen: list[Customer] = []
    start = Demo.start

    def record(gateway: Demo, payment: Any, *, customer: Customer, urls: Any) -> Next:
        seen.append(customer)
        return start(gateway, payment, customer=customer, urls=urls)

    monkeypatch.setattr(Demo, "customer_fields", tuple(CustomerField))
    monkeypatch.setattr(Demo, "start", record)
    return seen


DETAILS = {
    "customer_name": "Nadia Karim",
    "customer_phone": "+90 (555) 123-45 67",
    "customer_tax_id": "123.456.789-09",
    "customer_address": "Harp Street 5, Izmir",
}


def test_required_fields_are_asked_checked_and_passed_on(page: Client, started: list[Customer]) -> None:
    sent = {"amount": "10", "method": payments.demo_key()}
    text = text_of(page.post(NEW, sent))
    for name in DETAILS:
        assert f'name="{name}"' in text
    assert "Enter your phone number with the country code" in text
    assert not Payment.objects.exists()
    assert page.post(NEW, {**sent, **DETAILS}).status_code == 302
    (customer,) = started
    assert (customer.name, customer.phone, customer.tax_id, customer.address) == (
        "Nadia Karim",
        "+905551234567",
        "12345678909",
        "Harp Street 5, Izmir",
    )


def test_details_are_remembered_for_the_session(page: Client, nadia: User, started: list[Customer]) -> None:
    sent = {"amount": "10", "method": payments.demo_key()}
    page.post(NEW, {**sent, **DETAILS})
    assert 'value="+905551234567"' in text_of(page.get(NEW, {"method": sent["method"]}))
    assert "+905551234567" not in text_of(factories.signed_in(nadia).get(NEW, {"method": sent["method"]}))


def test_methods_that_require_nothing_ask_for_nothing(page: Client, started: list[Customer]) -> None:
    key, bank = payments.demo_key(), str(payments.bank().pk)
    assert "customer_phone" not in text_of(page.get(NEW, {"method": bank}))
    shown = text_of(page.post(QUOTE, {"amount": "10", "method": key, "details_of": bank}))
    assert 'id="payment-details"' in shown
    assert "customer_phone" in shown
    assert "customer_phone" not in text_of(page.post(QUOTE, {"amount": "10", "method": bank, "details_of": key}))
    page.post(NEW, {"amount": "10", "method": bank})
    assert Payment.objects.get().gateway == "transfer"


@pytest.mark.parametrize(
    ("field", "value", "is_valid"),
    [
        ("name", "N", False),
        ("name", "12", False),
        ("name", "Ян", True),
        ("phone", "123", False),
        ("phone", "+90 555 123 45 67", True),
        ("phone", "call me maybe", False),
        ("phone", "+" + "1" * 16, False),
        ("tax_id", "12", False),
        ("tax_id", "AB 123.456/7-8", True),
        ("tax_id", "<script>", False),
        ("address", "5", False),
        ("address", "12345", False),
        ("address", "İnönü Cad. 5", True),
    ],
)
def test_details_are_checked_by_type(field: str, value: str, is_valid: bool, started: list[Customer]) -> None:
    rows = customer_details.inputs(Demo, {f"customer_{field}": value}, {})
    (row,) = (one for one in rows if one.name == f"customer_{field}")
    assert (row.problem == "") == is_valid
    assert (field in customer_details.values(rows)) == is_valid


# ------------------------------------------------------------------------------------------------ the next step


def test_details_have_copy_buttons_the_exact_amount_and_a_qr_code(
    page: Client, nadia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = Details(
        rows=[("Address", "TXyz<b>"), ("Network", "TRC-20")], amount="10.0012", currency="USDT", qr_text="tron:TXyz<b>"
    )
    monkeypatch.setattr(Demo, "start", lambda self, payment, customer, urls: Next(action=action))
    payment = payments.demo(nadia)
    text = page.get(f"/wallet/payments/{payment.reference}/").content.decode()
    assert 'id="detail-1">TXyz&lt;b&gt;<' in text
    assert text.count("data-copy=") == 4
    assert '<span class="mono" id="exact-amount">10.0012</span> USDT' in text
    assert "<svg" in text.partition('class="qr"')[2].partition("</figure>")[0]
    assert re.search(r"\d+.hours?.* left", facts_of(unescape(text))["Pay before"])
    assert "Send exactly this amount" in text


def test_qr_codes_hold_no_markup_of_their_text() -> None:
    assert "alert" not in qr_code("<script>alert(1)</script>")
    assert qr_code("") == ""
    assert qr_code("x" * 5000) == ""
    assert qr_code("upi://pay?pa=a@b").startswith("<")
