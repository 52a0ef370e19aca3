"""Content negotiation for client programs, which send any ``Accept`` header, or none, and read JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class IgnoreAccept(BaseContentNegotiation):
    """Use the only renderer, and the parser of the content type or else the last one."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        content_type = request.content_type.partition(";")[0].strip().lower()
        *others, last = parsers
        return next((parser for parser in others if parser.media_type == content_type), last)

    def select_renderer(  # type: ignore[override]  # the stubs name other types than DRF returns
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type
