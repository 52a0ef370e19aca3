"""Calculation of charges, refunds and selling rates.

A rate is the price per 1,000, or per piece if the service has a flat price. Charges round up to the millionth and
refunds round down, so the sum of refunds never exceeds the charge.
"""

from __future__ import annotations

from decimal import Decimal

from orders.rules import amounts

PER = 1000


def charge(rate: Decimal, quantity: int, *, is_flat: bool) -> Decimal:
    """Return the charge for ``quantity`` pieces, in the currency of ``rate``.

    Args:
        rate: Price per 1,000, or per piece if ``is_flat``.
    """
    if quantity <= 0 or rate < 0:
        raise ValueError("a charge needs a quantity above zero and a rate of zero or more")
    whole = amounts.multiply(rate, quantity)
    return amounts.round_up(whole if is_flat else amounts.divide(whole, PER))


def apply_discount(rate: Decimal, percent: Decimal) -> Decimal:
    """Return ``rate`` less ``percent`` of it, rounded up to 10^-8 so that the discount never exceeds the percentage."""
    if not percent:
        return rate
    return amounts.round_up(amounts.divide(amounts.multiply(rate, 100 - percent), 100), amounts.RATE_QUANTUM)


def refund(charged: Decimal, *, quantity: int, remains: int) -> Decimal:
    """Return the total refund if ``remains`` of ``quantity`` were not delivered.

    ``remains`` is limited to the range from 0 to ``quantity``.
    """
    undelivered = min(max(remains, 0), quantity)
    if undelivered == quantity:
        return charged
    return amounts.round_down(amounts.divide(amounts.multiply(charged, undelivered), quantity))


def sell_rate(cost_rate: Decimal, *, exchange_rate: Decimal, markup_percent: Decimal) -> Decimal:
    """Return the selling rate: cost in the store currency plus markup, rounded up to 10^-8 and never below cost."""
    marked_up = amounts.multiply(cost_rate, exchange_rate, 1 + amounts.divide(max(markup_percent, Decimal(0)), 100))
    return amounts.round_up(marked_up, amounts.RATE_QUANTUM)
