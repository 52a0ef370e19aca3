"""Parse the body of a panel's answer as JSON, and clean the texts and ids in it. Pure."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from providers.dialect import Answer, Dialect
from providers.errors import UnreadableAnswer
from providers.panels.php_messages import without_php_messages

MAX_ID = 64
MAX_WORDS = 500
#: Characters that no database or page takes: control characters but tab and line breaks, and halves of surrogate pairs.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")


def parse(answer: Answer, dialect: Dialect, *, is_lenient: bool = False) -> Any:
    """The JSON in ``answer``, numbers exact. Raises UnreadableAnswer for anything else.

    Lenient: a number that we would not accept (NaN, a hundred digits) becomes a text: it spoils one row, not the list.
    """
    constant, whole = (str, _short_int_or_text) if is_lenient else (_no_constant, _short_int)
    pairs = None if is_lenient else _no_twins
    for repair in filter(None, (str, dialect.repair, without_php_messages)):
        try:
            # Not strict: many panels put raw line breaks and tabs into texts.
            return json.loads(
                repair(answer.text),
                strict=False,
                parse_float=Decimal,
                parse_constant=constant,
                parse_int=whole,
                object_pairs_hook=pairs,
            )
        except (ValueError, RecursionError):
            continue
    raise UnreadableAnswer(f"HTTP {answer.status}, not JSON: {shorten(answer.text)}")


def shorten(text: str) -> str:
    """``text`` on one line and short enough to keep."""
    line = one_line(str(text), None)
    return line if len(line) <= MAX_WORDS else line[:MAX_WORDS] + "…"


def scalar(value: Any) -> str:
    """An id as text, "" for what cannot be one: nothing, yes/no, zero and below, numbers with decimals, long texts."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return ""
    text = str(value).strip()
    is_fine = 0 < len(text) <= MAX_ID and text.isprintable() and not text.startswith("-") and text.strip("0")
    return text if is_fine else ""


def one_line(value: Any, most: int | None) -> str:
    """``value`` as one line of at most ``most`` characters. A NUL or half a character no database would take."""
    if not isinstance(value, (str, int, Decimal)) or isinstance(value, bool):
        return ""
    return UNPRINTABLE.sub("", " ".join(str(value).split()))[:most].rstrip()


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number we accept")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name that stands twice: one of the two is not true")
    return found


def _short_int(digits: str) -> int:
    if len(digits) > 40:
        raise ValueError("a number of more than 40 digits")
    return int(digits)


def _short_int_or_text(digits: str) -> int | str:
    return int(digits) if len(digits) <= 40 else digits
