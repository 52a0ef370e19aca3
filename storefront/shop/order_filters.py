"""What a customer looks for among the orders: read from the address, and laid on a question. No query of its own."""

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

#: How many order numbers can be looked for at once.
NUMBERS_MAX = 100


@dataclass(frozen=True, slots=True)
class OrderFilters:
    """``since`` and ``until`` are days, both included. What is no choice of ours counts as not asked."""

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
    def filters(self) -> int:
        """How many filters are set, the search among them; the status is a tab of its own."""
        return sum(map(bool, (self.text, self.service, self.source, self.since, self.until)))

    @property
    def is_indexed(self) -> bool:
        """Whether indexes lead to every order that is found, and to no others."""
        return not (self.service or self.source or (self.text and not self.numbers))

    def narrow(self, user: Any) -> OrderQuerySet:
        """The customer's orders as far as indexes answer: numbers, days, a status of one word, newest first.

        Orders are numbered as they come, so days are a range of numbers; its ends are looked up by the days' index.
        """
        orders, mine = Order.objects.of(user), Order.objects.filter(user=user)
        if self.numbers:
            orders = orders.filter(pk__in=self.numbers)
        if self.since:
            first = mine.filter(created_at__gte=_midnight(self.since)).order_by("created_at")
            orders = orders.filter(pk__gte=Subquery(first.values("pk")[:1]))
        if self.until:
            last = mine.filter(created_at__lt=_midnight(self.until, after=1)).order_by("-created_at")
            orders = orders.filter(pk__lte=Subquery(last.values("pk")[:1]))
        if self.status and len(self.status.means) == 1:
            orders = orders.filter(status=self.status.means[0])
        return orders

    def sift(self, orders: OrderQuerySet) -> OrderQuerySet:
        """Lays on what is looked at order by order: parts of a link or a service's name, the service, the source."""
        if self.status:
            orders = orders.filter(status__in=self.status.means)
        if self.text and not self.numbers:
            orders = orders.filter(Q(link__icontains=self.text) | name_matches("service", self.text))
        if self.service:
            orders = orders.filter(service=self.service)
        if self.source:
            orders = orders.filter(source=self.source)
        return orders


def _day(text: str) -> str:
    """A day as a browser's field writes it; "" where it is none."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _midnight(day: str, *, after: int = 0) -> datetime:
    """The start of ``day``, or of a day ``after`` it, in the time zone of the page."""
    try:
        start = date.fromisoformat(day) + timedelta(days=after)
        return timezone.make_aware(datetime.combine(start, time()))
    except OverflowError:
        return timezone.now()
