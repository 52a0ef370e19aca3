"""The endpoints of orders."""

from __future__ import annotations

from typing import Any

from django.db.models import Max, QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from orders.models import Order
from orders.models.order import Source
from orders.rules import state_machine
from providers.models import Placement
from storefront.api.adminapi import envelope, inputs, order_rows, pages, shapes
from storefront.api.adminapi.base import AdminApiView
from storefront.api.adminapi.models import Group
from storefront.web.id_ranges import first_since

#: Links have no index of their own: they are looked for among this many of the newest orders.
LINKS_AMONG = 200_000


class OrdersView(AdminApiView):
    group = Group.ORDERS
    data_shape = shapes.listed(shapes.ORDER)
    is_page = True
    query_class = inputs.OrdersQuery

    def get(self, request: Request) -> Response:
        query = self.read_query()
        found = pages.cut(_filtered(query), query)
        return pages.answer(request, query, order_rows.rows(found))


class OrderView(AdminApiView):
    group = Group.ORDERS
    data_shape = shapes.ORDER

    def get(self, request: Request, pk: int) -> Response:
        found = order_rows.rows(orders_with_parts().filter(pk=pk))
        if not found:
            raise NotFound("Order not found")
        return envelope.success(found[0])


def orders_with_parts() -> QuerySet[Order]:
    """Return all orders, with their user and service."""
    return Order.objects.select_related("user", "service")


def _filtered(query: dict[str, Any]) -> QuerySet[Order]:
    found = orders_with_parts().order_by("id" if query.get("sort") == "date-asc" else "-id")
    if ids := query.get("ids"):
        found = found.filter(pk__in=ids)
    if statuses := query.get("order_status"):
        found = found.filter(status__in=statuses)
        # These conditions are those of the partial indexes of open and of ended orders.
        if state_machine.TERMINAL.isdisjoint(statuses):
            found = found.filter(ended_at__isnull=True)
        elif state_machine.TERMINAL.issuperset(statuses):
            found = found.filter(ended_at__isnull=False)
    if services := query.get("service_ids"):
        found = found.filter(service__in=services)
    if "user" in query:
        found = found.filter(user__email=query["user"].strip().lower())
    if "provider" in query:
        placed = Placement.objects.filter(provider__name__iexact=query["provider"]).exclude(upstream_id="")
        found = found.filter(pk__in=placed.order_by().values("order_id"))
    if "link" in query:
        newest = Order.objects.aggregate(newest=Max("pk"))["newest"] or 0
        found = found.filter(link=query["link"], pk__gt=newest - LINKS_AMONG)
    if "mode" in query:
        found = found.filter(service__is_manual=query["mode"] == "manual")
    if "creation_type" in query:
        found = found.filter(source=Source.API if query["creation_type"] == "api" else Source.PAGE)
    return _created_between(found, query.get("created_from"), query.get("created_to"))


def _created_between(found: QuerySet[Order], first: int | None, last: int | None) -> QuerySet[Order]:
    """Filter by time, inclusive. Ids and times increase together, so this is a range of ids."""
    if first is not None:
        found = found.filter(pk__gte=first_since(Order, inputs.moment(first)))
    if last is not None:
        found = found.filter(pk__lt=first_since(Order, inputs.moment(last + 1)))
    return found
