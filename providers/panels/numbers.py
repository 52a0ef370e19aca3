"""Read the numbers and flags in a panel's answer: one reader for amounts, rates, balances and quantities. Pure."""

from __future__ import annotations

import html
import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from orders.errors import InvalidAmount
from providers.panels.currencies import CODES, WORDS, read_currency

MAX_TEXT = 60
#: Numbers beyond 10^±12, or with more digits than this, are not amounts.
MAX_EXPONENT, MAX_DIGITS = 12, 44
_LARGEST_WHOLE = 2**62
_LARGEST = Decimal(10) ** MAX_EXPONENT
#: The form in which nearly every panel writes a number; a fast path.
_PLAIN = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?", re.ASCII)
_SCIENTIFIC = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][+-]?[0-9]{1,3}", re.ASCII)
#: Characters before and after the digits: letters (a code or a word), signs, blanks.
_DECORATED = re.compile(
    # A full stop before the digits belongs to an abbreviation ("Rs. 5") or to the number ("$.50").
    r"(?P<sign>[+-]?)(?P<before>[^0-9.,+-]*[^\W\d_]\.|[^0-9.,+-]*)\s*(?P<inner>[+-]?)\s*"
    r"(?P<digits>[0-9][0-9., ']*[0-9]|[0-9]\.?|\.[0-9]+|[0-9][0-9., ']*[0-9]\.)\s*(?P<after>[^0-9,+-]*)"
)
#: Blanks and apostrophes that group digits, and dashes that are meant as a minus.
_ALIKE = str.maketrans(
    {**dict.fromkeys("\u00a0\u2000\u2002\u2003\u2007\u2008\u2009\u200a\u202f\u205f\t", " ")}
    | {**dict.fromkeys("\u2019\u02bc`\u2032", "'"), **dict.fromkeys("\u2212\u2013", "-")}
    | dict.fromkeys("\u200b\u200e\u200f\u2060\ufeff\u202a\u202b\u202c\u2066\u2067\u2068\u2069", "")
)
_GROUPED = {
    # Groups of three; after a comma also the Indian way, 12,34,567: pairs, and three digits at the end.
    ",": re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}", re.ASCII),
    ".": re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+", re.ASCII),
    " ": re.compile(r"[1-9][0-9]{0,2}(?: [0-9]{3})+", re.ASCII),
    "'": re.compile(r"[1-9][0-9]{0,2}(?:'[0-9]{3})+", re.ASCII),
}


class Amount(NamedTuple):
    """A number and the currency code written beside it, "" where there is none."""

    number: Decimal
    currency: str


def read_number(value: Any) -> Decimal:
    """Return the exact number in ``value``: a JSON number, or a text as panels write them.

    A sign or word of a currency before or after the digits is left out ("$0.50", "Rs. 500.25", "12.50 EUR"). What the
    separators mean:

    - A single point is the decimal point, however many digits follow: every panel writes decimals so ("1.234").
    - Points and commas together: the last one is the decimal mark, the others group thousands ("1,234.50", "1.234,56").
    - Blanks and apostrophes group thousands; a point or comma after them is the decimal mark ("15 000", "1 234,50").
    - Several commas, or several points, group thousands ("1,234,567", "12,34,567").
    - A single comma is the decimal mark unless it may as well group thousands, which is when one to three digits stand
      before it, the first of them not a zero, and exactly three behind it: "12,50" and "0,125" are read, "1,234" is
      ambiguous and is not.

    Raises:
        InvalidAmount: anything else: NaN, infinities, booleans, ambiguous separators, other words, a number beyond
            10^±12 or with more than 44 digits.
    """
    return read_amount_and_currency(value).number


def read_amount_and_currency(value: Any) -> Amount:
    """Return the number in ``value``, read as ``read_number`` does, with the currency code that is written beside it.

    Raises:
        InvalidAmount: there is no such number.
    """
    if isinstance(value, str):
        text = value.strip()
        if _PLAIN.fullmatch(text):
            return Amount(_check(Decimal(text)), "")
        return _read_text(text)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise InvalidAmount("not a number")
    return Amount(_check(Decimal(value)), "")


def read_amount(value: Any) -> Decimal | None:
    """Return the number in ``value``, or None where it is no number (see ``read_number``)."""
    if isinstance(value, str) and _PLAIN.fullmatch(value):  # nearly always: each of a hundred statuses has a charge
        number = Decimal(value)
        return number if -_LARGEST < number < _LARGEST and number else _or_none(value)
    return _or_none(value)


