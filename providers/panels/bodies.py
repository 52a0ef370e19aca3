"""Parse the body of a panel's answer as JSON, and clean the texts and ids in it. Pure."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from providers.errors import UnreadableAnswer
from providers.http.messages import Answer
from providers.panels.dialect import Dialect
from providers.panels.php_messages import without_php_messages

MAX_ID = 64
MAX_WORDS = 500
#: Longer bodies that are not JSON are pages, not an error text of the panel.
MAX_PLAIN_TEXT = 300
#: Characters that databases and pages reject: control characters except tab and line breaks, and single surrogates.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")
#: An order's number as a panel writes it: whole, or letters and digits with at least one digit, and nothing around it.
_ORDER_NUMBER = re.compile(r"(?=\D*\d)[0-9A-Za-z][0-9A-Za-z_-]{0,63}", re.ASCII)


def parse(answer: Answer, dialect: Dialect, *, is_lenient: bool = False) -> Any:
    """Return the JSON in ``answer``, numbers exact. JSON that was encoded twice is decoded twice.

    A number that we would not accept (NaN, a hundred digits) becomes a string, so that it affects one row only.

    Raises:
        UnreadableAnswer: the body is not JSON.
    """
    constant, whole = (str, _short_int_or_text) if is_lenient else (_refuse_constant, _short_int)
    pairs = None if is_lenient else _refuse_repeated_names
    for repair in (None, dialect.repair, without_php_messages):
        try:
            # Not strict, because many panels put raw line breaks and tabs into texts.
            body = json.loads(
                repair(answer.text) if repair else answer.text,
                strict=False,
                parse_float=Decimal,
                parse_constant=constant,
                parse_int=whole,
                object_pairs_hook=pairs,
            )
        except (ValueError, RecursionError):
            continue
        if isinstance(body, str) and body.lstrip()[:1] in ("{", "[") and body != answer.text:
            return parse(Answer(status=answer.status, text=body), dialect, is_lenient=is_lenient)
        return body
    if not answer.text.strip():
        raise UnreadableAnswer(f"HTTP {answer.status}, an empty answer")
    raise UnreadableAnswer(f"HTTP {answer.status}, not JSON: {shorten(answer.text)}")


def parse_or_text(answer: Answer, dialect: Dialect) -> Any:
    """Return the JSON in ``answer``, or its body as a text where that is one plain sentence ("Invalid API key").

    Raises:
        UnreadableAnswer: the body is neither; pages and broken JSON are no sentences.
    """
    try:
        return parse(answer, dialect)
    except UnreadableAnswer:
        text = answer.text.strip()
        if not text or len(text) > MAX_PLAIN_TEXT or any(mark in text for mark in '<>{}[]"\x00\ufffd'):
            raise
        return text


def shorten(text: str) -> str:
    """Return ``text`` on one line and short enough to keep."""
    # Only the beginning is read, because a body can be megabytes of blanks.
    line = one_line(str(text)[: 20 * MAX_WORDS], None)
    return line if len(line) <= MAX_WORDS else line[:MAX_WORDS] + "…"


def one_line(value: Any, most: int | None) -> str:
    """Return ``value`` as one line of at most ``most`` characters, without characters that no database would take."""
    if not isinstance(value, (str, int, Decimal)) or isinstance(value, bool):
        return ""
    return UNPRINTABLE.sub("", " ".join(str(value).split()))[:most].rstrip()


def scalar(value: Any) -> str:
    """Return an id as text, "" for what cannot be one: nothing, yes/no, zero and below, decimals, long texts."""
    if isinstance(value, Decimal):
        value = whole_id(value)
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return ""
    text = str(value).strip()
    is_fine = 0 < len(text) <= MAX_ID and text.isprintable() and not text.startswith("-") and text.strip("0")
    return text if is_fine else ""


def whole_id(value: Decimal) -> int | None:
    """Return an id that came as ``501.0`` as 501; None for a fraction, and for exponents, which no id is written in."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or not -9 <= exponent < 0 or value.adjusted() > 18:
        return None
    return int(value) if value == int(value) else None


def is_order_number(value: Any) -> bool:
    """Return whether ``value`` is an order's number as panels write them: digits below 2^63, or letters and digits."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return False
    text = str(value)
    return bool(_ORDER_NUMBER.fullmatch(text) and text.strip("0")) and not (text.isdigit() and int(text) >= 2**63)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number we accept")


def _refuse_repeated_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) != len(pairs):
        raise ValueError("a name that occurs twice: one of the two is not true")
    return body


def _short_int(digits: str) -> int:
    if len(digits) > 40:
        raise ValueError("a number of more than 40 digits")
    return int(digits)


def _short_int_or_text(digits: str) -> int | str:
    return int(digits) if len(digits) <= 40 else digits
