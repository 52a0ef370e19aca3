"""Parsing of query parameters, in which nothing that a person types may cause an error."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import QueryDict

TEXT_MAX = 200
_DIGITS_MAX = 18  # every number of this length fits a primary key


def number(text: str) -> int | None:
    """Return ``text`` as a primary key, or None if it cannot be one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX else None


def search(query: QueryDict) -> str:
    """Return the search text ``q``."""
    return without_nul(query.get("q", "")).strip()[:TEXT_MAX]


def without_nul(text: str) -> str:
    """Remove NUL characters, which PostgreSQL cannot store and no person types."""
    return text.replace("\x00", "")


def inputs(query: QueryDict) -> Mapping[str, str]:
    return {name: without_nul(str(text)) for name, text in query.items()}
