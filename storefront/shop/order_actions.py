"""Refill and cancellation on the order page: buttons, reasons, and texts of the activity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

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
from orders.models.event_codes import EventStep, RejectionReason
from orders.models.order import EventKind
from orders.rules.state_machine import Status


@dataclass(frozen=True, slots=True)
class ActionButton:
    """One button. ``hint`` says what it does, or why it is not possible."""

    action: str
    label: str
    hint: str
    is_possible: bool


@dataclass(frozen=True, slots=True)
class RequestStep:
    """One step of a request, in words for customers."""

    title: str | Promise
    text: str | Promise = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class OrderActions:
    """The buttons of the order page; ``is_waiting`` while a request is open."""

    buttons: tuple[ActionButton, ...]
    is_waiting: bool


#: The function behind each button.
ACTIONS: Mapping[str, Callable[..., Any]] = {
    "refill": customer_requests.request_refill,
    "cancel": customer_requests.request_cancellation,
}

STEPS: Mapping[tuple[str, str], RequestStep] = {
    (EventKind.REFILL, EventStep.REQUESTED): RequestStep(gettext_lazy("Refill requested")),
    (EventKind.REFILL, EventStep.SENT): RequestStep(
        gettext_lazy("Refill accepted"), gettext_lazy("Delivery will start soon.")
    ),
    (EventKind.REFILL, EventStep.IN_PROGRESS): RequestStep(gettext_lazy("Refill in progress"), tone="info"),
    (EventKind.REFILL, EventStep.COMPLETED): RequestStep(gettext_lazy("Refill completed"), tone="success"),
    (EventKind.REFILL, EventStep.REJECTED): RequestStep(
        gettext_lazy("Refill declined"),
        gettext_lazy("This order isn't eligible for a refill."),
        "warning",
    ),
    (EventKind.CANCELLATION, EventStep.REQUESTED): RequestStep(gettext_lazy("Cancellation requested")),
    (EventKind.CANCELLATION, EventStep.SENT): RequestStep(
        gettext_lazy("Cancellation in progress"),
        gettext_lazy("When delivery stops, anything not delivered is refunded."),
    ),
    (EventKind.CANCELLATION, EventStep.COMPLETED): RequestStep(
        gettext_lazy("Canceled at your request"), tone="success"
    ),
    (EventKind.CANCELLATION, EventStep.REJECTED): RequestStep(
        gettext_lazy("The order couldn't be canceled"), gettext_lazy("It continues and will be delivered."), "warning"
    ),
}
WAITING = RequestStep(
    pgettext_lazy("a refill or a cancellation", "Requested"), gettext_lazy("We'll process it within minutes.")
)
BY_STAFF = RequestStep(gettext_lazy("Our team is working on it"), gettext_lazy("We'll post the result here."))
DELIVERED = RequestStep(
    gettext_lazy("The order couldn't be canceled"),
    gettext_lazy("Everything was delivered before it could be stopped."),
    "warning",
)


def order_actions(order: Order) -> OrderActions:
    """Return the buttons of the order page: at most two queries, none for what the service does not offer."""
    refill, cancel = customer_requests.refill_state(order), customer_requests.cancel_state(order)
    buttons = (
        ActionButton("refill", _("Request refill"), _refill_hint(refill), refill.is_possible),
        ActionButton("cancel", _("Cancel order"), _cancel_hint(order, cancel), cancel.is_possible),
    )
    return OrderActions(buttons, any(state.last is not None and state.last.is_open for state in (refill, cancel)))


def request_step(kind: str, data: Mapping[str, Any]) -> RequestStep:
    """Return the text of one step of a request; an unknown step is with our staff."""
    if data.get("why") == RejectionReason.DELIVERED:
        return DELIVERED
    return STEPS.get((kind, str(data.get("step"))), BY_STAFF)


def why_not(problem: NotPossible) -> str:
    """Return why the request is not possible now, and what to do."""
    match problem:
        case RefillNotOffered():
            return _("This service doesn't include refills.")
        case CancelNotOffered():
            return _("Orders for this service can't be canceled.")
        case OrderNotCompleted():
            return _("Available once the order is finished and at least part of it was delivered.")
        case RefillWindowOver(until=until):
            return _("The refill period ended on %s.") % _format_day(until)
        case RefillTooSoon(until=until):
            return _("You can request the next refill from %s.") % _format_moment(until)
        case RequestOpen():
            return _("Already requested. See the activity below.")
        case NothingRemains():
            return _("Everything has already been delivered.")
        case OrderEnded():
            return _("The order is already finished.")
    return _("Not available right now.")


def _refill_hint(state: customer_requests.RequestOption) -> str:
    if state.problem:
        return why_not(state.problem)
    return _("Free until %s. We redeliver what dropped.") % _format_day(state.until)


def _cancel_hint(order: Order, state: customer_requests.RequestOption) -> str:
    if state.problem:
        return why_not(state.problem)
    if order.state is Status.QUEUED:
        return _("The order hasn't started. The full charge is refunded to your balance right away.")
    return _("We'll try to stop the order. Anything not delivered by then is refunded.")


def _format_day(at: datetime | None) -> str:
    return date_format(timezone.localtime(at), "DATE_FORMAT") if at else ""


def _format_moment(at: datetime | None) -> str:
    return date_format(timezone.localtime(at), "DATETIME_FORMAT") if at else ""
