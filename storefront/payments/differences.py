"""Decide what to credit when another amount arrives than the customer was asked for."""

from __future__ import annotations

from decimal import Decimal

from orders.rules import amounts
from storefront.payments.models import DifferencePolicy


def amount_due(
    amount: Decimal, *, expected: Decimal, received: Decimal, policy: str, tolerance_percent: Decimal
) -> Decimal | None:
    """Return what the wallet should have received by now, in the store currency; None if staff have to decide.

    Args:
        amount: What the wallet receives for ``expected``.
        expected: What the customer was asked for, in the currency of the payment.
        received: What has arrived so far in total, in the same currency.
        tolerance_percent: Differences of up to this part of ``expected`` count as none.
    """
    tolerated = amounts.multiply(expected, tolerance_percent) / 100
    if abs(received - expected) <= tolerated:
        return amount
    if policy == DifferencePolicy.CREDIT:
        return amounts.round_down(amounts.divide(amounts.multiply(amount, received), expected))
    return None
