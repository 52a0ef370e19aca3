"""Pages found by the key of their edge, not by counting rows: the thousandth page costs what the first one does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict

from storefront import asking

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows, newest first. ``newer`` and ``older`` are the keys that lead to the neighbours, if there are any."""

    rows: list[Row]
    newer: int | None
    older: int | None


def page(rows: QuerySet[Row], query: QueryDict, size: int) -> Page[Row]:
    """The page below ``?before=`` or above ``?after=``, or the first. One query: one more row says what follows."""
    before, after = asking.number(query.get("before", "")), asking.number(query.get("after", ""))
    if after is not None and before is None:
        found = list(reversed(rows.filter(pk__gt=after).order_by("pk")[: size + 1]))
        has_newer, has_older = len(found) > size, True
        found = found[-size:]
    else:
        found = list((rows.filter(pk__lt=before) if before is not None else rows).order_by("-pk")[: size + 1])
        has_newer, has_older = before is not None, len(found) > size
        found = found[:size]
    return Page(found, found[0].pk if found and has_newer else None, found[-1].pk if found and has_older else None)
