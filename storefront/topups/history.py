"""A customer's top-ups, newest first, found by the key of a page's edge and not by counting rows. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from storefront.topups.models import Status, TopUp

PAGE_SIZE = 25
#: The marks of the style sheet.
MARKS = {
    Status.STARTED: "pending",
    Status.WAITING: "processing",
    Status.CREDITED: "completed",
    Status.REFUSED: "canceled",
    Status.EXPIRED: "canceled",
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page. ``newer`` and ``older`` are the keys that lead to the neighbours, if there are any."""

    rows: list[TopUp]
    newer: int | None
    older: int | None


def page(user: Any, query: QueryDict) -> Page:
    """The page below ``?before=`` or above ``?after=``, or the first; one query."""
    before, after = _key(query.get("before", "")), _key(query.get("after", ""))
    rows = TopUp.objects.of(user)
    if after is not None and before is None:
        found = list(reversed(rows.filter(pk__gt=after).order_by("pk")[: PAGE_SIZE + 1]))
        has_newer, has_older = len(found) > PAGE_SIZE, True
        found = found[-PAGE_SIZE:]
    else:
        found = list((rows.filter(pk__lt=before) if before is not None else rows).order_by("-pk")[: PAGE_SIZE + 1])
        has_newer, has_older = before is not None, len(found) > PAGE_SIZE
        found = found[:PAGE_SIZE]
    return Page(found, found[0].pk if found and has_newer else None, found[-1].pk if found and has_older else None)


def _key(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
