"""The payment audit reports every difference between payments and ledger."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from orders.ledger import audit as books
from orders.ledger import transfers
from orders.models import Account
from storefront.accounts.models import User
from storefront.payments import audit, crediting, payment_rows
from storefront.payments.models import Payment
from tests import factories
from tests.storefront.payments import payments
from tests.storefront.payments.payments import deliver, webhook_of


def test_regular_payments_match_the_ledger(nadia: User) -> None:
    deliver(webhook_of(payments.demo(nadia)))
    deliver(webhook_of(payments.demo(nadia), amount="4"))
    crediting.approve(payments.with_proof(nadia), amount=Decimal(8), actor=factories.staff(), reason="less")
    payments.demo(nadia)
    # A credit from the command line belongs to no gateway, so the audit ignores it.
    transfers.credit_payment(
        Account.objects.get(user=nadia), amount=Decimal(1), gateway="manual", reference="invoice-9"
    )
    assert list(audit.findings()) == []
    assert list(books.findings()) == []


def test_a_credited_payment_without_its_transfer_is_reported(nadia: User) -> None:
    payment = payments.demo(nadia)
    payment_rows.end(payment, "credited")  # type: ignore[arg-type]
    payment.paid_amount = payment.credited_amount = Decimal(10)
    payment.credited_at = payment.ended_at
    payment.save()
    (found,) = audit.findings()
    assert found == (
        f"payment {payment.reference}: 10.00 was credited by its row, but the balance received 0.00 in 0 transfers"
    )
    with pytest.raises(CommandError):
        call_command("audit_ledger", stdout=StringIO())


def test_a_credit_of_another_amount_or_to_another_customer_is_reported(nadia: User) -> None:
    payment, other = payments.demo(nadia), payments.demo(nadia, "7")
    deliver(webhook_of(payment))
    deliver(webhook_of(other, id="p2"))
    Payment.objects.filter(pk=payment.pk).update(credited_amount=Decimal(11))
    Payment.objects.filter(pk=other.pk).update(user=factories.customer("0"))
    found = sorted(audit.findings())
    assert len(found) == 2
    assert any(f"payment {payment.reference}: 11.00" in line and "received 10.00 in 1" in line for line in found)
    assert any(f"payment {other.reference}: 7.00" in line and "received 0.00 in 0" in line for line in found)


def test_a_transfer_without_a_credited_payment_is_reported(nadia: User) -> None:
    wallet, payment = Account.objects.get(user=nadia), payments.demo(nadia)
    transfers.credit_payment(wallet, amount=Decimal(3), gateway="demo", reference="nobody")
    transfers.credit_payment(wallet, amount=Decimal(10), gateway="demo", reference=payment.reference)
    first, second = audit.findings()
    assert first == (
        f"payment {payment.reference}: 0.00 was credited by its row, but the balance received 10.00 in 1 transfers"
    )
    assert second.endswith("there is no payment payment:demo:nobody")
