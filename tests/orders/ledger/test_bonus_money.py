"""Bonuses in the ledger, and how much of a balance may be paid out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from orders.errors import InsufficientFunds, InvalidAmount, ReferenceReused
from orders.ledger import audit, bonus_money, transfers
from orders.lifecycle import fulfillment
from orders.models import Account, Transfer
from orders.models.ledger import AccountKind, TransferKind
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_bonus_is_given_once_and_taken_back_once(settings: Any) -> None:
    settings.ORDERS_AUDITS = []  # only the ledger is looked at: no promotion gave this bonus
    wallet = factories.customer("10").wallet
    given = transfers.book_bonus(wallet, amount=Decimal(3), reference="payment:1", note="Payment bonus")
    assert given == transfers.book_bonus(wallet, amount=Decimal(3), reference="payment:1")
    taken = transfers.book_bonus(wallet, amount=Decimal(-2), reference="payment:1:back:1")
    assert (given.kind, given.reference, given.source.kind) == (
        TransferKind.BONUS,
        "bonus:payment:1",
        AccountKind.BONUSES,
    )
    assert (taken.target.code, taken.wallet_after) == ("bonuses", Decimal(11))
    with pytest.raises(ReferenceReused):
        transfers.book_bonus(wallet, amount=Decimal(4), reference="payment:1")
    with pytest.raises(InvalidAmount):
        transfers.book_bonus(wallet, amount=Decimal(0), reference="payment:2")
    with pytest.raises(InsufficientFunds):
        transfers.book_bonus(wallet, amount=Decimal(-12), reference="payment:1:back:2")
    assert list(audit.findings()) == []


def test_a_bonus_cannot_be_paid_out() -> None:
    buyer = factories.customer("1")
    assert bonus_money.refundable(buyer) == 1
    transfers.book_bonus(buyer.wallet, amount=Decimal("0.05"), reference="a")
    sold = factories.service(rate="10.2")
    order = factories.order(buyer, sold, status="pending")  # 1.02 of 1.05: 0.02 of the bonus
    assert bonus_money.refundable(buyer) == 0
    assert bonus_money.bonus_in(buyer.wallet) == Decimal("0.03")
    fulfillment.cancel(order.pk)
    assert bonus_money.refundable(buyer) == 1
    assert bonus_money.bonus_in(buyer.wallet) == Decimal("0.05")


def test_without_a_bonus_the_whole_balance_is_refundable() -> None:
    buyer, newcomer, other = factories.customer("7"), factories.user(), factories.customer("5")
    transfers.book_bonus(other.wallet, amount=Decimal(2), reference="a")
    factories.order(buyer)
    assert bonus_money.refundable(buyer) == Account.objects.get(user=buyer).balance
    assert bonus_money.refundable(newcomer) == 0


def test_the_audit_reports_a_bonus_on_another_account() -> None:
    wallet = factories.customer("5").wallet
    house = {kind: Account.objects.get(code=kind) for kind in ("bonuses", "adjustments")}
    rows = (("bonus", house["adjustments"], 6), ("adjustment", house["bonuses"], 7))
    for kind, source, after in rows:
        Transfer.objects.create(
            kind=kind, reference=f"forged-{kind}", source=source, target=wallet, amount=Decimal(1), wallet=wallet,
            wallet_after=Decimal(after),
        )  # fmt: skip
    found = [line for line in audit.findings() if "account of bonuses" in line]
    assert len(found) == 2
