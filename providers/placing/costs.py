"""What an order costs us, in the store currency. No order is placed for more than the customer paid."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import F, Func
from django.db.models.functions import Coalesce

from orders.db.money_fields import MoneyField
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


class StoreCost(Func):
    """The cost of a Placement in the store currency, at the exchange rate when it was sent, in SQL.

    It is what ``amounts.round_up(amounts.multiply(cost, exchange_rate))`` returns for one row, so that sums agree with
    the pages of the orders: in millionths, rounded up. The rate is split into three parts, because the product of a
    large cost and a rate in units of 10^-8 would not fit 64 bits.
    """

    def __init__(self) -> None:
        super().__init__(Coalesce(F("charged"), F("cost")), F("exchange_rate"), output_field=MoneyField())

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        cost, rate = (compiler.compile(part)[0] for part in self.source_expressions)  # columns have no parameters
        units, middle, low = f"({rate} / 100000000)", f"({rate} / 10000)", f"({rate} - {rate} / 10000 * 10000)"
        middle = f"({middle} - {middle} / 10000 * 10000)"
        last = f"({cost} * {low} + 9999) / 10000"
        return f"({cost} * {units} + ({cost} * {middle} + {last} + 9999) / 10000)", []
