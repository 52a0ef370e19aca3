"""Cursor pagination: the thousandth page costs as much as the first, and new rows do not move the others."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.response import Response

from storefront.api.rest.problems import Code, Problem

PAGE_SIZE = 50
PAGE_SIZE_MAX = 200
_CURSOR_MAX = 64


class CursorPages(BasePagination):
    """Pages of rows by descending primary key. The cursor is opaque to clients."""

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        size = _size(request.query_params.get("limit"))
        before = _decoded(request.query_params.get("cursor", ""))
        rows = queryset.filter(pk__lt=before) if before is not None else queryset
        # One row more than the page shows whether another page follows.
        found = list(rows.order_by("-pk")[: size + 1])
        self._next = _encoded(found[size - 1].pk) if len(found) > size else None
        return found[:size]

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"data": data, "next_cursor": self._next})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["data", "next_cursor"],
            "properties": {
                "data": schema,
                "next_cursor": {
                    "type": ["string", "null"],
                    "description": "Send it as cursor to read the next page; null on the last page.",
                },
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        limit = {"type": "integer", "minimum": 1, "maximum": PAGE_SIZE_MAX, "default": PAGE_SIZE}
        return [
            _parameter("cursor", "next_cursor of the previous page.", {"type": "string", "maxLength": _CURSOR_MAX}),
            _parameter("limit", "The number of rows on a page.", limit),
        ]


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _size(text: str | None) -> int:
    if text is None:
        return PAGE_SIZE
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= PAGE_SIZE_MAX):
        raise ValidationError({"limit": [f"Enter a number from 1 to {PAGE_SIZE_MAX}."]})
    return int(text)


def _encoded(pk: int) -> str:
    return urlsafe_b64encode(str(pk).encode()).decode().rstrip("=")


def _decoded(cursor: str) -> int | None:
    if not cursor:
        return None
    try:
        text = urlsafe_b64decode(cursor[:_CURSOR_MAX] + "=" * (-len(cursor) % 4)).decode("ascii")
    except (ValueError, binascii.Error):
        raise Problem(Code.INVALID_CURSOR) from None
    if not (text.isdigit() and len(text) < 19):
        raise Problem(Code.INVALID_CURSOR)
    return int(text)
