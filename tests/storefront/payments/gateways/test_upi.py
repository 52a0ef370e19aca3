"""UPI by hand: the QR code, and transaction numbers that count once."""

from __future__ import annotations

from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from storefront.accounts.models import User
from storefront.currencies.models import Currency
from storefront.mail.models import Email
from storefront.payments import crediting
from storefront.payments import errors as payment_errors
from storefront.payments.models import Payment, PaymentMethod, TransactionNumber
from storefront.payments.views import paying
from tests import factories
from tests.storefront.payments import payments

pytestmark = pytest.mark.django_db
UTR = "412345678901"


@pytest.fixture
def method() -> PaymentMethod:
    Currency.objects.create(code="INR", rate=Decimal("83.5"), is_payable=True)
    return PaymentMethod.objects.create(
        gateway="upi",
        name="UPI",
        minimum=Decimal(1),
        currency="INR",
        config={"upi_id": "shop.one@bank", "payee": "Harp & Lyre"},
    )


@pytest.fixture
def payment(nadia: User, method: PaymentMethod) -> Payment:
    return payments.start(nadia, method, "10")


def address(payment: Payment) -> str:
    return f"/wallet/payments/{payment.reference}/"


def send(client: Client, payment: Payment, number: str) -> str:
    answer = client.post(f"{address(payment)}number/", {"number": number}, follow=True)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_the_qr_code_holds_receiver_amount_and_reference(payment: Payment, page: Client) -> None:
    link = payment.action["qr_text"]
    assert link.startswith("upi://pay?pa=shop.one@bank&pn=Harp%20%26%20Lyre&am=835.00&cu=INR")
    facts = parse_qs(urlsplit(link).query)
    assert facts == {
        "pa": ["shop.one@bank"],
        "pn": ["Harp & Lyre"],
        "am": ["835.00"],
        "cu": ["INR"],
        "tn": [payment.reference],
    }
    text = unescape(page.get(address(payment)).content.decode())
    assert f'href="{link}"' in text
    assert "<svg" in text.partition('class="qr"')[2]
    assert "Pay, then enter the transaction number" in text


@pytest.mark.parametrize("typed", [UTR, " 4123 4567 8901 ", "4123-4567-8901"])
def test_a_number_puts_the_payment_up_for_review(typed: str, payment: Payment, page: Client, nadia: User) -> None:
    text = send(page, payment, typed)
    assert "Transaction number received" in text
    payment.refresh_from_db()
    assert (payment.status, payment.is_in_review, payment.review_reason) == ("waiting", True, "proof")
    assert [one.number for one in payment.numbers.all()] == [UTR]
    assert payments.balance(nadia) == 0


@pytest.mark.parametrize(
    "typed", ["", "41234567890", "4123456789012", "41234567890A", "４１２３４５６７８９０１", "x" * 500]
)
def test_other_texts_are_refused(typed: str, payment: Payment, page: Client) -> None:
    assert "The transaction number has 12 digits" in send(page, payment, typed)
    assert not TransactionNumber.objects.exists()


def test_staff_credit_the_payment(payment: Payment, page: Client, nadia: User, admin_client: Client) -> None:
    send(page, payment, UTR)
    assert payment.reference in admin_client.get("/admin/payments/payment/", {"q": UTR}).content.decode()
    assert UTR in admin_client.get(f"/admin/payments/payment/{payment.pk}/change/").content.decode()
    crediting.approve(payment, amount=Decimal(10), actor=factories.staff("change_payment"))
    assert payments.balance(nadia) == 10
    assert "Send number" not in page.get(address(payment)).content.decode()


def test_the_first_payment_keeps_a_number_and_staff_are_notified(payment: Payment, page: Client, method: Any) -> None:
    operator = factories.staff("change_payment")
    send(page, payment, UTR)
    other = factories.customer("0")
    second, thief = payments.start(other, method, "500"), factories.signed_in(other)
    for _ in range(3):
        assert "belongs to another payment" in send(thief, second, UTR)
    second.refresh_from_db()
    assert (second.status, second.is_in_review) == ("started", False)
    assert payment.reference in second.remark
    assert TransactionNumber.objects.get().payment == payment
    (email,) = Email.objects.filter(kind="staff", user=operator)
    assert "transaction number used twice" in email.subject


def test_numbers_of_declined_payments_stay_used(payment: Payment, page: Client, nadia: User, method: Any) -> None:
    send(page, payment, UTR)
    crediting.refuse(payment, reason="Not in our account.", actor=factories.staff("change_payment"))
    again = payments.start(nadia, method, "10")
    assert "belongs to another payment" in send(page, again, UTR)
    assert not again.numbers.exists()
    assert "This payment has ended" in send(page, payment, "412345678902")


def test_the_database_keeps_numbers_unique_per_method(payment: Payment, nadia: User, method: PaymentMethod) -> None:
    crediting.claim_number(payment, number=UTR)
    other = payments.start(nadia, method, "10")
    with pytest.raises(IntegrityError), transaction.atomic():
        TransactionNumber.objects.create(method=method, payment=other, number=UTR)
    bank = payments.bank(transaction_number="yes")
    assert crediting.claim_number(payments.manual(nadia, "10", bank), number=UTR)


def test_tries_are_limited(payment: Payment, page: Client, method: PaymentMethod) -> None:
    other = payments.start(factories.customer("0"), method, "10")
    for number in range(paying.NUMBER_TRIES):
        TransactionNumber.objects.create(method=method, payment=other, number=f"{number:012}")
        assert "belongs to another payment" in send(page, payment, f"{number:012}")
    assert "too many transaction numbers" in send(page, payment, UTR)
    assert not payment.numbers.exists()


def test_numbers_per_payment_are_limited(payment: Payment) -> None:
    for number in range(crediting.PROOFS_MAX):
        assert crediting.claim_number(payment, number=f"{number:012}")
    with pytest.raises(payment_errors.TooManyOpenPayments):
        crediting.claim_number(payment, number=UTR)
    assert crediting.claim_number(payment, number="000000000000")


def test_only_the_owner_sends_numbers(payment: Payment) -> None:
    stranger = factories.signed_in(factories.customer("0"))
    assert stranger.post(f"{address(payment)}number/", {"number": UTR}).status_code == 404
    assert Client().post(f"{address(payment)}number/", {"number": UTR}).status_code == 302
    assert not TransactionNumber.objects.exists()


@pytest.mark.parametrize(("asks", "status"), [("yes", 200), ("no", 404)])
def test_manual_payments_can_ask_for_a_number(asks: str, status: int, page: Client, nadia: User) -> None:
    payment = payments.manual(nadia, "10", payments.bank(transaction_number=asks))
    assert ("Number from your receipt" in page.get(address(payment)).content.decode()) == (asks == "yes")
    answer = page.post(f"{address(payment)}number/", {"number": "trx 9f-01"}, follow=True)
    assert answer.status_code == status
    assert [one.number for one in payment.numbers.all()] == (["TRX9F01"] if asks == "yes" else [])


def test_methods_from_before_do_not_ask(page: Client, nadia: User) -> None:
    payment = payments.manual(nadia, "10", payments.bank())
    assert "Number from your receipt" not in page.get(address(payment)).content.decode()
