"""Keyset pagination, in which the thousandth page costs as much as the first because no rows are counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict

from storefront.web import query_params

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class KeysetPage(Generic[Row]):
    """A page of rows, newest first; ``newer`` and ``older`` are the keys for the adjacent pages, if there are any."""

    rows: list[Row]
    newer: int | None
    older: int | None


def page(rows: QuerySet[Row], query: QueryDict, size: int, *, key: str = "pk") -> KeysetPage[Row]:
    """Return the page below ``?before=`` or above ``?after=``, or the first page.

    One query: it reads one row more than ``size`` to know whether another page follows.

    Args:
        key: A column of unique whole numbers.
    """

    def edge(row: Any) -> int:
        return int(getattr(row, key))

    before, after = query_params.number(query.get("before", "")), query_params.number(query.get("after", ""))
    if after is not None and before is None:
        found = list(reversed(rows.filter(**{f"{key}__gt": after}).order_by(key)[: size + 1]))
        has_newer, has_older = len(found) > size, True
        found = found[-size:]
    else:
        below = rows.filter(**{f"{key}__lt": before}) if before is not None else rows
        found = list(below.order_by(f"-{key}")[: size + 1])
        has_newer, has_older = before is not None, len(found) > size
        found = found[:size]
    return KeysetPage(
        found, edge(found[0]) if found and has_newer else None, edge(found[-1]) if found and has_older else None
    )
