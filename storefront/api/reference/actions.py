"""The seven actions of the panel API, described for the reference page and the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from storefront.api.panel import responses
from storefront.api.reference import errors, parameters
from storefront.api.reference.errors import Error
from storefront.api.reference.parameters import Parameter


@dataclass(frozen=True, slots=True)
class ExampleAnswer:
    """An example answer. ``parameters`` are the parameters that lead to it."""

    title: Promise
    data: Any
    parameters: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        return json.dumps(self.data, indent=2)


@dataclass(frozen=True, slots=True)
class Action:
    """One action.

    Exactly one of ``parameters`` is sent, except for ``add``, whose parameters depend on the service type.

    ``fields`` explains each field of the response.
    """

    name: str
    title: Promise
    description: Promise
    answers: tuple[ExampleAnswer, ...]
    fields: Mapping[str, Promise]
    parameters: tuple[Parameter, ...] = ()
    costs_money: bool = False

    @property
    def errors(self) -> list[Error]:
        return errors.of(self.name)


def all_actions() -> tuple[Action, ...]:
    """Return the actions in the order in which a program needs them."""
    return (_services(), ADD, _status(), REFILL, REFILL_STATUS, CANCEL, _balance())


def _services() -> Action:
    first = {
        "service": 1042, "name": "Followers, steady pace", "type": "Default", "category": "Photos", "rate": "0.90",
        "min": "50", "max": "10000", "dripfeed": True, "refill": True, "cancel": True, "desc": "",
    }  # fmt: skip
    return Action(
        "services",
        _("List services"),
        _(
            "Returns every service on sale. A service that is missing from the list is not on sale. A"
            " response to GET has an ETag: send it in If-None-Match to get HTTP 304 without a body "
            "until something changes."
        ),
        (ExampleAnswer(_("Response"), [first]),),
        {
            "service": _("Service ID for add."),
            "name": _("One line of text."),
            "type": _("Service type. It determines the parameters of add."),
            "category": _("One line of text."),
            "rate": _("Price in the shop's currency: per 1,000, or per order if the type is a package."),
            "min": _("Minimum quantity of an order."),
            "max": _("Maximum quantity of an order. With drip-feed, it applies to all runs together."),
            "dripfeed": _("Whether the service supports drip-feed."),
            "refill": _("Whether refills can be requested."),
            "cancel": _("Whether orders can be canceled."),
            "desc": _("Description. It can be empty or have several lines."),
        },
    )


ADD = Action(
    "add",
    _("Place an order"),
    _(
        "Charges your balance and returns the order ID. The required parameters depend on the "
        "service type. If you get no response, send the same request again: the order is placed "
        "only once."
    ),
    (ExampleAnswer(_("Response"), {"order": 23501}),),
    {"order": _("Order ID. Store it: later requests need it.")},
    costs_money=True,
)


def _status() -> Action:
    def row(charge: str, start: str, status: str, remains: str) -> dict[str, str]:
        shown = {"charge": charge, "start_count": start, "status": status, "remains": remains}
        return {**shown, "currency": settings.STORE_CURRENCY}

    several = {
        "23501": row("0.27819", "3572", "Partial", "157"),
        "23502": {"error": responses.INCORRECT_ORDER},
        "23503": row("1.44219", "234", "In progress", "10"),
    }
    return Action(
        "status",
        _("Get order status"),
        _("Use order for one order, or orders for up to 1,000. Request many at once instead of one by one."),
        (
            ExampleAnswer(_("Response for one"), row("0.27819", "3572", "Partial", "157"), ("order",)),
            ExampleAnswer(_("Response for several, keyed by the IDs as you sent them"), several, ("orders",)),
        ),
        {
            "charge": _("Charge of the order, minus refunds."),
            "start_count": _("Count before delivery; 0 if unknown."),
            "status": _("One of six statuses."),
            "remains": _("Quantity not delivered: 0 when completed, the whole quantity when canceled."),
            "currency": _("The shop's currency."),
        },
        (parameters.ORDER, parameters.ORDERS),
    )


_REFILLS = [{"order": 23501, "refill": 81}, {"order": 23502, "refill": {"error": responses.INCORRECT_ORDER}}]
REFILL = Action(
    "refill",
    _("Request refills"),
    _("Requests redelivery of what dropped since the order was completed. Refills are free."),
    (
        ExampleAnswer(_("Response for one"), {"refill": "81"}, ("order",)),
        ExampleAnswer(_("Response for several"), _REFILLS, ("orders",)),
    ),
    {"refill": _("Refill ID. It is a string in the response for one order."), "order": _("Order ID.")},
    (parameters.ORDER, parameters.ORDERS),
)
_REFILL_ROWS = [
    {"refill": 81, "status": "Completed"},
    {"refill": 82, "status": "Rejected"},
    {"refill": 83, "status": {"error": responses.REFILL_NOT_FOUND}},
]
REFILL_STATUS = Action(
    "refill_status",
    _("Get refill status"),
    _("Use refill for one refill, or refills for up to 1,000."),
    (
        ExampleAnswer(_("Response for one"), {"status": "Completed"}, ("refill",)),
        ExampleAnswer(_("Response for several"), _REFILL_ROWS, ("refills",)),
    ),
    {"status": _("One of four statuses."), "refill": _("Refill ID.")},
    (parameters.REFILL, parameters.REFILLS),
)
_CANCELED = [{"order": 23501, "cancel": 1}, {"order": 23502, "cancel": {"error": responses.CANCEL_OPEN}}]
CANCEL = Action(
    "cancel",
    _("Cancel orders"),
    _(
        "Requests cancellation. 1 means that the request was accepted, not that the order is "
        "stopped. The order status shows the result, and what was not delivered is refunded."
    ),
    (ExampleAnswer(_("Response"), _CANCELED, ("orders",)),),
    {"order": _("Order ID."), "cancel": _("1 if the request was accepted, otherwise the error.")},
    (parameters.ORDERS,),
)


def _balance() -> Action:
    return Action(
        "balance",
        _("Get balance"),
        _("Returns your balance."),
        (ExampleAnswer(_("Response"), {"balance": "100.84292", "currency": settings.STORE_CURRENCY}),),
        {"balance": _("Decimal number as a string."), "currency": _("The shop's currency.")},
    )
