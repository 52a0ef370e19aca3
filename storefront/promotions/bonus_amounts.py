"""How large a bonus is, and how much of it is taken back. Pure: no I/O, no settings."""

from __future__ import annotations

from decimal import Decimal

from orders.rules import amounts


def of_payment(paid: Decimal, *, percent: Decimal, fixed: Decimal, unit: Decimal) -> Decimal:
    """Return ``percent`` of the paid amount plus ``fixed``, rounded down to ``unit``.

    Args:
        paid: The credited amount, in the store currency.
        unit: The smallest amount of the store currency, such as 0.01.
    """
    return amounts.round_down(amounts.divide(amounts.multiply(paid, percent), 100) + fixed, unit)


def kept(bonus: Decimal, *, paid: Decimal, reversed_amount: Decimal, unit: Decimal) -> Decimal:
    """Return what is left of a bonus, or of a commission, after a part of its payment was reversed.

    It is the share of the payment that was not reversed, rounded down to ``unit``.

    Args:
        paid: The credited amount.
        reversed_amount: How much of it was refunded or charged back in total.
    """
    left = paid - reversed_amount
    if left <= 0:
        return Decimal(0)
    if left >= paid:
        return bonus
    return amounts.round_down(amounts.divide(amounts.multiply(bonus, left), paid), unit)
