"""What a customer asked for after the purchase: refills and cancellations in one list, and asking for many. Reads only.

The two are rows of two tables. A page is merged from both, and its key names a place in each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import pgettext

from orders.errors import NotPossible
from orders.lifecycle import customer_requests
from orders.models import Cancellation, Order, Refill
from orders.models.catalog import with_services
from orders.models.customer_request import OPEN_REQUEST, RequestStatus
from orders.models.order import EventKind
from orders.rules.state_machine import Status
from storefront.shop import order_actions

PAGE_SIZE = 25
_KEY = re.compile(r"(\d{1,18})\.(\d{1,18})", re.ASCII)
#: Below the key of the first page lies every row.
_TOP = 2**62


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request as the customer sees it."""

    request: Refill | Cancellation

    @property
    def is_refill(self) -> bool:
        return isinstance(self.request, Refill)

    @property
    def told(self) -> order_actions.RequestStep:
        """How it stands, in words for customers; the reason that is kept for the operator is none of them."""
        kind = EventKind.REFILL if self.is_refill else EventKind.CANCELLATION
        if self.request.is_open and self.request.needs_person:
            return order_actions.BY_STAFF
        if self.request.status == RequestStatus.WAITING:
            return order_actions.WAITING
        is_late = not self.is_refill and self.request.status == RequestStatus.REJECTED
        why = "delivered" if is_late and self.request.order.state is Status.COMPLETED else ""
        return order_actions.line(kind, {"step": self.request.status, "why": why})


@dataclass(frozen=True, slots=True)
class RequestPage:
    """Requests, the newest first. ``newer`` and ``older`` are the keys that lead to the neighbours, "" if none does."""

    rows: list[RequestRow]
    newer: str = ""
    older: str = ""


def page(user: Any, query: QueryDict, *, is_open: bool) -> RequestPage:
    """Two queries: as many rows as a page holds of each table, merged by the time they were asked at."""
    before, after = _key(query.get("before", "")), _key(query.get("after", ""))
    is_upwards = after is not None and before is None
    edge = (after if is_upwards else before) or (_TOP, _TOP)
    found: list[Refill | Cancellation] = []
    for model, key in ((Refill, edge[0]), (Cancellation, edge[1])):
        mine = with_services(model.objects.filter(order__user=user), "order__service")
        if is_open:
            mine = mine.filter(ended_at=None, status__in=OPEN_REQUEST)
        mine = mine.filter(pk__gt=key).order_by("pk") if is_upwards else mine.filter(pk__lt=key).order_by("-pk")
        found += mine[: PAGE_SIZE + 1]
    found.sort(key=lambda row: (row.created_at, isinstance(row, Refill), row.pk), reverse=True)
    is_more = len(found) > PAGE_SIZE
    kept = found[-PAGE_SIZE:] if is_upwards else found[:PAGE_SIZE]
    rows = [RequestRow(row) for row in kept]
    if not kept:
        return RequestPage(rows)
    has_newer, has_older = (is_more, True) if is_upwards else (before is not None, is_more)
    newer = _edge(kept, edge, is_upper=True) if has_newer else ""
    return RequestPage(rows, newer, _edge(kept, edge, is_upper=False) if has_older else "")


def refill_many(user: Any, numbers: Iterable[int]) -> tuple[list[int], Mapping[str, list[int]]]:
    """Asks for a refill of each of the customer's orders: those it was asked for, and the others by the reason."""
    outcome = customer_requests.request_refills(Order.objects.of(user).filter(pk__in=[*numbers]), actor=user)
    reasons: dict[str, list[int]] = {}
    for number, answer in outcome.items():
        if isinstance(answer, NotPossible):
            reasons.setdefault(order_actions.why_not(answer), []).append(number)
    return [number for number, answer in outcome.items() if isinstance(answer, Refill)], reasons


def _key(text: str) -> tuple[int, int] | None:
    found = _KEY.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None


def _edge(rows: list[Refill | Cancellation], start: tuple[int, int], *, is_upper: bool) -> str:
    """The key of an end of the page. A table without a row on it is where the page began, or one beside it."""
    ends = []
    for model, key in ((Refill, start[0]), (Cancellation, start[1])):
        own = [row.pk for row in rows if isinstance(row, model)]
        ends.append((max(own) if is_upper else min(own)) if own else key)
    return f"{ends[0]}.{ends[1]}"


def told_of(numbers: Iterable[int]) -> str:
    """Order numbers as a list in a sentence."""
    return pgettext("between the numbers of a list", ", ").join(map(str, numbers))
