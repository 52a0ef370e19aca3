"""Bonus money in a customer's balance, computed from the transfers. Nothing about it is stored."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from orders.models import Account, Transfer
from orders.models.ledger import AccountKind, TransferKind
from orders.rules import bonus_money


def refundable(user: Any) -> Decimal:
    """Return how much of the customer's balance may leave the shop: the balance without bonus money.

    To pay it out, lock the wallet's row first and book in the same transaction. Otherwise a bonus that is given in the
    meantime could be paid out.

    Returns:
        An amount in the store currency, from zero to the balance; zero for a user without a wallet.
    """
    wallet = Account.objects.filter(user=user, kind=AccountKind.WALLET).first()
    if wallet is None:
        return Decimal(0)
    return (wallet.balance or Decimal(0)) - bonus_in(wallet)


def bonus_in(wallet: Account) -> Decimal:
    """Return the bonus money in the wallet. For customers who never had a bonus this takes one query."""
    first = Transfer.objects.filter(wallet=wallet, kind=TransferKind.BONUS).order_by("pk").values_list("pk", flat=True)
    started = first.first()
    return bonus_money.bonus_left(Decimal(0), _movements(wallet, started)) if started else Decimal(0)


def _movements(wallet: Account, first: int) -> Iterator[bonus_money.Movement]:
    """Yield the balance before the transfer ``first`` as one movement, then each transfer from that one on."""
    columns = ("source_id", "amount", "wallet_after", "kind", "order_id")
    rows = Transfer.objects.filter(wallet=wallet, pk__gte=first).order_by("pk").values_list(*columns)
    is_first = True
    for source_id, amount, after, kind, order_id in rows.iterator(chunk_size=2000):
        change = -amount if source_id == wallet.pk else amount
        if is_first:
            yield bonus_money.Movement((after or Decimal(0)) - change)
            is_first = False
        yield bonus_money.Movement(change, kind == TransferKind.BONUS, order_id)
