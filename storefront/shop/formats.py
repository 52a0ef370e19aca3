"""Amounts, prices and numbers as the reader's language writes them. For people only; the wire has its own."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, format_decimal
from django.conf import settings
from django.utils.translation import get_language, to_locale

MINUS = "\N{MINUS SIGN}"


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(to_locale(language))
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")


def locale() -> Locale:
    return _locale(get_language() or settings.LANGUAGE_CODE)


def money(amount: Decimal) -> str:
    """The currency's usual decimals, and all that the amount has: a charge of 0.00105 must not read as nothing."""
    sign = MINUS if amount < 0 else ""
    return sign + format_currency(
        abs(amount), settings.STORE_CURRENCY, locale=locale(), currency_digits=True, decimal_quantization=False
    )


def number(value: int | Decimal) -> str:
    return format_decimal(value, locale=locale(), decimal_quantization=False)
