"""The currency that whoever reads this page wants to see amounts in, beside the exact ones. Nothing is booked by it.

The rates are kept in the cache for a moment, so that pages need not ask. A reader's choice is set around a request, as
the language is, and looked up when the first amount is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from babel.numbers import get_currency_precision
from django.conf import settings
from django.core.cache import cache

from orders.rules import amounts
from storefront.currencies.models import Currency

KEPT = 30  # seconds
_NAME = "currencies.rates"


@dataclass(frozen=True, slots=True)
class DisplayCurrency:
    """``rate``: how many units of ``code`` one unit of the store currency is."""

    code: str
    rate: Decimal

    def of(self, amount: Decimal) -> Decimal:
        """``amount`` of the store currency in this one, as it is written for people."""
        return amounts.round_for_display(amounts.multiply(amount, self.rate), get_currency_precision(self.code))


class _Choice:
    def __init__(self, code: str) -> None:
        self.code = code

    @cached_property
    def shown(self) -> DisplayCurrency | None:
        rate = active().get(self.code) if self.code else None
        return None if rate is None else DisplayCurrency(self.code, rate)


_choice: ContextVar[_Choice | None] = ContextVar("currencies.choice", default=None)


@contextmanager
def override(code: str) -> Iterator[None]:
    """Within it, ``code`` is what the reader chose; "" for the store currency alone."""
    before = _choice.set(_Choice(code))
    try:
        yield
    finally:
        _choice.reset(before)


def current() -> DisplayCurrency | None:
    """What the reader chose; None where nothing was chosen, or the shop no longer shows it."""
    choice = _choice.get()
    return choice.shown if choice else None


def active() -> dict[str, Decimal]:
    """The rates of the currencies that can be chosen. One query at most once in half a minute for each process."""
    found: dict[str, Decimal] | None = cache.get(_NAME)
    if found is None:
        rows = Currency.objects.filter(is_active=True).exclude(code=settings.STORE_CURRENCY)
        found = dict(rows.values_list("code", "rate"))
        cache.set(_NAME, found, KEPT)
    return found


def forget() -> None:
    """A currency has changed: this process shows it at once, the others within half a minute."""
    cache.delete(_NAME)
