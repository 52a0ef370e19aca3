"""The filters of the order list: read from the query string and applied to a queryset."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Q, Subquery
from django.http import QueryDict
from django.utils import timezone

from orders.models import Order
from orders.models.order import OrderQuerySet, Source
from orders.models.translation import name_matches
from storefront.shop import order_status
from storefront.web import query_params

#: Number of order IDs that one search can hold.
NUMBERS_MAX = 100


@dataclass(frozen=True, slots=True)
class OrderFilters:
    """Filters of the order list. ``since`` and ``until`` are inclusive days; unknown values are ignored."""

    text: str = ""
    numbers: tuple[int, ...] = ()
    status: order_status.OrderStatusLabel | None = None
    service: int | None = None
    source: str = ""
    since: str = ""
    until: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> OrderFilters:
        text = query_params.search(query)
        words = [word.lstrip("#") for word in re.split(r"[\s,;]+", text) if word]
        numbers = [query_params.number(word) for word in words[:NUMBERS_MAX]]
        source = query.get("source", "")
        return cls(
            text=text,
            numbers=tuple(number for number in numbers if number is not None) if None not in numbers else (),
            status=order_status.BY_CODE.get(query.get("status", "")),
            service=query_params.number(query.get("service", "")),
            source=source if source in Source.values else "",
            since=_day(query.get("from", "")),
            until=_day(query.get("to", "")),
        )

    @property
    def count(self) -> int:
        """Number of filters that are set, including the search; the status is a tab instead."""
        return sum(map(bool, (self.text, self.service, self.source, self.since, self.until)))

    @property
    def is_indexed(self) -> bool:
        """Whether indexes answer all filters that are set."""
        return not (self.service or self.source or (self.text and not self.numbers))

    def apply_indexed(self, user: Any) -> OrderQuerySet:
        """Return the customer's orders, newest first, with the filters that an index answers applied.

        Order IDs grow with time, so a range of days is a range of IDs; its ends are looked up in the index by day.
        """
        orders, own_orders = Order.objects.of(user), Order.objects.filter(user=user)
        if self.numbers:
            orders = orders.filter(pk__in=self.numbers)
        if self.since:
            first = own_orders.filter(created_at__gte=_midnight(self.since)).order_by("created_at")
            orders = orders.filter(pk__gte=Subquery(first.values("pk")[:1]))
        if self.until:
            last = own_orders.filter(created_at__lt=_midnight(self.until, after=1)).order_by("-created_at")
            orders = orders.filter(pk__lte=Subquery(last.values("pk")[:1]))
        if self.status and len(self.status.statuses) == 1:
            orders = orders.filter(status=self.status.statuses[0])
        return orders

    def apply_scanned(self, orders: OrderQuerySet) -> OrderQuerySet:
        """Apply the filters that need a scan: a part of a link or service name, the service, and the source."""
        if self.status:
            orders = orders.filter(status__in=self.status.statuses)
        if self.text and not self.numbers:
            orders = orders.filter(Q(link__icontains=self.text) | name_matches("service", self.text))
        if self.service:
            orders = orders.filter(service=self.service)
        if self.source:
            orders = orders.filter(source=self.source)
        return orders


def _day(text: str) -> str:
    """Return ``text`` if it is an ISO date, else ""."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _midnight(day: str, *, after: int = 0) -> datetime:
    """Return the start of ``day``, or of the day that is ``after`` days later, in the current time zone."""
    try:
        start = date.fromisoformat(day) + timedelta(days=after)
        return timezone.make_aware(datetime.combine(start, time()))
    except OverflowError:
        return timezone.now()
