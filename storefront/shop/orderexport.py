"""The list of orders as a file. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from orders import cells, money
from orders.models import Order
from orders.models.order import OrderQuerySet
from storefront.shop import csvfile, statuses


def as_csv(orders: OrderQuerySet) -> Iterator[str]:
    """Line by line, however many there are."""
    head = (
        *(_("Order"), _("Date"), _("Service"), _("Name"), _("Link"), _("Quantity"), _("Status"), _("Start count")),
        *(_("Remains"), _("Charge"), _("Paid back"), _("Paid"), _("Currency"), _("Through"), _("Ended")),
    )
    return csvfile.lines(head, map(_row, orders.iterator(chunk_size=1000)))


def _row(order: Order) -> list[Any]:
    return [
        order.pk,
        order.created_at.isoformat(timespec="seconds"),
        order.service_id,
        cells.safe(order.service.shown_name),
        cells.safe(order.link or str(order.fields.get("username", ""))),
        order.quantity,
        cells.safe(str(statuses.shown(order.status).label)),
        "" if order.start_count is None else order.start_count,
        order.undelivered,
        money.plain(order.charge),
        money.plain(order.refunded),
        money.plain(order.paid),
        settings.STORE_CURRENCY,
        order.source,
        order.ended_at.isoformat(timespec="seconds") if order.ended_at else "",
    ]
