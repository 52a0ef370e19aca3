"""What an order costs us, in the store currency: nothing is bought for more than the customer paid."""

from __future__ import annotations

from decimal import Decimal

from orders.rules import amounts, charges
from providers.models import Offer


def exact(rate: Decimal, quantity: int, *, is_flat: bool, exchange_rate: Decimal) -> Decimal:
    """The cost of ``quantity`` pieces, unrounded: a charge, which is rounded up, never falls below it by rounding."""
    whole = amounts.multiply(rate, quantity, exchange_rate)
    return whole if is_flat else amounts.divide(whole, charges.PER)


def billed(rate: Decimal, pending_rate: Decimal | None) -> Decimal:
    """The cost to reckon with: a higher one that waits for our approval is what the panel bills already."""
    return rate if pending_rate is None else max(rate, pending_rate)


def covers(charge: Decimal, offer: Offer, *, quantity: int) -> bool:
    """Whether ``charge`` pays for ``quantity`` pieces of ``offer`` as its panel bills them. Reads its provider."""
    rate = billed(offer.rate, offer.pending_rate)
    return exact(rate, quantity, is_flat=offer.is_flat, exchange_rate=offer.provider.exchange_rate) <= charge
