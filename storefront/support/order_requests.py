"""A customer's requests to an operator about one order: speed it up, or do what the order's buttons do not offer."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.errors import CancelNotOffered, RefillNotOffered, RefillWindowOver, RequestOpen
from orders.lifecycle import customer_requests
from orders.models import Order
from storefront.support import tickets
from storefront.support.errors import HandledAutomatically
from storefront.support.models import Ticket
from storefront.support.models.ticket import TicketKind

#: The texts of the buttons.
LABELS: Mapping[TicketKind, Promise] = {
    TicketKind.SPEED_UP: gettext_lazy("Request speed-up"),
    TicketKind.REFILL: gettext_lazy("Request refill from support"),
    TicketKind.CANCEL: gettext_lazy("Request cancellation from support"),
}
_SUBJECTS: Mapping[TicketKind, Promise] = {
    TicketKind.SPEED_UP: gettext_lazy("Speed up order %s"),
    TicketKind.REFILL: gettext_lazy("Refill order %s"),
    TicketKind.CANCEL: gettext_lazy("Cancel order %s"),
}
_TEXTS: Mapping[TicketKind, Promise] = {
    TicketKind.SPEED_UP: gettext_lazy("Can order %s be delivered faster?"),
    TicketKind.REFILL: gettext_lazy("Can order %s be refilled?"),
    TicketKind.CANCEL: gettext_lazy("Can order %s be canceled?"),
}


def possible(order: Order) -> list[TicketKind]:
    """Return the requests that can be made about an order: one query at most, and none for an order in progress."""
    return [kind for kind in LABELS if why_not(order, kind) is None]


def open_request(order: Order, *, kind: TicketKind) -> Ticket:
    """Open a ticket with the request, on behalf of the order's customer.

    Raises:
        HandledAutomatically, RequestAlreadyMade, TooFast, TooManyOpen.
    """
    if reason := why_not(order, kind):
        raise HandledAutomatically(reason)
    return tickets.open_ticket(
        order.user,
        subject=str(_SUBJECTS[kind]) % order.pk,
        text=str(_TEXTS[kind]) % order.pk,
        kind=kind,
        wanted_for=order,
    )


def why_not(order: Order, kind: TicketKind) -> str | None:
    """Return why an operator cannot be asked, or None.

    The order's own rules come first: an operator handles only what they do not offer.
    """
    match kind:
        case TicketKind.REFILL:
            return _why_no_refill(order)
        case TicketKind.CANCEL:
            return _why_no_cancel(order)
        case TicketKind.SPEED_UP if order.is_scheduled:
            return _("This order is scheduled and has not started yet.")
        case TicketKind.SPEED_UP if order.is_open:
            return None
    return _("This order has ended, so it cannot be sped up.")


def _why_no_refill(order: Order) -> str | None:
    if order.state not in customer_requests.REFILLABLE or not order.delivered:
        return _("Refills are available only after an order has been delivered.")
    problem = customer_requests.refill_state(order).problem
    if isinstance(problem, RefillNotOffered | RefillWindowOver):
        return None
    return _by_button(problem)


def _why_no_cancel(order: Order) -> str | None:
    if not order.is_open:
        return _("This order has ended, so it cannot be canceled.")
    if order.service.has_cancel:
        return _by_button(None)
    problem = customer_requests.cancel_state(order).problem
    return None if isinstance(problem, CancelNotOffered) else _by_button(problem)


def _by_button(problem: object) -> str:
    if isinstance(problem, RequestOpen):
        return _("Already requested. See the order's activity.")
    return _("Use the button on the order's page instead.")
