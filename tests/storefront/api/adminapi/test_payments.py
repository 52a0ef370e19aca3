"""Payments that programs report: credited once, in the books and in the history."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.utils import timezone

from orders.ledger import audit
from orders.models import Transfer
from orders.models.ledger import TransferKind
from storefront.payments.models import Payment
from tests import factories
from tests.storefront.api.adminapi.program import Program

ADD = "payments/add"


def body(**changes: Any) -> dict[str, Any]:
    return {
        "username": "maria@example.com",
        "amount": "25.00",
        "method": "Perfect Money USD",
        "memo": "wire 8841",
        "affiliate_commission": False,
        **changes,
    }


def credited_amounts() -> list[Decimal]:
    return list(Transfer.objects.filter(reference__startswith="payment:reported:").values_list("amount", flat=True))


@pytest.fixture
def maria(db: Any) -> Any:
    return factories.customer("6.40", email="maria@example.com")


@pytest.mark.django_db
def test_a_payment_is_credited_and_shown(program: Program, maria: Any) -> None:
    data = program.post(ADD, body())
    payment = Payment.objects.get(user=maria)
    assert data == {"payment_id": payment.pk, "user": {"username": "maria@example.com", "balance": "31.40"}}
    transfer = Transfer.objects.get(reference=f"payment:reported:{payment.reference}")
    assert (transfer.kind, transfer.amount, transfer.actor) == (TransferKind.PAYMENT, Decimal(25), program.user)
    assert list(audit.findings()) == []
    row = program.get("payments")["list"][0]
    assert row.pop("created")
    assert row.pop("updated")
    assert row == {
        "id": payment.pk, "user": "maria@example.com", "user_balance": "31.40", "amount": "25.00", "currency": "USD",
        "method": "Perfect Money USD", "status": "completed", "fraud_risk": "", "memo": "wire 8841", "mode": "Manual",
    }  # fmt: skip
    line = LogEntry.objects.get()
    assert (line.user, line.object_id) == (program.user, str(payment.pk))
    assert line.change_message == (f"Admin API, key {program.key.prefix}, payments/add: balance “6.40” → “31.40”")


@pytest.mark.django_db
@pytest.mark.parametrize("amount", ["25", "25.00", 25, 25.0, " 25.000000 "])
def test_the_same_amount_in_another_spelling_is_the_same_payment(program: Program, maria: Any, amount: Any) -> None:
    first = program.post(ADD, body())
    assert program.post(ADD, body(amount=amount)) == first
    assert credited_amounts() == [Decimal(25)]
    assert LogEntry.objects.count() == 1


@pytest.mark.django_db
def test_another_amount_memo_or_customer_is_another_payment(program: Program, maria: Any) -> None:
    factories.customer(email="omar@example.com")
    program.post(ADD, body())
    program.post(ADD, body(amount="25.01"))
    program.post(ADD, body(memo="wire 8842"))
    program.post(ADD, body(username="omar@example.com"))
    assert len(credited_amounts()) == 4


@pytest.mark.django_db
def test_after_ten_minutes_the_same_report_is_a_new_payment(program: Program, maria: Any) -> None:
    program.post(ADD, body())
    Payment.objects.update(created_at=timezone.now() - timedelta(minutes=10, seconds=1))
    program.post(ADD, body())
    assert len(credited_amounts()) == 2


@pytest.mark.django_db(transaction=True)
def test_reports_at_the_same_moment_are_credited_once(program: Program, maria: Any) -> None:
    def report(_number: int) -> int:
        try:
            return int(program.send(ADD, body()).json()["data"]["payment_id"])
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        numbers = set(pool.map(report, range(16)))
    assert len(numbers) == 1
    assert credited_amounts() == [Decimal(25)]
    assert LogEntry.objects.count() == 1
    assert list(audit.findings()) == []


@pytest.mark.django_db
@pytest.mark.parametrize("amount", ["0", "-1", "", "x", "NaN", "1e9", "0.0000001", "9" * 30, None, True, [], {}])
def test_an_amount_that_cannot_be_credited_is_refused(program: Program, maria: Any, amount: Any) -> None:
    response = program.send(ADD, body(amount=amount))
    assert response.status_code == 400
    assert response.json()["error_message"].startswith("amount: ")
    assert credited_amounts() == []


@pytest.mark.django_db
def test_an_unknown_user_gets_nothing(program: Program) -> None:
    response = program.send(ADD, body(username="nobody@example.com"))
    assert (response.status_code, response.json()) == (
        409,
        {"data": [], "error_message": "There is no user with this username", "error_code": 409},
    )


@pytest.mark.django_db
def test_nobody_credits_their_own_balance(program: Program) -> None:
    response = program.send(ADD, body(username=program.user.email))
    assert response.json()["error_code"] == 409
    assert credited_amounts() == []


@pytest.mark.django_db
def test_the_customer_and_staff_see_the_payment_on_their_pages(program: Program, maria: Any) -> None:
    program.post(ADD, body())
    payment = Payment.objects.get()
    client = Client()
    client.force_login(maria)
    page = client.get(f"/wallet/payments/{payment.reference}/")
    assert page.status_code == 200
    assert "Perfect Money USD" in page.content.decode()
    assert "wire 8841" not in page.content.decode()
    client.force_login(program.user)
    assert "wire 8841" in client.get(f"/admin/payments/payment/{payment.pk}/change/").content.decode()
    assert payment.reference in client.get("/admin/payments/payment/", {"gateway": "reported"}).content.decode()
