"""Formatting of amounts, prices and numbers in the reader's language; APIs use formats of their own."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, format_decimal
from django.conf import settings
from django.utils.translation import get_language, get_language_bidi, to_locale

MINUS = "\N{MINUS SIGN}"
LEFT_TO_RIGHT, END = "\N{LEFT-TO-RIGHT ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"
_WITHOUT_MARKS = dict.fromkeys(map(ord, "\N{LEFT-TO-RIGHT MARK}\N{RIGHT-TO-LEFT MARK}\N{ARABIC LETTER MARK}"))


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(to_locale(language))
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")


def locale() -> Locale:
    return _locale(get_language() or settings.LANGUAGE_CODE)


def money(amount: Decimal, currency: str = "", *, is_signed: bool = False) -> str:
    """Format an amount with all its decimals, and at least those of its currency.

    It is never rounded, because a charge of 0.00105 must not read as zero.

    Args:
        currency: A currency code; the store currency if omitted.
        is_signed: Whether a positive amount gets a plus sign.
    """
    sign = MINUS if amount < 0 else "+" if is_signed and amount else ""
    text = format_currency(
        abs(amount),
        currency or settings.STORE_CURRENCY,
        locale=locale(),
        currency_digits=True,
        decimal_quantization=False,
    )
    # The direction marks that some locales insert reverse "US$"; an isolate keeps the amount intact in any sentence.
    plain = sign + text.translate(_WITHOUT_MARKS)
    return f"{LEFT_TO_RIGHT}{plain}{END}" if get_language_bidi() else plain


def currency_name(code: str) -> str:
    """Return the currency's name in the reader's language, or its code if there is no name."""
    return str(locale().currencies.get(code, code))


def number(value: int | Decimal) -> str:
    return format_decimal(value, locale=locale(), decimal_quantization=False)
