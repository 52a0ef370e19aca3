"""What happened to an order, in the customer's words. Only known facts reach the page, never an event's other data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from orders.models import Order, OrderEvent
from orders.models.order import EventKind
from orders.rules import amounts
from orders.rules.state_machine import Status
from storefront.shop import order_actions, order_status
from storefront.web import formats


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    at: datetime
    title: str
    text: str = ""
    tone: str = ""
    event: int = 0


def timeline_entries(order: Order) -> list[TimelineEntry]:
    """The order's timeline, newest first, down to the moment it was paid."""
    told = _public(order).order_by("-id")
    paid = _("%s was charged to your balance.") % formats.money(order.charge)
    lines = [replace(_line(order, event), event=event.pk) for event in told]
    return [*lines, TimelineEntry(order.created_at, _("Order placed and paid"), paid)]


def last_entry(order: Order) -> int:
    """The newest line: a page that shows it is up to date. 0 if there is only the payment."""
    newest: int | None = _public(order).aggregate(newest=Max("pk"))["newest"]
    return newest or 0


def _public(order: Order) -> QuerySet[OrderEvent]:
    return OrderEvent.objects.filter(order=order, kind__in=OrderEvent.PUBLIC)


def _line(order: Order, event: OrderEvent) -> TimelineEntry:
    at, data = event.created_at, event.data
    match event.kind:
        case EventKind.ACCEPTED:
            return TimelineEntry(at, _("Accepted"), _("Delivery will start soon."))
        case EventKind.IN_DOUBT:
            return TimelineEntry(at, _("Under review"), _("We're checking whether the order has started."), "warning")
        case EventKind.RESOLVED:
            return TimelineEntry(at, _("Review completed"))
        case EventKind.REFILL | EventKind.CANCELLATION:
            told = order_actions.line(event.kind, data)
            return TimelineEntry(at, str(told.title), str(told.text), told.tone)
        case EventKind.REFUNDED:
            back = _("%s was refunded to your balance") % formats.money(amounts.parse(str(data.get("amount", 0))))
            return TimelineEntry(at, back, _undelivered(order, data), "success")
    return _status_line(order, at, data)


def _status_line(order: Order, at: datetime, data: dict[str, Any]) -> TimelineEntry:
    shown = order_status.status_label(data["status"])
    text = ""
    match Status(data["status"]):
        case Status.IN_PROGRESS | Status.PROCESSING if data.get("start_count") is not None:
            text = _("Start count: %s.") % formats.number(data["start_count"])
        case Status.COMPLETED:
            text = _("Everything was delivered.")
        case Status.PARTIAL:
            text = _undelivered(order, data)
        case Status.CANCELED | Status.FAILED:
            text = _("Canceled at your request.") if data.get("asked") else _("The order couldn't be delivered.")
    return TimelineEntry(at, str(shown.label), text, shown.tone)


def _undelivered(order: Order, data: dict[str, Any]) -> str:
    remains = data.get("remains")
    if remains is None:
        return ""
    counts = {"remains": formats.number(remains), "quantity": formats.number(order.quantity)}
    return _("Not delivered: %(remains)s of %(quantity)s.") % counts
