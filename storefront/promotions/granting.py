"""Give bonuses and take them back; the only writer of Bonus rows.

Each bonus is one row and one transfer of the ledger, in one transaction. The lock order is the payment's row, the
wallet's row, then the rows of promotions: a payment that is being credited holds the first two already.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django.conf import settings
from django.db import transaction

from orders.ledger import transfers
from orders.models import Account, Transfer
from storefront.promotions import bonus_amounts
from storefront.promotions.models import Bonus, BonusSource, PaymentBonus


def smallest_unit() -> Decimal:
    """Return the smallest amount of the store currency that is given, such as 0.01."""
    return Decimal(1).scaleb(-int(get_currency_precision(settings.STORE_CURRENCY)))


def lock_wallet(user: Any) -> Account:
    """Return the customer's wallet with its row locked, as it is now."""
    return Account.objects.select_for_update().get(pk=transfers.open_wallet(user).pk)


@transaction.atomic
def give(user: Any, *, source: BonusSource, reference: str, amount: Decimal, note: str = "", **links: Any) -> Bonus:
    """Add a bonus to the customer's balance.

    Args:
        reference: Unique among all bonuses; the transfer has it with ``bonus:`` in front.
        note: Stored with the transfer and shown to the customer.
        links: Other columns of Bonus.

    Raises:
        IntegrityError: A bonus with this reference was given before.
        InvalidAmount: The amount is not above zero, or the wallet cannot hold it.
    """
    bonus = Bonus.objects.create(user=user, source=source, reference=reference, amount=amount, **links)
    transfers.book_bonus(transfers.open_wallet(user), amount=amount, reference=reference, note=note)
    return bonus


def note_later_part(payment: Any, *, amount: Decimal) -> None:
    """Add a later part of ``payment`` to what its bonuses belong to, so that a reversal takes back the right share."""
    for bonus in Bonus.objects.select_for_update().filter(payment_number=payment.pk).order_by("pk"):
        bonus.paid = (bonus.paid or Decimal(0)) + amount
        bonus.save(update_fields=["paid"])


def count_given(payment_bonus_id: int | None, amount: Decimal) -> None:
    """Add ``amount``, which may be negative, to what a payment bonus has given. None is a bonus of another source."""
    if payment_bonus_id is not None:
        step = PaymentBonus.objects.select_for_update().get(pk=payment_bonus_id)
        step.given += amount
        step.save(update_fields=["given"])


def owed(bonus: Bonus) -> Decimal:
    """Return how much of the bonus has to be taken back in total, by what was reversed of its payment."""
    if bonus.paid is None:
        return Decimal(0)
    return bonus.amount - bonus_amounts.kept(
        bonus.amount, paid=bonus.paid, reversed_amount=bonus.reversed_amount, unit=smallest_unit()
    )


@transaction.atomic
def follow_reversal(payment: Any, *, amount: Decimal) -> Decimal:
    """Take back the share of the bonuses of ``payment`` that belongs to a reversed part of it, or return it.

    A bonus that the customer has spent cannot be taken from an empty balance: the rest stays on the books as given. If
    the reversal is undone, what was taken back is given again, even if the budget was used by others meanwhile.

    Args:
        payment: A credited payment.
        amount: The part of the credited amount that is reversed now; negative if a reversal is undone.

    Returns:
        What was taken from the balance; negative if it was given again.
    """
    wallet, taken = lock_wallet(payment.user), Decimal(0)
    for bonus in Bonus.objects.select_for_update().filter(payment_number=payment.pk).order_by("pk"):
        bonus.reversed_amount = max(bonus.reversed_amount + amount, Decimal(0))
        wallet.refresh_from_db(fields=["balance"])
        part = min(owed(bonus) - bonus.taken_back, max(wallet.balance or Decimal(0), Decimal(0)))
        if part:
            bonus.taken_back += part
            reference = _next_reference(bonus)
            transfers.book_bonus(wallet, amount=-part, reference=reference, note=bonus.payment_reference)
            count_given(bonus.payment_bonus_id, -part)
            taken += part
        bonus.save(update_fields=["reversed_amount", "taken_back"])
    return taken


def _next_reference(bonus: Bonus) -> str:
    """Return the reference of the next transfer that takes back a part of ``bonus``, whose row is locked."""
    earlier = Transfer.objects.filter(reference__startswith=f"bonus:{bonus.reference}:back:").count()
    return f"{bonus.reference}:back:{earlier + 1}"
