"""Reads what people type into addresses and searches. Nothing typed there may be an error."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import QueryDict

TEXT_MAX = 200
_DIGITS_MAX = 18  # every such number fits a key of the database


def number(text: str) -> int | None:
    """The key in ``text``; None where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX else None


def search(query: QueryDict) -> str:
    """The words that are looked for."""
    return without_nul(query.get("q", "")).strip()[:TEXT_MAX]


def without_nul(text: str) -> str:
    """PostgreSQL keeps no NUL character, and no person types one."""
    return text.replace("\x00", "")


def inputs(query: QueryDict) -> Mapping[str, str]:
    return {name: without_nul(str(text)) for name, text in query.items()}
