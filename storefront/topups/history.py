"""A customer's top-ups, newest first, found by the key of a page's edge and not by counting rows. Reads only."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from storefront import keyset
from storefront.keyset import Page
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


def page(user: Any, query: QueryDict) -> Page[TopUp]:
    """The page below ``?before=`` or above ``?after=``, or the first; one query."""
    return keyset.page(TopUp.objects.of(user), query, PAGE_SIZE)
