"""Pages of lists: ``limit`` and ``offset``, and the links to the pages before and after."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from storefront.api.adminapi import envelope

Row = TypeVar("Row", bound=Model)


def cut(rows: QuerySet[Row], query: dict[str, Any]) -> QuerySet[Row]:
    """Return the page that ``query`` asks for."""
    return rows[query["offset"] : query["offset"] + query["limit"]]


def answer(request: Request, query: dict[str, Any], rows: list[dict[str, Any]]) -> Response:
    """Return the page. ``count`` is the number of its rows, because counting millions of rows takes too long."""
    offset, limit = query["offset"], query["limit"]
    pagination = {
        "prev_page_href": _link(request, max(offset - limit, 0), limit) if offset else "",
        "next_page_href": _link(request, offset + limit, limit) if len(rows) == limit else "",
        "offset": offset,
        "limit": limit,
    }
    return envelope.success({"count": len(rows), "list": rows}, pagination=pagination)


def handed_out(rows: list[dict[str, Any]]) -> Response:
    """Return what a program has taken over."""
    return envelope.success({"count": len(rows), "list": rows})


def _link(request: Request, offset: int, limit: int) -> str:
    query = request.query_params.copy()
    for name in ("apikey", "key"):  # a link is copied into logs and messages
        query.pop(name, None)
    query["offset"], query["limit"] = str(offset), str(limit)
    return f"{request.path}?{query.urlencode()}"
