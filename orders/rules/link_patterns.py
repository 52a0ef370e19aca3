"""Match links against the patterns that operators set, in time proportional to the link.

Python's ``re`` backtracks: a pattern such as ``(a+)+b`` takes 20 seconds for 24 characters, and any customer can send
those. RE2 does not backtrack. In exchange it has no look-around, no backreferences and no possessive groups, and its
``\\w``, ``\\d`` and ``\\s`` mean ASCII characters only.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

#: Compiled patterns kept in memory: a large catalog uses a handful of different ones.
_CACHE_SIZE = 512


class PatternNotSupported(ValueError):
    """RE2 does not know this pattern; the text says which part."""


def check(pattern: str) -> None:
    """Raise PatternNotSupported unless ``pattern`` can be used; an empty one can."""
    _compile(pattern)


def matches(pattern: str, link: str) -> bool:
    """Return whether the whole of ``link`` matches ``pattern``. Raises PatternNotSupported."""
    compiled = _compile(pattern)
    try:
        return compiled.fullmatch(link) is not None
    except UnicodeEncodeError:  # half of a surrogate pair: no text, so no link
        return False


@lru_cache(maxsize=_CACHE_SIZE)
def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False  # RE2 writes them to stderr by itself
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as problem:
        raise PatternNotSupported(_text_of(problem)) from None


def _text_of(problem: Exception) -> str:
    """RE2 gives its message as bytes."""
    message = problem.args[0] if problem.args else ""
    return message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