def read_whole(value: Any) -> int | None:
    """Return the whole number in ``value``, or None where it is none.

    A quantity has no fraction, so a comma before three digits can only group thousands: "10,000" is ten thousand. A
    point before three digits ("1.000") may be either and is not read.
    """
    if isinstance(value, str):
        text = value.strip()
        if len(text) < 19 and text.isascii() and text.isdigit():
            return int(text)  # nearly always: a hundred statuses have two hundred of them
        if _GROUPED[","].fullmatch(text):
            return int(text.replace(",", ""))
        if _GROUPED["."].fullmatch(text) and text.count(".") == 1:
            return None
    elif type(value) is int:
        return value if abs(value) < _LARGEST_WHOLE else None
    number = read_amount(value)
    is_whole = number is not None and number == number.to_integral_value() and abs(number) < _LARGEST_WHOLE
    return int(number) if number is not None and is_whole else None


def read_flag(value: Any) -> bool:
    """Return whether ``value`` says yes."""
    if isinstance(value, bool) or value is None:
        return value is True
    return str(value).strip().lower() in ("1", "true", "yes")


def _or_none(value: Any) -> Decimal | None:
    try:
        return read_number(value)
    except InvalidAmount:
        return None


def _read_text(text: str) -> Amount:
    if len(text) > MAX_TEXT:
        raise InvalidAmount(f"{text[:40]!r} is not a number")
    plain = (html.unescape(text) if "&" in text else text).translate(_ALIKE).strip().removesuffix("/-")
    if _SCIENTIFIC.fullmatch(plain):
        return Amount(_to_decimal(plain), "")
    match = _DECORATED.fullmatch(plain)
    if match is None or (match["sign"] and match["inner"]):
        raise InvalidAmount(f"{text[:40]!r} is not a number")
    currencies = {_currency_beside(match[name], text) for name in ("before", "after")} - {""}
    if len(currencies) > 1:
        raise InvalidAmount(f"{text[:40]!r} names two currencies")
    sign = match["sign"] or match["inner"]
    return Amount(_to_decimal(sign + _separate(match["digits"], text)), currencies.pop() if currencies else "")


def _currency_beside(words: str, text: str) -> str:
    """Return the code in what stands beside the digits; raises InvalidAmount unless all of it belongs to a currency."""
    code = ""
    for word in words.replace(".", " ").split():
        letters = "".join(character for character in word if unicodedata.category(character) != "Sc")
        is_sign = letters != word and len(letters) <= 2  # "$", "US$", "R$"
        if letters.upper() in CODES:
            code = read_currency(letters)
        elif not is_sign and letters.lower() not in WORDS:
            raise InvalidAmount(f"{text[:40]!r} is not a number")
    return code


def _separate(digits: str, text: str) -> str:
    """Return ``digits`` with a point as the decimal mark and nothing between thousands; see ``read_number``."""
    ambiguous = InvalidAmount(f"{text[:40]!r} is ambiguous: its separators can mean two numbers")
    groupers = {mark for mark in " '" if mark in digits}
    if len(groupers) > 1:
        raise ambiguous
    marks = [character for character in digits if character in ".,"]
    if groupers:
        if len(marks) > 1:
            raise ambiguous
        whole, fraction = _split_at(digits, marks[0]) if marks else (digits, "")
        return _ungroup(whole, groupers.pop(), ambiguous) + fraction
    if not marks:
        return digits
    last = marks[-1]
    if len(set(marks)) == 2:
        if marks.count(last) > 1:
            raise ambiguous
        whole, fraction = _split_at(digits, last)
        return _ungroup(whole, marks[0], ambiguous) + fraction
    if len(marks) > 1:
        return _ungroup(digits, last, ambiguous)
    if last == "," and _GROUPED[","].fullmatch(digits):
        raise ambiguous
    return digits.replace(",", ".")


def _split_at(digits: str, mark: str) -> tuple[str, str]:
    whole, _, fraction = digits.rpartition(mark)
    return whole, f".{fraction}" if fraction else ""


def _ungroup(whole: str, mark: str, ambiguous: InvalidAmount) -> str:
    if not _GROUPED[mark].fullmatch(whole):
        raise ambiguous
    return whole.replace(mark, "")


def _to_decimal(text: str) -> Decimal:
    try:
        return _check(Decimal(text))
    except InvalidOperation:
        raise InvalidAmount(f"{text[:40]!r} is not a number") from None


def _check(number: Decimal) -> Decimal:
    """Return ``number``; raises InvalidAmount if it is NaN, infinite, or of a size that nobody means."""
    if not number:
        return Decimal(0)  # "0E+999999" would take a million digits to write down
    is_sane = number.is_finite() and abs(number.adjusted()) <= MAX_EXPONENT
    if not is_sane or len(number.as_tuple().digits) > MAX_DIGITS:
        raise InvalidAmount("not a number we accept")
    return number
