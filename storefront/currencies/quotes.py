"""Read the rates in the answer of a source and convert them to the store currency; no database and no network.

JSON answers differ in where they put a rate, so each source has a path: names separated by dots, such as
``rates.{currency}``, where ``{currency}`` and ``{base}`` stand for currency codes. In a list a number picks an item by
position, and ``name=value`` the first item with that value: the path for ``[{"cc": "EUR", "rate": 51.3}]`` is
``cc={currency}.rate``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.parsers import expat

from orders.rules import amounts
from storefront.currencies.models import MAX_RATE
from storefront.currencies.problems import FetchProblem, QuoteProblem

#: The base of the ECB's rates.
ECB_BASE = "EUR"
#: The ECB publishes on working days. Its longest break, over Easter or Christmas, has five days between two files.
ECB_MAX_AGE = timedelta(days=7)
#: Rates are kept in units of 10^-8: of a smaller rate than this, too few digits would be left.
SMALLEST, LARGEST = Decimal("0.000001"), MAX_RATE
_NUMBER = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?")
_MISSING = object()

#: A rate as units of the currency per unit of the store currency, or why there is none.
Quote = Decimal | QuoteProblem
Lookup = Callable[[str], Quote]


class UnusableAnswer(Exception):
    """The answer as a whole contains no rates.

    Args:
        detail: A technical detail for operators, without the key.
        retry_after: Seconds after which the source wants to be asked again.
    """

    def __init__(self, problem: FetchProblem, detail: str = "", *, retry_after: int = 0) -> None:
        super().__init__(problem.value)
        self.problem, self.detail, self.retry_after = problem, detail, retry_after


def read_json(
    text: str, *, path: str, base: str, is_inverse: bool, store: str, codes: Iterable[str]
) -> dict[str, Quote]:
    """Return the rates of ``codes`` in a JSON answer.

    Args:
        path: Where a rate is, as described above.
        base: The currency to which the numbers refer.
        is_inverse: Whether a number is the value of one unit of the currency in units of the base, not the reverse.
        store: The store currency.

    Raises:
        UnusableAnswer: The answer is not JSON or has no rate at all, or none for the store currency.
    """
    try:
        data = json.loads(text, parse_float=_decimal, parse_int=_decimal, parse_constant=_decimal)
    except (ValueError, RecursionError):
        raise UnusableAnswer(FetchProblem.NOT_JSON) from None

    def look_up(code: str) -> Quote:
        if code == base:
            return Decimal(1)
        quote = _quote(_at(data, path, {"currency": code, "base": base}))
        if is_inverse and isinstance(quote, Decimal):
            return amounts.divide(Decimal(1), quote)
        return quote

    return _convert(look_up, store, base, codes)


def read_ecb(text: str, *, store: str, codes: Iterable[str], today: date) -> dict[str, Quote]:
    """Return the rates of ``codes`` in a file of the ECB, in the format of ``eurofxref-daily.xml``.

    Of a file with several days the newest is used.

    Raises:
        UnusableAnswer: The file has another format, is too old, or has no rate for the store currency.
    """
    days = _ecb_days(text)
    newest = max(days, default=None)
    if newest is None:
        raise UnusableAnswer(FetchProblem.NOT_XML)
    if newest < today - ECB_MAX_AGE:
        raise UnusableAnswer(FetchProblem.OLD, newest.isoformat())
    rates = days[newest]

    def look_up(code: str) -> Quote:
        return Decimal(1) if code == ECB_BASE else _quote(rates.get(code, _MISSING))

    return _convert(look_up, store, ECB_BASE, codes)


def _ecb_days(text: str) -> dict[date, dict[str, str]]:
    """Return the rates of each day as they are written; empty if the text is not XML or has a document type.

    Nothing of the ECB's format needs a document type. Without one there are no entities that could expand.
    """
    days: dict[date, dict[str, str]] = {}
    current: dict[str, str] = {}

    def start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal current
        if name.rpartition(":")[2] != "Cube":
            return
        if "time" in attributes:
            current = days.setdefault(date.fromisoformat(attributes["time"]), {})
        if "currency" in attributes and "rate" in attributes:
            current[attributes["currency"]] = attributes["rate"]

    def refuse(*_args: Any) -> None:
        raise ValueError("a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text.strip(), True)
    except (expat.ExpatError, ValueError):
        return {}
    return {day: rates for day, rates in days.items() if rates}


def _convert(look_up: Lookup, store: str, base: str, codes: Iterable[str]) -> dict[str, Quote]:
    """Return the rates of ``codes`` per unit of the store currency, from rates per unit of the source's base."""
    found = {code: look_up(code) for code in codes if code != store}
    of_store = look_up(store)
    looked_up = [quote for code, quote in [*found.items(), (store, of_store)] if code != base]
    if looked_up and all(quote is QuoteProblem.MISSING for quote in looked_up):
        raise UnusableAnswer(FetchProblem.NOTHING_FOUND)
    if isinstance(of_store, QuoteProblem):
        raise UnusableAnswer(FetchProblem.NO_STORE_CURRENCY)
    return {
        code: _in_range(amounts.divide(quote, of_store)) if isinstance(quote, Decimal) else quote
        for code, quote in found.items()
    }


def _in_range(rate: Decimal) -> Quote:
    if not SMALLEST <= rate <= LARGEST:
        return QuoteProblem.OUT_OF_RANGE
    return rate.quantize(amounts.RATE_QUANTUM)


def _at(data: Any, path: str, words: Mapping[str, str]) -> Any:
    """Return what is at ``path``, or ``_MISSING``."""
    for part in path.split("."):
        for name, word in words.items():
            part = part.replace(f"{{{name}}}", word)
        key, is_search, value = part.partition("=")
        if isinstance(data, dict):
            data = _member(data, part)
        elif isinstance(data, list) and is_search:
            data = next((item for item in data if isinstance(item, dict) and _is(item.get(key), value)), _MISSING)
        elif isinstance(data, list) and part.isascii() and part.isdigit() and len(part) < 6:
            data = data[int(part)] if int(part) < len(data) else _MISSING
        else:
            return _MISSING
    return data


def _member(data: Mapping[str, Any], name: str) -> Any:
    """Return a member of an object; some sources write currency codes in lower case."""
    return data.get(name, data.get(name.lower(), _MISSING))


def _is(found: Any, value: str) -> bool:
    return isinstance(found, str) and found.upper() == value.upper()


def _quote(value: Any) -> Quote:
    """Return the positive number in ``value``, a number or a text, or why there is none."""
    if value is _MISSING or value is None:
        return QuoteProblem.MISSING
    number = value if isinstance(value, Decimal) else _decimal(value.strip()) if isinstance(value, str) else None
    if number is None or not number.is_finite():
        return QuoteProblem.UNREADABLE
    if number <= 0:
        return QuoteProblem.NOT_POSITIVE
    # The exact arithmetic below must not meet numbers with thousands of digits.
    return number if abs(number.adjusted()) <= 20 else QuoteProblem.OUT_OF_RANGE


def _decimal(text: str) -> Decimal:
    """Return the number in ``text``, also in exponent notation; NaN if it is none, or longer than any rate is."""
    try:
        return Decimal(text) if _NUMBER.fullmatch(text) and text.isascii() else Decimal("NaN")
    except InvalidOperation:
        return Decimal("NaN")
