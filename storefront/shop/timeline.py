"""What happened to an order, in the customer's words. Only known facts reach the page, never an event's other data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from orders import money
from orders.lifecycle import Status
from orders.models import Order, OrderEvent
from orders.models.order import EventKind
from storefront.shop import formats, statuses


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    title: str
    text: str = ""
    tone: str = ""


def lines(order: Order) -> list[Line]:
    """The order's timeline, newest first, down to the moment it was paid."""
    told = OrderEvent.objects.filter(order=order, kind__in=OrderEvent.PUBLIC).order_by("-id")
    paid = _("%s from your wallet.") % formats.money(order.charge)
    return [_line(order, event) for event in told] + [Line(order.created_at, _("Ordered and paid"), paid)]


def _line(order: Order, event: OrderEvent) -> Line:
    at, data = event.created_at, event.data
    match event.kind:
        case EventKind.ACCEPTED:
            return Line(at, _("Accepted"), _("The order is lined up for delivery."))
        case EventKind.IN_DOUBT:
            return Line(at, _("We are checking"), _("It is not certain yet that the order has started."), "warning")
        case EventKind.RESOLVED:
            return Line(at, _("Checked by us"))
        case EventKind.REFUNDED:
            back = _("%s went back to your wallet") % formats.money(money.parse(str(data.get("amount", 0))))
            return Line(at, back, _undelivered(order, data), "success")
    return _status_line(order, at, data)


def _status_line(order: Order, at: datetime, data: dict[str, Any]) -> Line:
    shown = statuses.shown(data["status"])
    text = ""
    match Status(data["status"]):
        case Status.IN_PROGRESS | Status.PROCESSING if data.get("start_count") is not None:
            text = _("The count at the start was %s.") % formats.number(data["start_count"])
        case Status.COMPLETED:
            text = _("Everything was delivered.")
        case Status.PARTIAL:
            text = _undelivered(order, data)
        case Status.CANCELED | Status.FAILED:
            text = _("The order could not be delivered.")
    return Line(at, str(shown.label), text, shown.tone)


def _undelivered(order: Order, data: dict[str, Any]) -> str:
    remains = data.get("remains")
    if remains is None:
        return ""
    counts = {"remains": formats.number(remains), "quantity": formats.number(order.quantity)}
    return _("%(remains)s of %(quantity)s were not delivered.") % counts
