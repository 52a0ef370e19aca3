"""Read values out of answers and webhooks, which may hold anything. Units and currencies are converted exactly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision

from orders.errors import InvalidAmount
from orders.rules import amounts

#: Longest text that is kept of a field, in characters.
TEXT_MAX = 500


def value(data: Any, *path: str | int) -> Any:
    """Return the value at ``path`` in nested objects and lists, or None."""
    for step in path:
        if isinstance(step, str) and isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(step, int) and isinstance(data, list) and len(data) > step:
            data = data[step]
        else:
            return None
    return data


def text(data: Any, *path: str | int) -> str:
    """Return the text or number at ``path`` as text of at most ``TEXT_MAX`` characters, or "".

    Characters that cannot be printed become blanks.
    """
    found = value(data, *path)
    if not isinstance(found, (str, int)) or isinstance(found, bool):
        return ""
    return "".join(one if one.isprintable() else " " for one in str(found)[:TEXT_MAX])


def is_true(data: Any, *path: str | int) -> bool:
    """Return whether a boolean at ``path`` is true. A text such as "true" is not a boolean."""
    return value(data, *path) is True


def amount(data: Any, *path: str | int) -> Decimal:
    """Return the amount at ``path`` exactly, also one in exponent notation such as ``1e-7``.

    Raises:
        InvalidAmount: There is none, or it is not a plain finite number of zero or more.
    """
    found = value(data, *path)
    if not isinstance(found, (str, int)) or isinstance(found, bool):
        raise InvalidAmount("the amount is missing")
    number = str(found).strip()
    mantissa, exponent, power = number.lower().partition("e")
    parsed = amounts.parse(mantissa)
    if exponent:
        if not re.fullmatch(r"[+-]?[0-9]{1,2}", power):
            raise InvalidAmount(f"{number[:40]!r} is not a number")
        parsed = parsed.scaleb(int(power)) if parsed else parsed
    if parsed < 0:
        raise InvalidAmount("the amount is negative")
    return parsed


def optional_amount(data: Any, *path: str | int) -> Decimal | None:
    """Return the amount at ``path``, or None if there is no valid one. For fees, which nothing depends on."""
    try:
        return amount(data, *path)
    except InvalidAmount:
        return None


def moment(data: Any, *path: str | int) -> datetime | None:
    """Return the time at ``path``, a Unix time in seconds or an ISO 8601 text, or None if there is no valid one."""
    found = text(data, *path)
    try:
        if found.isdecimal() and found.isascii():
            return datetime.fromtimestamp(int(found), UTC)
        parsed = datetime.fromisoformat(found)
    except (ValueError, OverflowError, OSError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def currency(data: Any, *path: str | int) -> str:
    """Return the currency code at ``path`` in upper case, or ""."""
    return text(data, *path).strip().upper()[:12]


def places(code: str) -> int:
    """Return the number of decimal places of a currency; coins that Unicode does not list have two."""
    return int(get_currency_precision(code))


def to_minor(number: Decimal, code: str) -> int:
    """Return the amount in the smallest unit of its currency, such as cents.

    Raises:
        InvalidAmount: The amount has more decimals than the currency.
    """
    return amounts.to_units(number, places(code))


def from_minor(data: Any, *path: str | int, code: str) -> Decimal:
    """Return the amount at ``path``, which is a whole number of the smallest unit of ``code``.

    Raises:
        InvalidAmount: There is none, or it is not a whole number.
    """
    units = amount(data, *path)
    if units != units.to_integral_value():
        raise InvalidAmount("the amount is not a whole number of the smallest unit")
    return amounts.from_units(int(units), places(code))
