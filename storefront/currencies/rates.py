"""Exchange rates for payments in other currencies, and past rates for the books.

A rate is the number of units of a currency that equal one unit of the store currency. The ledger stays in the store
currency: a payment freezes the rate it was started with, and what is credited is an amount of the store currency.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from babel.numbers import get_currency_precision
from django.conf import settings
from django.utils import timezone

from orders.rules import amounts
from storefront.currencies.models import Currency, RateRecord


class NoRate(Exception):
    """There is no rate for a currency at which a payment could be made."""

    def __init__(self, currency: str) -> None:
        super().__init__(f"no exchange rate for {currency}")
        self.currency = currency


def payment_rate(currency: str) -> Decimal:
    """Return the units of ``currency`` that a customer pays for one unit of the store currency.

    The rate includes the margin, is rounded up to 10^-8 and fits a RateField. For the store currency itself it is 1.

    Raises:
        NoRate: The currency has no rate or is not accepted for payments, its rate is outdated because its source has
            failed for too long, or a new rate waits for approval.
    """
    if currency == settings.STORE_CURRENCY:
        return Decimal(1)
    row = Currency.objects.filter(code=currency).select_related("source").first()
    rate = None if row is None else _usable(row, timezone.now())
    if rate is None:
        raise NoRate(currency)
    return rate


def to_pay(amount: Decimal, currency: str) -> tuple[Decimal, Decimal]:
    """Return what a payment of ``amount`` costs in ``currency``, and the rate to freeze with it.

    Args:
        amount: An amount of the store currency, zero or more.

    Returns:
        The amount in ``currency``, rounded up to its smallest unit (0.01 EUR, 1 JPY), and the rate.

    Raises:
        NoRate: As ``payment_rate``.
    """
    rate = payment_rate(currency)
    return amounts.round_up(amounts.multiply(amount, rate), smallest_unit(currency)), rate


def worth(paid: Decimal, rate: Decimal) -> Decimal:
    """Return the amount of the store currency that ``paid`` units of another currency cover at a frozen ``rate``.

    It is rounded down to the millionth. For a payment of exactly the amount of ``to_pay`` credit the amount that was
    asked for instead: this one is larger by what ``to_pay`` rounded up.
    """
    return amounts.round_down(amounts.divide(paid, rate))


def smallest_unit(currency: str) -> Decimal:
    """Return the smallest amount of ``currency`` that can be paid: 0.01 for EUR, 1 for JPY, 0.001 for KWD."""
    return Decimal(1).scaleb(-get_currency_precision(currency))


def currencies_with_rates() -> set[str]:
    """Return the codes for which ``payment_rate`` returns a rate now, the store currency among them; one query."""
    now = timezone.now()
    rows = Currency.objects.select_related("source")
    return {settings.STORE_CURRENCY, *(row.code for row in rows if _usable(row, now) is not None)}


def rate_at(currency: str, moment: datetime) -> Decimal:
    """Return the market rate of ``currency`` at ``moment``, without the margin, for the books.

    Of days more than ``retention.KEPT_DAYS`` ago only the last rate is known. For the store currency the rate is 1.

    Raises:
        NoRate: No rate of that time is known.
    """
    if currency == settings.STORE_CURRENCY:
        return Decimal(1)
    rates = RateRecord.objects.filter(currency=currency, at__lte=moment).order_by("-at", "-id")
    rate = rates.values_list("rate", flat=True).first()
    if rate is None:
        raise NoRate(currency)
    return rate


def _usable(row: Currency, now: datetime) -> Decimal | None:
    """Return the rate for payments, or None if none may be made in this currency now."""
    if row.code == settings.STORE_CURRENCY or not row.is_payable:
        return None
    # While nobody knows whether the old or the new rate is right, the difference would be paid by someone.
    if row.pending_rate is not None or row.is_stale(now):
        return None
    return row.customer_rate
