"""Matching of links against operators' patterns, in time proportional to the length of the link.

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
    """RE2 does not support this pattern; the message says which part."""


def check(pattern: str) -> None:
    """Raise PatternNotSupported unless RE2 can use ``pattern``; an empty pattern is valid."""
    _compile(pattern)


def matches(pattern: str, link: str) -> bool:
    """Return whether the whole of ``link`` matches ``pattern``. Raises PatternNotSupported."""
    compiled = _compile(pattern)
    try:
        return compiled.fullmatch(link) is not None
    except UnicodeEncodeError:  # a lone surrogate is not valid text, so it is no link
        return False


@lru_cache(maxsize=_CACHE_SIZE)
def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False  # otherwise RE2 writes them to stderr
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as problem:
        raise PatternNotSupported(_text_of(problem)) from None


def _text_of(problem: Exception) -> str:
    """Return the message of ``problem``, which RE2 provides as bytes."""
    message = problem.args[0] if problem.args else ""
    return message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
