"""Read-only queries of a customer's order list: tabs, filters, pages, and rows that changed.

Filters that an index of the customer's orders answers cost the same for any number of orders. Other filters, such as a
part of a link, scan SCAN_SIZE orders at a time: the page says how far it searched and continues from there.
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
#: Tabs show "99+" beyond this number.
TAB_COUNT_MAX = 99
#: Number of orders that one page scans for filters without an index.
SCAN_SIZE = 10_000
#: The service filter offers the services of this many latest orders.
RECENT_ORDERS = 500


@dataclass(frozen=True, slots=True)
class OrderTab:
    """A status tab. ``count`` is None where counting would cost too much, and above TAB_COUNT_MAX for "more"."""

    code: str
    label: str | Promise
    count: int | None
    is_current: bool

    @property
    def is_more(self) -> bool:
        return self.count is not None and self.count > TAB_COUNT_MAX


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of orders. ``is_cut``: the scan stopped before the oldest order; ``page.older`` continues it."""

    tabs: list[OrderTab]
    page: keyset.KeysetPage[Order]
    filters: OrderFilters
    is_cut: bool = False

    @property
    def row_states(self) -> list[str]:
        """The states of the open orders on the page, for polling."""
        return [row_state(order) for order in self.page.rows if order.is_open]


class _Count(Subquery):
    """Count the rows of a subquery; a limit on the subquery also limits the counting."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"


def list_orders(user: Any, query: QueryDict) -> OrderPage:
    """Return one page of a customer's orders in at most four queries, whatever the number of orders."""
    filters = OrderFilters.read(query)
    tabs = _count_tabs(user, filters)
    if filters.is_indexed:
        return OrderPage(tabs, _page_by_index(user, filters, query), filters)
    page, is_cut = _page_by_scan(user, filters, query)
    return OrderPage(tabs, page, filters, is_cut)


def _count_tabs(user: Any, filters: OrderFilters) -> list[OrderTab]:
    """Return the tabs. They have no counts while filters are set, as each filter would run once for each status."""
    own_orders = Order.objects.filter(user=user).order_by()
    counts: dict[str, Any] = {}
    if not filters.count:
        orders_by_tab = {
            "all": own_orders,
            **{_count_name(label): own_orders.filter(status__in=label.statuses) for label in order_status.LABELS},
        }
        limited = {
            name: _Count(orders.values("pk")[: TAB_COUNT_MAX + 1], output_field=IntegerField())
            for name, orders in orders_by_tab.items()
        }
        counts = dict(get_user_model().objects.filter(pk=user.pk).values(**limited).get())
    tabs = [OrderTab("", _("All"), counts.get("all"), filters.status is None)]
    tabs += [
        OrderTab(label.code, label.label, counts.get(_count_name(label)), label is filters.status)
        for label in order_status.LABELS
    ]
    return tabs


def _count_name(label: order_status.OrderStatusLabel) -> str:
    return f"count_{label.code.replace('-', '_')}"


def _page_by_index(user: Any, filters: OrderFilters, query: QueryDict) -> keyset.KeysetPage[Order]:
    """Return a page of all orders or of a tab: read the index of each status separately, then merge the pages.

    A single query for several statuses would make the database sort all matches or read rows of other statuses.
    """
    orders = filters.apply_indexed(user).with_service()
    statuses = filters.status.statuses if filters.status else ()
    if len(statuses) < 2:
        return keyset.page(orders, query, PAGE_SIZE)
    return _merge_pages([keyset.page(orders.filter(status=status), query, PAGE_SIZE) for status in statuses], query)


def _merge_pages(pages: list[keyset.KeysetPage[Order]], query: QueryDict) -> keyset.KeysetPage[Order]:
    rows = sorted((order for page in pages for order in page.rows), key=lambda order: order.pk, reverse=True)
    is_upwards = "after" in query and "before" not in query
    page_rows = rows[-PAGE_SIZE:] if is_upwards else rows[:PAGE_SIZE]
    if not page_rows:
        return keyset.KeysetPage([], None, None)
    is_cut = len(rows) > PAGE_SIZE
    has_newer = any(page.newer for page in pages) or (is_upwards and is_cut)
    has_older = any(page.older for page in pages) or (not is_upwards and is_cut)
    return keyset.KeysetPage(page_rows, page_rows[0].pk if has_newer else None, page_rows[-1].pk if has_older else None)


def _page_by_scan(user: Any, filters: OrderFilters, query: QueryDict) -> tuple[keyset.KeysetPage[Order], bool]:
    """Return the matches among the next SCAN_SIZE orders, and whether there are more orders to scan."""
    orders = filters.apply_indexed(user)
    before, after = query_params.number(query.get("before", "")), query_params.number(query.get("after", ""))
    is_upwards = after is not None and before is None
    if is_upwards:
        orders = orders.filter(pk__gt=after).order_by("pk")
    elif before is not None:
        orders = orders.filter(pk__lt=before)
    # The offset is bounded by SCAN_SIZE and reads one index.
    edge = orders.values_list("pk", flat=True)[SCAN_SIZE - 1 : SCAN_SIZE].first()
    found = filters.apply_scanned(orders).with_service()
    if edge is not None:
        found = found.filter(pk__lte=edge) if is_upwards else found.filter(pk__gte=edge)
    page = keyset.page(found, query, PAGE_SIZE)
    if is_upwards:
        return keyset.KeysetPage(page.rows, page.newer or edge, page.older or (after or 0) + 1), False
    is_cut = edge is not None and page.older is None
    return keyset.KeysetPage(page.rows, page.newer, page.older or edge), is_cut


def services_to_filter_by(user: Any, filters: OrderFilters) -> QuerySet[Service]:
    """Return the services to filter by: those of the latest orders, and the selected one."""
    latest = Order.objects.of(user).values("service")[:RECENT_ORDERS]
    return Service.objects.filter(Q(pk__in=latest) | Q(pk=filters.service)).in_language().by_name().only("name")


def orders_to_export(user: Any, query: QueryDict) -> OrderQuerySet:
    """Return every order that matches the filters, newest first, to be read as a stream."""
    filters = OrderFilters.read(query)
    return filters.apply_scanned(filters.apply_indexed(user)).with_service()


def row_state(order: Order) -> str:
    """Return the parts of a row that can change, short enough for a URL."""
    return f"{order.pk}-{order.status}-{order.delivered}-{'' if order.start_count is None else order.start_count}"


def changed_orders(user: Any, row_states: Iterable[str]) -> tuple[list[Order], list[str]]:
    """Return the orders whose state differs from ``row_states``, and the new states of the open orders."""
    seen = {}
    for text in list(row_states)[:PAGE_SIZE]:
        number = query_params.number(text.partition("-")[0])
        if number is not None:
            seen[number] = text
    orders = list(Order.objects.of(user).filter(pk__in=seen).with_service())
    changed = [order for order in orders if row_state(order) != seen[order.pk]]
    return changed, [row_state(order) for order in orders if order.is_open]


def can_be_refilled(order: Order) -> bool:
    """Return whether the order can be selected for a refill; further rules are checked on the request."""
    return order.service.has_refill and order.state in (Status.COMPLETED, Status.PARTIAL)
