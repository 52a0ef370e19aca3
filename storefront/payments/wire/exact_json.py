"""JSON whose numbers keep the text in which they were sent. Signatures cover that text, and amounts must stay exact."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any


class Number(str):
    """The literal of a JSON number, such as ``10.20``."""

    __slots__ = ()


def loads(text: bytes | str) -> Any:
    """Return the value in ``text``; its numbers are ``Number``.

    Raises:
        ValueError: It is not JSON, not UTF-8, holds NaN or Infinity, or is nested too deeply.
    """
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        return json.loads(decoded, parse_float=Number, parse_int=Number, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def dumps(value: Any, *, is_sorted: bool = False) -> str:
    """Return compact JSON: raw non-ASCII characters, unescaped slashes, ``Number`` and Decimal as plain numbers.

    Args:
        is_sorted: Whether the keys are sorted, at every depth.
    """
    match value:
        case Number():
            return str(value)
        case Decimal():
            return format(value, "f")
        case dict():
            items = sorted(value.items()) if is_sorted else value.items()
            return "{" + ",".join(f"{_text(key)}:{dumps(one, is_sorted=is_sorted)}" for key, one in items) + "}"
        case list() | tuple():
            return "[" + ",".join(dumps(one, is_sorted=is_sorted) for one in value) + "]"
    return _text(value)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
