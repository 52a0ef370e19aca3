"""Parsing, rounding and formatting of amounts and rates; the only module that rounds.

An amount is counted in millionths (10^-6) of the store currency, a rate in units of 10^-8 per 1,000. Both are whole
numbers in the database and ``Decimal`` in Python, so no rounding errors build up.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from functools import lru_cache

from orders.errors import InvalidAmount

AMOUNT_PLACES = 6
RATE_PLACES = 8
QUANTUM = Decimal(1).scaleb(-AMOUNT_PLACES)
RATE_QUANTUM = Decimal(1).scaleb(-RATE_PLACES)

#: Whole numbers of quanta must fit a signed 64-bit column.
LARGEST = 2**63 - 1
#: Enough digits for any product of a rate and a quantity; the default context would round to 28 digits.
_EXACT = Context(prec=60)
_PLAIN_NUMBER = re.compile(r"[+-]?\d{1,20}(\.\d{0,24})?|[+-]?\.\d{1,24}")


def parse(text: str | int | Decimal) -> Decimal:
    """Return the exact number in ``text``.

    Raises:
        InvalidAmount: The text is not in plain decimal notation: no exponent, NaN, infinity or separators.
    """
    if isinstance(text, (int, Decimal)) and not isinstance(text, bool):
        return _finite(Decimal(text))
    plain = str(text).strip()
    if not _PLAIN_NUMBER.fullmatch(plain) or not plain.isascii():
        raise InvalidAmount(f"{plain[:40]!r} is not a number; write it like 12.50")
    return Decimal(plain) or Decimal(0)  # avoids negative zero


def _finite(number: Decimal) -> Decimal:
    """Return ``number``; raise InvalidAmount if it is NaN, infinite, longer than 44 digits or beyond 10^±20."""
    if not number:
        return Decimal(0)  # "0E+999999" written in full would have a million digits
    if not number.is_finite() or abs(number.adjusted()) > 20 or len(number.as_tuple().digits) > 44:
        raise InvalidAmount("not a number we accept")
    return number


def to_units(value: Decimal, places: int) -> int:
    """Return ``value`` as a whole number of 10^-``places``; raise InvalidAmount rather than round or overflow."""
    # Apart from zero nothing beyond 10^±19 fits, and computing with a huge exponent could take arbitrarily long.
    if not value:
        return 0
    if value.is_finite() and abs(value.adjusted()) < 20:
        units = value.scaleb(places, _EXACT)
        whole = int(units)
        if units == whole and abs(whole) <= LARGEST:
            return whole
    raise InvalidAmount(f"{str(value)[:40]} does not fit {places} decimal places in 64 bits")


def from_units(units: int, places: int) -> Decimal:
    """Return the exact value of ``units`` units of 10^-``places``; the inverse of ``to_units``."""
    return Decimal(units).scaleb(-places, _EXACT)


def round_up(value: Decimal, quantum: Decimal = QUANTUM) -> Decimal:
    """Round up to a multiple of ``quantum``; prices and charges round up."""
    return value.quantize(quantum, rounding=ROUND_CEILING, context=_EXACT)


def round_down(value: Decimal, quantum: Decimal = QUANTUM) -> Decimal:
    """Round down to a multiple of ``quantum``; refunds round down."""
    return value.quantize(quantum, rounding=ROUND_FLOOR, context=_EXACT)


def round_half_up(value: Decimal, quantum: Decimal) -> Decimal:
    """Round to the nearest multiple of ``quantum``, halves up, as a tax in an amount is rounded."""
    return value.quantize(quantum, rounding=ROUND_HALF_UP, context=_EXACT)


def round_for_display(value: Decimal, places: int, least_digits: int = 2) -> Decimal:
    """Round to the nearest value for display only, never for booking.

    Args:
        places: Decimal places. A small value gets more, so that it never reads as zero.
        least_digits: The significant digits that a small value shows at least.
    """
    if not value:
        return Decimal(0)
    shown = max(places, least_digits - 1 - value.adjusted())
    rounded = value.quantize(Decimal(1).scaleb(-shown), rounding=ROUND_HALF_UP, context=_EXACT)
    return Decimal(plain(rounded, places))


def multiply(*factors: Decimal | int) -> Decimal:
    """Return the exact product, without rounding to the default 28 digits."""
    product = Decimal(1)
    for factor in factors:
        product = _EXACT.multiply(product, Decimal(factor))
    return product


def divide(dividend: Decimal, divisor: Decimal | int) -> Decimal:
    """Return the quotient to 60 digits; round it with ``round_up`` or ``round_down`` before storing it."""
    return _EXACT.divide(dividend, Decimal(divisor))


@lru_cache(maxsize=8192)
def plain_units(units: int, places: int, least_places: int = 2) -> str:
    """Return ``plain(from_units(units, places))`` for ``units`` of zero or more, in a fraction of the time.

    It is for long responses, in which the same amounts appear many times.
    """
    whole, rest = divmod(units, 10**places)
    fraction = f"{rest:0{places}d}".rstrip("0").ljust(least_places, "0")
    return f"{whole}.{fraction}"


def plain(value: Decimal, least_places: int = 2) -> str:
    """Format ``value`` for APIs and forms: never with an exponent, and with at least ``least_places`` decimals."""
    text = format(value, "f")
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0").ljust(least_places, "0")
    return f"{whole}.{fraction}" if fraction else whole
