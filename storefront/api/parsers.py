"""Parsers of the APIs."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import UnreadablePostError
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser


class JsonParser(BaseParser):
    """Parse a JSON body strictly: UTF-8, no NaN, one value.

    The body is read through Django's request, which refuses one that is too large.
    """

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return orjson.loads(stream.body)
        except UnreadablePostError:
            raise ParseError("The body ended early.") from None
        except orjson.JSONDecodeError as problem:
            raise ParseError(f"The body is not valid JSON: {problem}.") from None
