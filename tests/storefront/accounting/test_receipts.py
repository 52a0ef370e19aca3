"""Receipts: numbers without gaps, tax that is included, four languages, and only for who may see the payment."""

from __future__ import annotations

import io
from decimal import Decimal
from functools import partial
from typing import Any

import pypdf
import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import translation

from storefront.accounting import receipt_pdf, receipts
from storefront.accounting.models import ONLY, BillingDetails, Receipt
from storefront.accounts.models import User
from storefront.payments import crediting
from storefront.payments.models import Payment
from tests import factories
from tests.orders.parallel import together
from tests.storefront.accounting.test_pages import staff
from tests.storefront.payments import payments

pytestmark = pytest.mark.django_db


def credited(user: User | None = None, amount: str = "24", memo: str = "") -> Payment:
    boss, _ = User.objects.get_or_create(email="boss@example.com", defaults={"is_staff": True, "is_superuser": True})
    payer = user or User.objects.filter(email="anna@example.com").first() or factories.user("anna@example.com")
    memo = memo or str(Payment.objects.count())
    return crediting.credit_reported(payer, amount=Decimal(amount), method="Bank", memo=memo, actor=boss)[0]


def details(**values: Any) -> None:
    BillingDetails.objects.update_or_create(pk=ONLY, defaults=values)


def text_of(answer: Any) -> str:
    pages = pypdf.PdfReader(io.BytesIO(answer.content)).pages
    assert len(pages) == 1
    return " ".join(pages[0].extract_text().split())


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_numbers_follow_one_another_and_a_payment_keeps_its_number() -> None:
    first, second = credited(), credited()
    assert [receipts.issue(second).number, receipts.issue(first).number, receipts.issue(second).number] == [1, 2, 1]


def test_a_receipt_that_could_not_be_stored_uses_up_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = credited(), credited()
    with monkeypatch.context() as patch:
        patch.setattr(receipts, "included_tax", lambda total, rate: Decimal("0.0000001"))
        with pytest.raises(Exception, match="decimal places"):
            receipts.issue(first)
    assert BillingDetails.objects.get().last_number == 0
    assert receipts.issue(second).number == 1


def test_only_credited_payments_have_receipts() -> None:
    payment = payments.manual(factories.user(), "10")
    with pytest.raises(ValueError, match="not credited"):
        receipts.issue(payment)
    assert browser(payment.user).get(f"/wallet/payments/{payment.reference}/receipt.pdf").status_code == 404
    assert not Receipt.objects.exists()


def test_the_database_allows_one_receipt_for_a_payment_and_a_number() -> None:
    receipt = receipts.issue(credited())
    other = credited()
    for values in ({"payment": receipt.payment, "number": 9}, {"payment": other, "number": receipt.number}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Receipt.objects.create(amount=1, currency="USD", **values)


@pytest.mark.django_db(transaction=True)
def test_receipts_issued_at_the_same_moment_leave_no_gap() -> None:
    rows = [credited(memo=str(number)) for number in range(6)]
    issued = together([partial(receipts.issue, row) for row in (*rows, *rows)])
    assert [found for found in issued if not isinstance(found, Receipt)] == []
    assert sorted(Receipt.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("total", "rate", "tax"),
    [("24", "20", "4.00"), ("10", "19", "1.60"), ("0.05", "20", "0.01"), ("100", "0", "0"), ("119", "19", "19.00")],
)
def test_the_tax_is_included_in_the_amount(total: str, rate: str, tax: str) -> None:
    assert receipts.included_tax(Decimal(total), Decimal(rate)) == Decimal(tax)


def test_the_customer_downloads_the_receipt_with_the_shops_details_and_the_tax() -> None:
    details(
        name="Lantern Goods Ltd", address="1 Quay Street\nPort", tax_number="TX-99", tax_rate=Decimal(20), prefix="R-"
    )
    payment = credited()
    answer = browser(payment.user).get(f"/wallet/payments/{payment.reference}/receipt.pdf")
    assert (answer.headers["Content-Type"], answer.headers["Content-Disposition"]) == (
        "application/pdf", 'attachment; filename="receipt-1.pdf"',
    )  # fmt: skip
    text = text_of(answer)
    for words in (
        "Receipt R-1", "Lantern Goods Ltd", "1 Quay Street", "Tax number: TX-99", "anna@example.com", payment.reference,
        "Amount without tax $20.00", "VAT included (20%) $4.00", "Total paid $24.00",
    ):  # fmt: skip
        assert words in text


def test_without_a_tax_rate_the_receipt_names_no_tax() -> None:
    payment = credited()
    text = text_of(browser(payment.user).get(f"/wallet/payments/{payment.reference}/receipt.pdf"))
    assert "Total paid $24.00" in text
    assert "tax" not in text.lower()


def test_a_receipt_keeps_what_was_true_when_it_was_issued() -> None:
    details(name="Old name", tax_rate=Decimal(20))
    payment = credited()
    receipts.issue(payment)
    details(name="New name", tax_rate=Decimal(10), prefix="X-")
    text = text_of(browser(payment.user).get(f"/wallet/payments/{payment.reference}/receipt.pdf"))
    assert "Old name" in text
    assert "VAT included (20%) $4.00" in text


@pytest.mark.parametrize(("language", "words"), [("ru", "24,00"), ("tr", "24,00"), ("ar", "24.00")])
def test_staff_get_the_receipt_in_the_customers_language(language: str, words: str) -> None:
    payment = credited()
    User.objects.filter(pk=payment.user_id).update(language=language, name="Анна أمل Şirin")
    text = text_of(staff("view_payment").get(f"/admin/reports/receipts/{payment.reference}.pdf"))
    assert words in text
    assert payment.reference in text


def test_arabic_receipts_are_laid_out_from_right_to_left() -> None:
    receipt = receipts.issue(credited())
    with translation.override("ar"):
        page = receipt_pdf._Page()
    assert (page.is_mirrored, page.align) == (True, "R")
    with translation.override("ar"):
        assert receipt_pdf.render(receipt).startswith(b"%PDF-")


def test_nobody_gets_the_receipt_of_another_customer() -> None:
    payment = credited()
    path = f"/wallet/payments/{payment.reference}/receipt.pdf"
    assert browser(factories.user()).get(path).status_code == 404
    assert Client().get(path).status_code == 302
    assert staff("view_order").get(f"/admin/reports/receipts/{payment.reference}.pdf").status_code == 403


def test_the_pages_link_to_the_receipt() -> None:
    payment = credited()
    client, path = browser(payment.user), f"/wallet/payments/{payment.reference}/receipt.pdf"
    assert path in client.get(f"/wallet/payments/{payment.reference}/").content.decode()
    assert path in client.get("/wallet/payments/").content.decode()
    page = staff("view_payment").get(f"/admin/payments/payment/{payment.pk}/change/").content.decode()
    assert f"/admin/reports/receipts/{payment.reference}.pdf" in page


def test_saving_the_details_does_not_set_back_the_number() -> None:
    boss = browser(User.objects.create_superuser("admin@example.com", "x"))
    boss.get("/admin/accounting/billingdetails/")
    BillingDetails.objects.update(last_number=7)
    form = {"name": "Shop", "address": "", "tax_number": "", "tax_name": "VAT", "tax_rate": "7.5", "prefix": ""}
    assert boss.post(f"/admin/accounting/billingdetails/{ONLY}/change/", form).status_code == 302
    saved = BillingDetails.objects.get()
    assert (saved.name, saved.tax_rate, saved.last_number) == ("Shop", Decimal("7.5"), 7)
