"""What an order costs us, in the store currency. No order is placed for more than the customer paid."""

from __future__ import annotations

from decimal import Decimal

from orders.rules import amounts, charges
from providers.models import Offer


def exact(rate: Decimal, quantity: int, *, is_flat: bool, exchange_rate: Decimal) -> Decimal:
    """Return the exact cost of ``quantity`` pieces; not rounded, so that a charge never falls below it by rounding."""
    whole = amounts.multiply(rate, quantity, exchange_rate)
    return whole if is_flat else amounts.divide(whole, charges.PER)


def billed(rate: Decimal, pending_rate: Decimal | None) -> Decimal:
    """Return the rate that the panel bills: a higher rate is billed even while it waits for our approval."""
    return rate if pending_rate is None else max(rate, pending_rate)


def covers(charge: Decimal, offer: Offer, *, quantity: int) -> bool:
    """Return whether ``charge`` pays for ``quantity`` pieces of ``offer``; reads ``offer.provider``."""
    rate = billed(offer.rate, offer.pending_rate)
    return exact(rate, quantity, is_flat=offer.is_flat, exchange_rate=offer.provider.exchange_rate) <= charge
