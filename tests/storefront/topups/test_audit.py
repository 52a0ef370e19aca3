"""The audit finds what the writers would never do."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from orders import audit as books
from orders import ledger
from orders.models import Account
from storefront.accounts.models import User
from storefront.topups import audit, crediting
from storefront.topups.models import TopUp
from tests import factories
from tests.storefront.topups import payments
from tests.storefront.topups.payments import deliver, told


def test_what_came_the_usual_ways_adds_up(nadia: User) -> None:
    deliver(told(payments.demo(nadia)))
    deliver(told(payments.demo(nadia), amount="4"))
    crediting.approved(payments.proven(nadia), amount=Decimal(8), actor=payments.staff(), reason="less")
    payments.demo(nadia)
    # From the command line; no gateway of this room has a part in it.
    ledger.top_up(Account.objects.get(user=nadia), amount=Decimal(1), gateway="manual", reference="invoice-9")
    assert list(audit.findings()) == []
    assert list(books.findings()) == []


def test_a_credit_without_its_transfer_is_found(nadia: User) -> None:
    topup = payments.demo(nadia)
    crediting._end(topup, "credited")  # type: ignore[arg-type]
    topup.paid_amount, topup.credited_at = Decimal(10), topup.ended_at
    topup.save()
    (found,) = audit.findings()
    assert found == f"top-up {topup.reference}: 10.00 was credited by its row, the wallet got 0.00 in 0 transfers"
    with pytest.raises(CommandError):
        call_command("audit_ledger", stdout=StringIO())


def test_a_credit_of_another_amount_or_to_another_wallet_is_found(nadia: User) -> None:
    topup, other = payments.demo(nadia), payments.demo(nadia, "7")
    deliver(told(topup))
    deliver(told(other, id="p2"))
    TopUp.objects.filter(pk=topup.pk).update(paid_amount=Decimal(11))
    TopUp.objects.filter(pk=other.pk).update(user=factories.customer("0"))
    found = sorted(audit.findings())
    assert len(found) == 2
    assert any(f"top-up {topup.reference}: 11.00" in line and "got 10.00 in 1" in line for line in found)
    assert any(f"top-up {other.reference}: 7.00" in line and "got 0.00 in 0" in line for line in found)


def test_money_without_a_row_or_before_its_row_says_so_is_found(nadia: User) -> None:
    wallet, topup = Account.objects.get(user=nadia), payments.demo(nadia)
    ledger.top_up(wallet, amount=Decimal(3), gateway="demo", reference="nobody")
    ledger.top_up(wallet, amount=Decimal(10), gateway="demo", reference=topup.reference)
    first, second = audit.findings()
    assert first == f"top-up {topup.reference}: 0.00 was credited by its row, the wallet got 10.00 in 1 transfers"
    assert second.endswith("there is no top-up topup:demo:nobody")
