"""The customer's payment pages: the form, the list, one payment, and the return to the order."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from storefront.accounts.models import User
from storefront.payments import crediting, history, references, return_urls
from storefront.payments.models import Payment, PaymentMethod
from tests import factories
from tests.storefront.payments import payments
from tests.storefront.payments.payments import deliver, webhook_of
from tests.storefront.shop import forms

NEW = "/wallet/add-funds/"


def text_of(answer: Any) -> str:
    return unescape(answer.content.decode())


# ------------------------------------------------------------------------------------------------ the form


def test_submitting_the_form_stores_a_payment_and_redirects_to_the_gateway(page: Client, nadia: User) -> None:
    answer = page.post(NEW, {"amount": "12.50", "method": payments.demo_key()})
    payment = Payment.objects.get()
    assert answer.url == f"/wallet/payments/{payment.reference}/demo/"
    assert (payment.user, payment.gateway, payment.status, str(payment.amount)) == (
        nadia,
        "demo",
        "waiting",
        "12.500000",
    )
    assert (payment.currency, payment.label) == ("USD", "Demo payment")
    assert re.fullmatch(r"([2-9A-HJKMNP-Z]{4}-){2}[2-9A-HJKMNP-Z]{4}", payment.reference)


def test_references_are_unique() -> None:
    assert len({references.new() for _ in range(500)}) == 500


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("", "Enter an amount"),
        ("ten", "Enter a number"),
        ("1,000", "Enter a number"),
        ("1e3", "Enter a number"),
        ("NaN", "Enter a number"),
        ("9" * 300, "Enter a number"),
        ("12.345", "Round the amount to a multiple of"),
        ("0", "The minimum"),
        ("-5", "The minimum"),
        ("0.99", "The minimum"),
        ("10000.01", "The maximum"),
    ],
)
def test_an_invalid_amount_shows_an_error(page: Client, amount: str, words: str) -> None:
    answer = page.post(NEW, {"amount": amount, "method": payments.demo_key(), "next": "/orders/"})
    assert words in text_of(answer)
    assert 'name="next" value="/orders/"' in text_of(answer)
    assert not Payment.objects.exists()


@pytest.mark.parametrize("text", ["12,5", "12,50", " 12.50 "])
def test_decimal_commas_and_spaces_are_accepted(page: Client, text: str) -> None:
    page.post(NEW, {"amount": text, "method": payments.demo_key()})
    assert str(Payment.objects.get().amount) == "12.500000"


@pytest.mark.parametrize("method", ["", "nobody", "999", "demo-x"])
def test_an_unknown_payment_method_shows_an_error(page: Client, method: str) -> None:
    payments.bank()
    assert "Choose a payment method" in text_of(page.post(NEW, {"amount": "10", "method": method}))
    assert not Payment.objects.exists()


def test_limits_are_those_of_the_payment_method(page: Client, settings: Any) -> None:
    method = payments.bank(maximum=50)
    key = str(method.pk)
    assert "The minimum for this payment method is <bdi>$5.00" in text_of(
        page.post(NEW, {"amount": "4", "method": key})
    )
    assert "The maximum for this payment method is <bdi>$50.00" in text_of(
        page.post(NEW, {"amount": "51", "method": key})
    )
    PaymentMethod.objects.filter(pk=method.pk).update(is_active=False)
    # A method that is no longer offered is not replaced by another one.
    assert "Choose a payment method" in text_of(page.post(NEW, {"amount": "10", "method": key}))
    assert not Payment.objects.exists()


def test_without_payment_methods_the_page_leads_to_support(page: Client, nadia: User, settings: Any) -> None:
    settings.DEMO_GATEWAY = False
    text = text_of(page.get(NEW))
    assert "Contact support to add funds" in text
    assert nadia.email in text


@pytest.mark.parametrize(("asked", "shown"), [("3.456789", "3.46"), ("0.000001", "1.00"), ("25", "25.00"), ("x", "x")])
def test_the_prefilled_amount_is_rounded_up_to_a_payable_one(page: Client, asked: str, shown: str) -> None:
    assert f'name="amount" value="{shown}"' in text_of(page.get(NEW, {"amount": asked}))


def test_suggested_amounts_keep_what_was_entered(page: Client) -> None:
    sent = {"amount": "x", "set": "25.00", "method": payments.demo_key(), "next": "/orders/new/?service=1&link=a%26b"}
    text = text_of(page.post(NEW, {**sent, "coupon": "SPRING"}))
    assert 'name="amount" value="25.00"' in text
    assert 'name="next" value="/orders/new/?service=1&link=a%26b"' in text
    assert 'value="SPRING"' in text
    assert "field-error" not in text
    assert not Payment.objects.exists()


def test_the_number_of_unpaid_payments_is_limited(page: Client, nadia: User) -> None:
    for _ in range(crediting.OPEN_MAX):
        payments.demo(nadia)
    assert "unpaid payments" in text_of(page.post(NEW, {"amount": "10", "method": payments.demo_key()}, follow=True))
    assert Payment.objects.count() == crediting.OPEN_MAX


def test_payment_pages_require_sign_in() -> None:
    for address in (NEW, "/wallet/payments/", "/wallet/payments/X/", "/wallet/payments/X/demo/"):
        assert Client().get(address).url == f"/account/login/?next={address}"


# ------------------------------------------------------------------------------------------------ the return path


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "http:evil.example",
        "/\n/evil.example",
        "/\t/evil.example",
        " //evil.example",
        "orders/",
        "",
        "/" + "a" * 3000,
    ],
)
def test_the_return_path_stays_within_the_shop(page: Client, nadia: User, address: str) -> None:
    assert return_urls.local(address) == ""
    # The language form in the footer returns to this very address, whatever it contains.
    assert "evil" not in text_of(page.get(NEW, {"next": address})).partition("<footer")[0]
    page.post(NEW, {"amount": "10", "method": payments.demo_key(), "next": address})
    payment = Payment.objects.get()
    assert payment.return_to == ""
    deliver(webhook_of(payment))
    assert "Back to your order" not in text_of(page.get(f"/wallet/payments/{payment.reference}/"))


def test_a_payment_for_an_order_returns_to_the_filled_in_form(page: Client, nadia: User) -> None:
    service = factories.service(rate="100", name="Harp lessons")
    form = forms.form_data(page, service, quantity="105", link="https://example.com/a?b=1&c=2")
    text = text_of(forms.send(page, form))
    (address,) = re.findall(r'role="alert".*?href="(/wallet/add-funds/[^"]*)"', text, re.DOTALL)
    shown = text_of(page.get(address))
    assert 'name="amount" value="10.50"' in shown
    (back,) = re.findall(r'name="next" value="([^"]*)"', shown.partition("<footer")[0])
    page.post(NEW, {"amount": "10.50", "method": payments.demo_key(), "next": back})
    payment = Payment.objects.get()
    deliver(webhook_of(payment))
    assert f'href="{back}"' in text_of(page.get(f"/wallet/payments/{payment.reference}/"))
    again = forms.inputs_on(page.get(back))
    assert (again["quantity"], again["link"]) == ("105", "https://example.com/a?b=1&c=2")


def test_long_inputs_are_left_out_of_the_return_path(page: Client, nadia: User) -> None:
    service = factories.service(service_type="custom_comments", rate="1000000")
    form = forms.form_data(page, service, comments="\n".join(["word"] * 2000))
    (address,) = re.findall(
        r'role="alert".*?href="(/wallet/add-funds/[^"]*)"', text_of(forms.send(page, form)), re.DOTALL
    )
    assert parse_qs(urlsplit(address).query)["next"] == [f"/orders/new/?service={service.pk}"]


# ------------------------------------------------------------------------------------------------ one payment


def test_instructions_replace_only_the_two_placeholders(page: Client, nadia: User) -> None:
    evil = "{amount} for {reference}. {payment.user.password} {0} {reference.__class__} %(x)s {{ user }} <script>"
    payment = payments.manual(nadia, "10", payments.bank(instructions=evil, details="IBAN 7 {reference}"))
    text = page.get(f"/wallet/payments/{payment.reference}/").content.decode()
    assert f"10.00 USD for {payment.reference}. {{payment.user.password}} {{0}} {{reference.__class__}} %(x)s" in text
    assert "{{ user }} &lt;script&gt;" in text
    assert f"IBAN 7 {payment.reference}" in text


def test_payments_of_other_customers_are_not_found(page: Client) -> None:
    other = payments.demo(factories.customer("0"))
    for address in ("", "live/", "demo/"):
        assert page.get(f"/wallet/payments/{other.reference}/{address}").status_code == 404
    assert page.post(f"/wallet/payments/{other.reference}/demo/", {"act": "pay"}).status_code == 404
    assert other.reference not in text_of(page.get("/wallet/payments/"))


def test_the_page_updates_with_the_payment(page: Client, nadia: User) -> None:
    payment = payments.demo(nadia)
    base = f"/wallet/payments/{payment.reference}/"
    assert "Waiting for payment" in text_of(page.get(base))
    assert page.get(f"{base}live/?seen={payment.mark}").status_code == 204
    deliver(webhook_of(payment))
    text = text_of(page.get(f"{base}live/?seen={payment.mark}"))
    assert "added to your balance" in text
    assert 'hx-swap-oob="true"' in text
    assert "hx-get" not in text
    assert Client().get(f"{base}live/")["HX-Refresh"] == "true"


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"status": "declined"}, "Payment declined"), ({"amount": "5"}, "We received a different amount")],
)
def test_a_declined_or_different_payment_is_explained(
    page: Client, nadia: User, changes: dict[str, str], words: str
) -> None:
    payment = payments.demo(nadia)
    deliver(webhook_of(payment, **changes))
    assert words in text_of(page.get(f"/wallet/payments/{payment.reference}/"))


def test_payments_of_a_removed_gateway_stay_readable(page: Client, nadia: User) -> None:
    payment = payments.demo(nadia)
    Payment.objects.filter(pk=payment.pk).update(gateway="gone")
    assert page.get(f"/wallet/payments/{payment.reference}/").status_code == 200
    assert page.get("/wallet/payments/").status_code == 200


# ------------------------------------------------------------------------------------------------ the list, the cost


def test_the_list_is_paged_by_keys(page: Client, nadia: User) -> None:
    rows = [payments.demo(nadia) for _ in range(crediting.OPEN_MAX)]
    for row in rows:
        crediting.expire(row)
    rows += [payments.demo(nadia) for _ in range(history.PAGE_SIZE + 1 - len(rows))]
    first = text_of(page.get("/wallet/payments/"))
    assert first.count('<th scope="row">') == history.PAGE_SIZE
    (older,) = re.findall(r'href="\?(before=\d+)"', first)
    second = text_of(page.get(f"/wallet/payments/?{older}"))
    assert rows[0].reference in second
    (newer,) = re.findall(r'href="\?(after=\d+)"', second)
    assert rows[-1].reference in text_of(page.get(f"/wallet/payments/?{newer}"))
    for nonsense in ("?before=x", "?after=-1", "?before=" + "9" * 40):
        assert page.get(f"/wallet/payments/{nonsense}").status_code == 200


def test_the_number_of_queries_does_not_grow_with_rows(
    page: Client, nadia: User, django_assert_max_num_queries: Any
) -> None:
    method = payments.bank()
    for number in range(6):
        payments.bank(f"Bank {number}")
        payments.manual(nadia, method=method)
    payment = payments.with_proof(nadia)
    for address, most in ((NEW, 6), ("/wallet/payments/", 4), (f"/wallet/payments/{payment.reference}/", 7)):
        with django_assert_max_num_queries(most):
            assert page.get(address).status_code == 200
    with django_assert_max_num_queries(3):
        page.get(f"/wallet/payments/{payment.reference}/live/?seen={payment.mark}")


def test_a_webhook_costs_a_fixed_number_of_queries(nadia: User, django_assert_max_num_queries: Any) -> None:
    payment = payments.demo(nadia)
    deliver(webhook_of(payments.demo(nadia)))  # the clearing account is there now
    # Three of them are for the receipt (is it wanted, the color, the letter), three for a bonus, seven for
    # the entry, the debt and the evidence.
    with django_assert_max_num_queries(27):
        deliver(webhook_of(payment))
    with django_assert_max_num_queries(8):
        deliver(webhook_of(payment))


def test_add_funds_is_linked_from_transactions_and_the_header(page: Client) -> None:
    for address in ("/wallet/", "/services/"):
        assert f'href="{NEW}"' in text_of(page.get(address))
