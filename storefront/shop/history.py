"""A customer's orders: tabs, search, pages, and which rows have changed since they were drawn. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.models import Order
from orders.models.order import OrderQuerySet
from storefront import asking, keyset
from storefront.shop import statuses

PAGE_SIZE = 25


@dataclass(frozen=True, slots=True)
class Tab:
    code: str
    label: str | Promise
    count: int
    is_current: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of orders. ``total`` counts the current tab, ``has_any`` says whether the customer ever bought."""

    tabs: list[Tab]
    total: int
    page: keyset.Page[Order]
    text: str

    @property
    def marks(self) -> list[str]:
        """The open orders of the page, each as it was drawn."""
        return [mark(order) for order in self.page.rows if order.is_open]


def listed(user: Any, query: QueryDict) -> Listed:
    """Two queries whatever the number of orders: the counts by status, and one page found by its key."""
    text, code = asking.search(query), query.get("status", "")
    found = _matching(Order.objects.of(user), text)
    counts = {row["status"]: row["count"] for row in found.order_by().values("status").annotate(count=Count("pk"))}
    current = statuses.BY_CODE.get(code)
    tabs = [Tab("", _("All"), sum(counts.values()), current is None)]
    for shown in statuses.SHOWN:
        count = sum(counts.get(status, 0) for status in shown.means)
        tabs.append(Tab(shown.code, shown.label, count, shown is current))
    if current:
        found = found.filter(status__in=current.means)
    total = next(tab.count for tab in tabs if tab.is_current)
    return Listed(tabs, total, keyset.page(found.select_related("service"), query, PAGE_SIZE), text)


def _matching(orders: OrderQuerySet, text: str) -> OrderQuerySet:
    """Orders whose number is ``text``, or whose link or service holds it."""
    if not text:
        return orders
    found = Q(link__icontains=text) | Q(service__name__icontains=text)
    number = asking.number(text)
    if number is not None:
        found |= Q(pk=number)
    return orders.filter(found)


def mark(order: Order) -> str:
    """What a row shows that can change, short enough for an address."""
    return f"{order.pk}-{order.status}-{order.delivered}-{'' if order.start_count is None else order.start_count}"


def changed(user: Any, marks: Iterable[str]) -> tuple[list[Order], list[str]]:
    """The orders that no longer look as ``marks`` say, and the marks of those that are still open."""
    seen = {}
    for text in list(marks)[:PAGE_SIZE]:
        number = asking.number(text.partition("-")[0])
        if number is not None:
            seen[number] = text
    orders = list(Order.objects.of(user).filter(pk__in=seen).select_related("service"))
    moved = [order for order in orders if mark(order) != seen[order.pk]]
    return moved, [mark(order) for order in orders if order.is_open]
