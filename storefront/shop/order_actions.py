"""Refills and cancellations on the order's page: the two buttons, why one is not possible, and the timeline's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from orders.errors import (
    CancelNotOffered,
    NothingRemains,
    NotPossible,
    OrderEnded,
    OrderNotCompleted,
    RefillNotOffered,
    RefillTooSoon,
    RefillWindowOver,
    RequestOpen,
)
from orders.lifecycle import customer_requests
from orders.models import Order
from orders.models.order import EventKind
from orders.rules.state_machine import Status


@dataclass(frozen=True, slots=True)
class ActionButton:
    """One thing that can be asked for. ``hint`` says what it does, or why it is not possible."""

    action: str
    label: str
    hint: str
    is_possible: bool


@dataclass(frozen=True, slots=True)
class RequestStep:
    """One step of a request, in the customer's words."""

    title: str | Promise
    text: str | Promise = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class OrderActions:
    """The buttons of an order's page, and whether a request is not answered yet."""

    buttons: tuple[ActionButton, ...]
    is_waiting: bool


#: What the buttons do.
ASK: Mapping[str, Callable[..., Any]] = {
    "refill": customer_requests.request_refill,
    "cancel": customer_requests.request_cancellation,
}

LINES: Mapping[tuple[str, str], RequestStep] = {
    (EventKind.REFILL, "asked"): RequestStep(gettext_lazy("You asked for a refill")),
    (EventKind.REFILL, "sent"): RequestStep(
        gettext_lazy("Refill accepted"), gettext_lazy("It is lined up for delivery.")
    ),
    (EventKind.REFILL, "in_progress"): RequestStep(gettext_lazy("Refill under way"), tone="info"),
    (EventKind.REFILL, "completed"): RequestStep(gettext_lazy("Refill delivered"), tone="success"),
    (EventKind.REFILL, "rejected"): RequestStep(
        gettext_lazy("No refill"), gettext_lazy("It was checked: this order gets no refill."), "warning"
    ),
    (EventKind.CANCELLATION, "asked"): RequestStep(gettext_lazy("You asked to cancel")),
    (EventKind.CANCELLATION, "sent"): RequestStep(
        gettext_lazy("Your wish to cancel was passed on"),
        gettext_lazy("When the delivery stops, what was not delivered is paid back."),
    ),
    (EventKind.CANCELLATION, "completed"): RequestStep(
        gettext_lazy("Your wish to cancel was carried out"), tone="success"
    ),
    (EventKind.CANCELLATION, "rejected"): RequestStep(
        gettext_lazy("It could not be canceled"), gettext_lazy("The order goes on and is delivered."), "warning"
    ),
}
WAITING = RequestStep(
    pgettext_lazy("a refill or a cancellation", "Asked for"), gettext_lazy("It is passed on within minutes.")
)
BY_STAFF = RequestStep(gettext_lazy("Passed to our staff"), gettext_lazy("A person takes care of it and answers here."))
DELIVERED = RequestStep(
    gettext_lazy("It could not be canceled"),
    gettext_lazy("Everything was delivered before it could be stopped."),
    "warning",
)


def order_actions(order: Order) -> OrderActions:
    """At most two queries; none for what the service does not offer."""
    refill, cancel = customer_requests.refill_state(order), customer_requests.cancel_state(order)
    buttons = (
        ActionButton("refill", _("Ask for a refill"), _refill_hint(refill), refill.is_possible),
        ActionButton("cancel", _("Cancel order"), _cancel_hint(order, cancel), cancel.is_possible),
    )
    return OrderActions(buttons, any(state.last is not None and state.last.is_open for state in (refill, cancel)))


def line(kind: str, data: Mapping[str, Any]) -> RequestStep:
    """One step of a request; whatever is none of these is with our staff."""
    if data.get("why") == "delivered":
        return DELIVERED
    return LINES.get((kind, str(data.get("step"))), BY_STAFF)


def why_not(problem: NotPossible) -> str:
    """Why it cannot be asked for now."""
    match problem:
        case RefillNotOffered():
            return _("Not possible: this service is sold without refill.")
        case CancelNotOffered():
            return _("Not possible: this service is sold without a right to cancel.")
        case OrderNotCompleted():
            return _("Possible once the order has ended and something was delivered.")
        case RefillWindowOver(until=until):
            return _("Not possible: refills were free until %s.") % _day(until)
        case RefillTooSoon(until=until):
            return _("Possible again from %s.") % _moment(until)
        case RequestOpen():
            return _("You asked for it already. How it stands is written beside.")
        case NothingRemains():
            return _("Not possible: everything is delivered.")
        case OrderEnded():
            return _("Not possible: the order has ended.")
    return _("Not possible now.")


def _refill_hint(state: customer_requests.RequestOption) -> str:
    if state.problem:
        return why_not(state.problem)
    return _("Free until %s. Delivers again what dropped.") % _day(state.until)


def _cancel_hint(order: Order, state: customer_requests.RequestOption) -> str:
    if state.problem:
        return why_not(state.problem)
    if order.state is Status.QUEUED:
        return _("It has not started: the whole price goes back to your wallet at once.")
    return _("We try to stop it. What was not delivered by then is paid back.")


def _day(at: datetime | None) -> str:
    return date_format(timezone.localtime(at), "DATE_FORMAT") if at else pgettext("a day", "the end")


def _moment(at: datetime | None) -> str:
    return date_format(timezone.localtime(at), "DATETIME_FORMAT") if at else ""
