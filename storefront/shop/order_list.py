"""A customer's orders: tabs, filters, pages, and which rows have changed since they were drawn. Reads only.

Every question is answered by an index of this customer's orders, whatever their number. What no index answers, such as
a part of a link, is looked for among SCANNED orders at a time: the page says how far it looked, and goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import IntegerField, Q, QuerySet, Subquery
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.models import Order, Service
from orders.models.order import OrderQuerySet
from orders.rules.state_machine import Status
from storefront.shop import order_status
from storefront.shop.order_filters import OrderFilters
from storefront.web import keyset, query_params

PAGE_SIZE = 25
#: Tabs count so far and no farther.
COUNTED = 99
#: How many orders one page looks through for what no index answers.
SCANNED = 10_000
#: The services to choose from are those of so many of the newest orders.
LATEST = 500


@dataclass(frozen=True, slots=True)
class OrderTab:
    """``count`` is None where counting would cost too much, above COUNTED where there are more."""

    code: str
    label: str | Promise
    count: int | None
    is_current: bool

    @property
    def is_more(self) -> bool:
        return self.count is not None and self.count > COUNTED


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of orders. ``is_cut``: earlier orders were not looked through yet, the page's ``older`` leads there."""

    tabs: list[OrderTab]
    page: keyset.KeysetPage[Order]
    asked: OrderFilters
    is_cut: bool = False

    @property
    def marks(self) -> list[str]:
        """The open orders of the page, each as it was drawn."""
        return [row_state(order) for order in self.page.rows if order.is_open]


class _Count(Subquery):
    """How many rows a question finds; one with a limit stops counting there."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"


def list_orders(user: Any, query: QueryDict) -> OrderPage:
    """At most four queries whatever the number of orders: the counts, and one page found by its key."""
    asked = OrderFilters.read(query)
    tabs = _tabs(user, asked)
    if asked.is_indexed:
        return OrderPage(tabs, _by_index(user, asked, query), asked)
    page, is_cut = _by_scan(user, asked, query)
    return OrderPage(tabs, page, asked, is_cut)


def _tabs(user: Any, asked: OrderFilters) -> list[OrderTab]:
    """Each tab with its count. Filters are not counted: they would be asked once for each status."""
    mine = Order.objects.filter(user=user).order_by()
    counts: dict[str, Any] = {}
    if not asked.filters:
        found = {"all": mine, **{_name(shown): mine.filter(status__in=shown.means) for shown in order_status.SHOWN}}
        limited = {
            name: _Count(orders.values("pk")[: COUNTED + 1], output_field=IntegerField())
            for name, orders in found.items()
        }
        counts = dict(get_user_model().objects.filter(pk=user.pk).values(**limited).get())
    tabs = [OrderTab("", _("All"), counts.get("all"), asked.status is None)]
    tabs += [
        OrderTab(shown.code, shown.label, counts.get(_name(shown)), shown is asked.status)
        for shown in order_status.SHOWN
    ]
    return tabs


def _name(shown: order_status.OrderStatusLabel) -> str:
    return f"count_{shown.code.replace('-', '_')}"


def _by_index(user: Any, asked: OrderFilters, query: QueryDict) -> keyset.KeysetPage[Order]:
    """A page of all orders, or of those of a status: the index of each status is read for itself, then they are merged.

    One question for several statuses would have the database sort all that it finds, or read what it does not want.
    """
    orders = asked.narrow(user).with_service()
    means = asked.status.means if asked.status else ()
    if len(means) < 2:
        return keyset.page(orders, query, PAGE_SIZE)
    return _merge_pages([keyset.page(orders.filter(status=status), query, PAGE_SIZE) for status in means], query)


def _merge_pages(pages: list[keyset.KeysetPage[Order]], query: QueryDict) -> keyset.KeysetPage[Order]:
    rows = sorted((order for page in pages for order in page.rows), key=lambda order: order.pk, reverse=True)
    is_upwards = "after" in query and "before" not in query
    kept = rows[-PAGE_SIZE:] if is_upwards else rows[:PAGE_SIZE]
    if not kept:
        return keyset.KeysetPage([], None, None)
    is_cut = len(rows) > PAGE_SIZE
    has_newer = any(page.newer for page in pages) or (is_upwards and is_cut)
    has_older = any(page.older for page in pages) or (not is_upwards and is_cut)
    return keyset.KeysetPage(kept, kept[0].pk if has_newer else None, kept[-1].pk if has_older else None)


def _by_scan(user: Any, asked: OrderFilters, query: QueryDict) -> tuple[keyset.KeysetPage[Order], bool]:
    """A page of what is found among the next SCANNED orders, and whether there are more to look through."""
    near = asked.narrow(user)
    before, after = query_params.number(query.get("before", "")), query_params.number(query.get("after", ""))
    is_upwards = after is not None and before is None
    if is_upwards:
        near = near.filter(pk__gt=after).order_by("pk")
    elif before is not None:
        near = near.filter(pk__lt=before)
    # An offset, but one of fixed length within one index.
    edge = near.values_list("pk", flat=True)[SCANNED - 1 : SCANNED].first()
    found = asked.sift(near).with_service()
    if edge is not None:
        found = found.filter(pk__lte=edge) if is_upwards else found.filter(pk__gte=edge)
    page = keyset.page(found, query, PAGE_SIZE)
    if is_upwards:
        return keyset.KeysetPage(page.rows, page.newer or edge, page.older or (after or 0) + 1), False
    is_cut = edge is not None and page.older is None
    return keyset.KeysetPage(page.rows, page.newer, page.older or edge), is_cut


def services_of(user: Any, asked: OrderFilters) -> QuerySet[Service]:
    """The services to filter by: those of the latest orders, and the one that is asked for."""
    latest = Order.objects.of(user).values("service")[:LATEST]
    return Service.objects.filter(Q(pk__in=latest) | Q(pk=asked.service)).in_language().by_name().only("name")


def orders_to_export(user: Any, query: QueryDict) -> OrderQuerySet:
    """Every order that the list's filters find, newest first; to be read as a stream."""
    asked = OrderFilters.read(query)
    return asked.sift(asked.narrow(user)).with_service()


def row_state(order: Order) -> str:
    """What a row shows that can change, short enough for an address."""
    return f"{order.pk}-{order.status}-{order.delivered}-{'' if order.start_count is None else order.start_count}"


def changed_orders(user: Any, marks: Iterable[str]) -> tuple[list[Order], list[str]]:
    """The orders that no longer look as ``marks`` say, and the marks of those that are still open."""
    seen = {}
    for text in list(marks)[:PAGE_SIZE]:
        number = query_params.number(text.partition("-")[0])
        if number is not None:
            seen[number] = text
    orders = list(Order.objects.of(user).filter(pk__in=seen).with_service())
    moved = [order for order in orders if row_state(order) != seen[order.pk]]
    return moved, [row_state(order) for order in orders if order.is_open]


def can_be_refilled(order: Order) -> bool:
    """Whether it may be ticked for a refill; what else is in the way is told when it is asked for."""
    return order.service.has_refill and order.state in (Status.COMPLETED, Status.PARTIAL)
