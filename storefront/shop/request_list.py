"""The list of a customer's refill and cancellation requests, and refill requests for many orders.

The requests are rows of two tables. A page is merged from both, and its key names a position in each.
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
from orders.models.event_codes import RejectionReason
from orders.models.order import EventKind
from orders.rules.state_machine import Status
from storefront.shop import order_actions

PAGE_SIZE = 25
_KEY = re.compile(r"(\d{1,18})\.(\d{1,18})", re.ASCII)
#: Larger than every primary key: the key of the first page.
_KEY_MAX = 2**62


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request, as the customer sees it."""

    request: Refill | Cancellation

    @property
    def is_refill(self) -> bool:
        return isinstance(self.request, Refill)

    @property
    def step(self) -> order_actions.RequestStep:
        """The current step in words for customers, without the reason that is kept for operators."""
        kind = EventKind.REFILL if self.is_refill else EventKind.CANCELLATION
        if self.request.is_open and self.request.needs_operator:
            return order_actions.BY_STAFF
        if self.request.status == RequestStatus.WAITING:
            return order_actions.WAITING
        is_late = not self.is_refill and self.request.status == RequestStatus.REJECTED
        why = RejectionReason.DELIVERED if is_late and self.request.order.state is Status.COMPLETED else ""
        return order_actions.request_step(kind, {"step": self.request.status, "why": why})


@dataclass(frozen=True, slots=True)
class RequestPage:
    """Requests, newest first. ``newer`` and ``older`` are the keys of the neighboring pages, or ""."""

    rows: list[RequestRow]
    newer: str = ""
    older: str = ""


def list_requests(user: Any, query: QueryDict, *, is_open: bool) -> RequestPage:
    """Return one page of requests in two queries: a page of each table, merged by the time of the request."""
    before, after = _parse_key(query.get("before", "")), _parse_key(query.get("after", ""))
    is_upwards = after is not None and before is None
    edge = (after if is_upwards else before) or (_KEY_MAX, _KEY_MAX)
    requests: list[Refill | Cancellation] = []
    for model, key in ((Refill, edge[0]), (Cancellation, edge[1])):
        own_requests = with_services(model.objects.filter(order__user=user), "order__service")
        if is_open:
            own_requests = own_requests.filter(ended_at=None, status__in=OPEN_REQUEST)
        own_requests = (
            own_requests.filter(pk__gt=key).order_by("pk")
            if is_upwards
            else own_requests.filter(pk__lt=key).order_by("-pk")
        )
        requests += own_requests[: PAGE_SIZE + 1]
    requests.sort(key=lambda row: (row.created_at, isinstance(row, Refill), row.pk), reverse=True)
    is_more = len(requests) > PAGE_SIZE
    page_requests = requests[-PAGE_SIZE:] if is_upwards else requests[:PAGE_SIZE]
    rows = [RequestRow(row) for row in page_requests]
    if not page_requests:
        return RequestPage(rows)
    has_newer, has_older = (is_more, True) if is_upwards else (before is not None, is_more)
    newer = _edge_key(page_requests, edge, is_upper=True) if has_newer else ""
    return RequestPage(rows, newer, _edge_key(page_requests, edge, is_upper=False) if has_older else "")


def request_refills(user: Any, numbers: Iterable[int]) -> tuple[list[int], Mapping[str, list[int]]]:
    """Request a refill for each order. Return the orders that got one, and the others by the reason."""
    outcome = customer_requests.request_refills(Order.objects.of(user).filter(pk__in=[*numbers]), actor=user)
    reasons: dict[str, list[int]] = {}
    for number, answer in outcome.items():
        if isinstance(answer, NotPossible):
            reasons.setdefault(order_actions.why_not(answer), []).append(number)
    return [number for number, answer in outcome.items() if isinstance(answer, Refill)], reasons


def _parse_key(text: str) -> tuple[int, int] | None:
    match = _KEY.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else None


def _edge_key(rows: list[Refill | Cancellation], start: tuple[int, int], *, is_upper: bool) -> str:
    """Return the key of one end of the page. A table without rows on the page keeps its start position."""
    ends = []
    for model, key in ((Refill, start[0]), (Cancellation, start[1])):
        own = [row.pk for row in rows if isinstance(row, model)]
        ends.append((max(own) if is_upper else min(own)) if own else key)
    return f"{ends[0]}.{ends[1]}"


def join_numbers(numbers: Iterable[int]) -> str:
    """Join order IDs for use in a sentence."""
    return pgettext("between the numbers of a list", ", ").join(map(str, numbers))
