"""Export of the order list as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from orders.db import csv_cells
from orders.models import Order
from orders.models.order import OrderQuerySet
from orders.rules import amounts
from storefront.shop import order_status
from storefront.web import csv_export


def as_csv(orders: OrderQuerySet) -> Iterator[str]:
    """Yield the orders as CSV lines, for any number of orders."""
    header = (
        *(
            _("Order ID"),
            _("Date"),
            _("Service ID"),
            _("Service"),
            _("Link"),
            _("Quantity"),
            _("Status"),
            _("Start count"),
        ),
        *(_("Not delivered"), _("Charge"), _("Refunded"), _("Paid"), _("Currency"), _("Source"), _("Finished")),
    )
    return csv_export.lines(header, map(_row, orders.iterator(chunk_size=1000)))


def _row(order: Order) -> list[Any]:
    return [
        order.pk,
        order.created_at.isoformat(timespec="seconds"),
        order.service_id,
        csv_cells.escape_formula(order.service.shown_name),
        csv_cells.escape_formula(order.link or str(order.fields.get("username", ""))),
        order.quantity,
        csv_cells.escape_formula(str(order_status.status_label(order.status).label)),
        "" if order.start_count is None else order.start_count,
        order.undelivered,
        amounts.plain(order.charge),
        amounts.plain(order.refunded),
        amounts.plain(order.paid),
        settings.STORE_CURRENCY,
        order.source,
        order.ended_at.isoformat(timespec="seconds") if order.ended_at else "",
    ]
