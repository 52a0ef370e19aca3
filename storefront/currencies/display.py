"""The display currency of the current request, in which amounts are shown in addition to the exact ones.

Nothing is booked in it. Rates are cached, to save a query for each page. The reader's choice is set around a request,
like the language, and its rate is looked up when the first amount is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from babel.numbers import get_currency_precision
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from orders.rules import amounts
from storefront.currencies.models import Currency

CACHE_SECONDS = 30  # seconds
_NAME = "currencies.rates"


@dataclass(frozen=True, slots=True)
class DisplayCurrency:
    """A currency and its rate with the margin: the units of ``code`` that equal one unit of the store currency.

    ``outdated_since`` is when the rate was last confirmed, if its source has failed for too long since.
    """

    code: str
    rate: Decimal
    outdated_since: datetime | None = None

    def of(self, amount: Decimal) -> Decimal:
        """Convert ``amount`` of the store currency to this currency, rounded for display."""
        return amounts.round_for_display(amounts.multiply(amount, self.rate), get_currency_precision(self.code))


class _Choice:
    def __init__(self, code: str) -> None:
        self.code = code

    @cached_property
    def shown(self) -> DisplayCurrency | None:
        return active().get(self.code) if self.code else None


_choice: ContextVar[_Choice | None] = ContextVar("currencies.choice", default=None)


@contextmanager
def override(code: str) -> Iterator[None]:
    """Set the reader's display currency inside a ``with`` block; "" for the store currency only."""
    before = _choice.set(_Choice(code))
    try:
        yield
    finally:
        _choice.reset(before)


def current() -> DisplayCurrency | None:
    """Return the reader's display currency, or None if none was chosen or it is no longer active."""
    choice = _choice.get()
    return choice.shown if choice else None


def active() -> dict[str, DisplayCurrency]:
    """Return the currencies that can be chosen, by code, cached for CACHE_SECONDS seconds in each process."""
    cached: dict[str, DisplayCurrency] | None = cache.get(_NAME)
    if cached is None:
        now = timezone.now()
        rows = Currency.objects.filter(is_active=True, rate__isnull=False).exclude(code=settings.STORE_CURRENCY)
        cached = {
            row.code: DisplayCurrency(row.code, row.customer_rate, row.confirmed_at if row.is_stale(now) else None)
            for row in rows.select_related("source")
            if row.customer_rate is not None
        }
        cache.set(_NAME, cached, CACHE_SECONDS)
    return cached


def clear_cache() -> None:
    """Clear the cached rates after a change: this process uses it at once, the others within CACHE_SECONDS seconds."""
    cache.delete(_NAME)
