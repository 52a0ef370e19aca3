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
    """An example answer. ``asked`` are the parameters that lead to it."""

    title: Promise
    data: Any
    asked: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        return json.dumps(self.data, indent=2)


@dataclass(frozen=True, slots=True)
class Action:
    """One action.

    Exactly one of ``parameters`` is sent, except for ``add``, whose parameters depend on the service type.

    ``tells`` explains each name in the answer.
    """

    name: str
    title: Promise
    does: Promise
    answers: tuple[ExampleAnswer, ...]
    tells: Mapping[str, Promise]
    parameters: tuple[Parameter, ...] = ()
    spends: bool = False

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
        _("The price list"),
        _(
            "Every service on sale, in one answer; what is missing from it is off sale. By GET the answer has an ETag: "
            "send it back in If-None-Match, and as long as nothing has changed you get HTTP 304 and no list."
        ),
        (ExampleAnswer(_("Answer"), [first]),),
        {
            "service": _("The number that add takes."),
            "name": _("One line of text."),
            "type": _("The service type: it decides what add needs."),
            "category": _("One line of text."),
            "rate": _("The price in the shop's currency: for 1,000, or for one where the type is a package."),
            "min": _("The least one order may have."),
            "max": _("The most one order may have; with drip-feed, all runs together."),
            "dripfeed": _("Whether an order may be delivered in runs."),
            "refill": _("Whether a refill can be asked for."),
            "cancel": _("Whether a cancellation can be asked for."),
            "desc": _("What the service is, in its own words; it may be empty and have several lines."),
        },
    )


ADD = Action(
    "add",
    _("Place an order"),
    _(
        "Takes the price from your wallet and gives the number of the order. What it needs depends on the type of the "
        "service. If you heard no answer, send the same call again: it buys once."
    ),
    (ExampleAnswer(_("Answer"), {"order": 23501}),),
    {"order": _("The number of the order. Keep it: everything else asks for it.")},
    spends=True,
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
        _("How orders stand"),
        _("One order by order, or up to 1,000 by orders. Ask for many at once rather than for each alone."),
        (
            ExampleAnswer(_("Answer for one"), row("0.27819", "3572", "Partial", "157"), ("order",)),
            ExampleAnswer(_("Answer for several: each number as it was asked"), several, ("orders",)),
        ),
        {
            "charge": _("What the order costs you: what was paid back is taken off."),
            "start_count": _("The count before the first delivery; 0 where it is not known."),
            "status": _("One of six words."),
            "remains": _("What is not delivered: 0 when completed, the whole quantity when canceled."),
            "currency": _("The shop's currency."),
        },
        (parameters.ORDER, parameters.ORDERS),
    )


_REFILLS = [{"order": 23501, "refill": 81}, {"order": 23502, "refill": {"error": responses.INCORRECT_ORDER}}]
REFILL = Action(
    "refill",
    _("Ask for refills"),
    _("Asks to deliver again what was lost since the order was completed. It costs nothing."),
    (
        ExampleAnswer(_("Answer for one"), {"refill": "81"}, ("order",)),
        ExampleAnswer(_("Answer for several"), _REFILLS, ("orders",)),
    ),
    {"refill": _("The number of the refill; a text in the answer for one order."), "order": _("The order's number.")},
    (parameters.ORDER, parameters.ORDERS),
)
_REFILL_ROWS = [
    {"refill": 81, "status": "Completed"},
    {"refill": 82, "status": "Rejected"},
    {"refill": 83, "status": {"error": responses.REFILL_NOT_FOUND}},
]
REFILL_STATUS = Action(
    "refill_status",
    _("How refills stand"),
    _("One refill by refill, or up to 1,000 by refills."),
    (
        ExampleAnswer(_("Answer for one"), {"status": "Completed"}, ("refill",)),
        ExampleAnswer(_("Answer for several"), _REFILL_ROWS, ("refills",)),
    ),
    {"status": _("One of four words."), "refill": _("The refill's number.")},
    (parameters.REFILL, parameters.REFILLS),
)
_CANCELED = [{"order": 23501, "cancel": 1}, {"order": 23502, "cancel": {"error": responses.CANCEL_OPEN}}]
CANCEL = Action(
    "cancel",
    _("Ask to cancel orders"),
    _(
        "Asks to stop orders. 1 says that the request was taken, not that the order has stopped: its status tells "
        "what became of it, and what was not delivered is paid back."
    ),
    (ExampleAnswer(_("Answer"), _CANCELED, ("orders",)),),
    {"order": _("The order's number."), "cancel": _("1: the request was taken. Otherwise the error.")},
    (parameters.ORDERS,),
)


def _balance() -> Action:
    return Action(
        "balance",
        _("Your balance"),
        _("What your wallet holds."),
        (ExampleAnswer(_("Answer"), {"balance": "100.84292", "currency": settings.STORE_CURRENCY}),),
        {"balance": _("A text with a point and without blanks."), "currency": _("The shop's currency.")},
    )
