"""Charge and refund arithmetic for every service type. Pure.

A rate is the price per 1,000, or of one piece where the service is flat. Charges round up to the millionth,
refunds round down, so the sum of refunds never passes the charge.
"""

from __future__ import annotations

from decimal import Decimal

from orders.rules import amounts

PER = 1000


def charge(rate: Decimal, quantity: int, *, is_flat: bool) -> Decimal:
    """What ``quantity`` costs at ``rate``, in the currency of the rate. Flat: the rate once for each piece."""
    if quantity <= 0 or rate < 0:
        raise ValueError("a charge needs a quantity above zero and a rate of zero or more")
    whole = amounts.multiply(rate, quantity)
    return amounts.round_up(whole if is_flat else amounts.divide(whole, PER))


def apply_discount(rate: Decimal, percent: Decimal) -> Decimal:
    """``rate`` less ``percent`` of it, rounded up to 10^-8: the price is never below what the percentage says."""
    if not percent:
        return rate
    return amounts.round_up(amounts.divide(amounts.multiply(rate, 100 - percent), 100), amounts.RATE_QUANTUM)


def refund(charged: Decimal, *, quantity: int, remains: int) -> Decimal:
    """What goes back in all when ``remains`` of ``quantity`` were not delivered; ``remains`` is clamped to the two."""
    undelivered = min(max(remains, 0), quantity)
    if undelivered == quantity:
        return charged
    return amounts.round_down(amounts.divide(amounts.multiply(charged, undelivered), quantity))


def sell_rate(cost_rate: Decimal, *, exchange_rate: Decimal, markup_percent: Decimal) -> Decimal:
    """The rate we sell at: cost in the store currency plus the markup, rounded up to 10^-8, and never below cost."""
    marked_up = amounts.multiply(cost_rate, exchange_rate, 1 + amounts.divide(max(markup_percent, Decimal(0)), 100))
    return amounts.round_up(marked_up, amounts.RATE_QUANTUM)
