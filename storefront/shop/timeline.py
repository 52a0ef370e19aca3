"""The activity of an order in words for customers, without the data that only operators may see."""

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
    """One entry of the activity; ``event`` is the ID of its event, 0 for the payment."""

    at: datetime
    title: str
    text: str = ""
    tone: str = ""
    event: int = 0


def timeline_entries(order: Order) -> list[TimelineEntry]:
    """Return the activity of the order, newest first, down to its payment."""
    events = _customer_events(order).order_by("-id")
    charge_text = _("%s was charged to your balance.") % formats.money(order.charge)
    entries = [replace(_event_entry(order, event), event=event.pk) for event in events]
    return [*entries, TimelineEntry(order.created_at, _("Order placed and paid"), charge_text)]


def last_entry(order: Order) -> int:
    """Return the ID of the newest event that customers see, or 0. A page that shows it is up to date."""
    newest: int | None = _customer_events(order).aggregate(newest=Max("pk"))["newest"]
    return newest or 0


def _customer_events(order: Order) -> QuerySet[OrderEvent]:
    return OrderEvent.objects.filter(order=order, kind__in=OrderEvent.PUBLIC)


def _event_entry(order: Order, event: OrderEvent) -> TimelineEntry:
    at, data = event.created_at, event.data
    match event.kind:
        case EventKind.ACCEPTED:
            return TimelineEntry(at, _("Accepted"), _("Delivery will start soon."))
        case EventKind.IN_DOUBT:
            return TimelineEntry(at, _("Under review"), _("We're checking whether the order has started."), "warning")
        case EventKind.RESOLVED:
            return TimelineEntry(at, _("Review completed"))
        case EventKind.REFILL | EventKind.CANCELLATION:
            step = order_actions.request_step(event.kind, data)
            return TimelineEntry(at, str(step.title), str(step.text), step.tone)
        case EventKind.REFUNDED:
            refunded = _("%s was refunded to your balance") % formats.money(amounts.parse(str(data.get("amount", 0))))
            return TimelineEntry(at, refunded, _not_delivered(order, data), "success")
    return _status_entry(order, at, data)


def _status_entry(order: Order, at: datetime, data: dict[str, Any]) -> TimelineEntry:
    label = order_status.status_label(data["status"])
    text = ""
    match Status(data["status"]):
        case Status.IN_PROGRESS | Status.PROCESSING if data.get("start_count") is not None:
            text = _("Start count: %s.") % formats.number(data["start_count"])
        case Status.COMPLETED:
            text = _("Everything was delivered.")
        case Status.PARTIAL:
            text = _not_delivered(order, data)
        case Status.CANCELED | Status.FAILED:
            text = _("Canceled at your request.") if data.get("asked") else _("The order couldn't be delivered.")
    return TimelineEntry(at, str(label.label), text, label.tone)


def _not_delivered(order: Order, data: dict[str, Any]) -> str:
    remains = data.get("remains")
    if remains is None:
        return ""
    counts = {"remains": formats.number(remains), "quantity": formats.number(order.quantity)}
    return _("Not delivered: %(remains)s of %(quantity)s.") % counts
