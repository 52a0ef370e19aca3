"""Requests and answers of the HTTP client: Call and Answer. Pure: no I/O, no Django."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Params = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One HTTP request, ready to be sent.

    ``query`` goes into the URL, ``form`` into a urlencoded body, ``json`` into a JSON body, and ``content`` is a
    finished body whose type is in ``headers``; one of them is set.
    ``is_write`` marks a call that changes something at the server, so it is never repeated automatically.
    ``secrets`` are texts that must not reach a log, an exception or the database; fields that may contain them are
    not in the repr.
    """

    verb: str
    method: Literal["GET", "POST"]
    url: str
    query: Params = field(default=(), repr=False)
    form: Params = field(default=(), repr=False)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    headers: Params = field(default=(), repr=False)
    is_write: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer: the HTTP status, the body as text, and the time it took in milliseconds."""

    status: int
    text: str
    content_type: str = ""
    elapsed_ms: int = 0
    retry_after: int | None = None
