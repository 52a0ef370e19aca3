"""What a customer pays for an amount: the fee of the payment method, and the currency that it is paid in."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from orders.rules import amounts
from storefront.currencies import rates
from storefront.payments import gateways
from storefront.payments.models import PaymentMethod
from storefront.payments.wire import reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The price of a payment, frozen when it starts.

    Args:
        amount: What the balance receives, in the store currency.
        fee: What the customer pays on top of it, in the store currency.
        pay_amount: What the customer pays in total, in ``pay_currency``.
        exchange_rate: Units of ``pay_currency`` per unit of the store currency.
    """

    amount: Decimal
    fee: Decimal
    pay_amount: Decimal
    pay_currency: str
    exchange_rate: Decimal


def quote(method: PaymentMethod, amount: Decimal) -> Quote:
    """Return what ``amount`` costs with ``method``. The fee and the converted amount are rounded up.

    Raises:
        rates.NoRate: There is no current exchange rate for the currency of the method.
    """
    smallest = Decimal(1).scaleb(-reading.places(settings.STORE_CURRENCY))
    percent = amounts.multiply(amount, method.fee_percent) / 100
    fee = amounts.round_up(percent + method.fee_fixed, smallest)
    total, exchange_rate = amount + fee, Decimal(1)
    if method.is_foreign:
        total, exchange_rate = rates.to_pay(total, method.pay_currency)
    if gateways.GATEWAYS[method.gateway].has_whole_amounts:
        total = amounts.round_up(total, Decimal(1))
    return Quote(
        amount=amount, fee=fee, pay_amount=total, pay_currency=method.pay_currency, exchange_rate=exchange_rate
    )
