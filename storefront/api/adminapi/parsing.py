"""Reading of request bodies: a JSON object or a form, whatever the content type says."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

#: Maximum number of fields of a form.
MAX_FIELDS = 1000


class LenientParser(BaseParser):
    """Parse the body by its first character: clients send JSON without a content type, and forms as JSON.

    Numbers with a fraction become Decimal, because amounts are exact.
    """

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        try:
            text = stream.body.decode()
        except UnicodeDecodeError:
            raise ParseError("The body is not UTF-8.") from None
        return _from_json(text) if text.lstrip()[:1] in ("{", "[") else _from_form(text)


def _from_json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ParseError("The body is not valid JSON.") from None
    if not isinstance(found, dict):
        raise ParseError("The body must be a JSON object.")
    return found


def _from_form(text: str) -> dict[str, Any]:
    try:
        return dict(parse_qsl(text.strip(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise ParseError("The form has too many fields.") from None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")
