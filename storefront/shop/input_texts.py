"""Texts of the inputs of an order: labels, hints, values, and the text of each error code of ``orders``."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.errors import InvalidField
from orders.rules.order_inputs import Input, Shape
from orders.rules.service_types import INPUTS
from storefront.web import formats


def label(name: str) -> str:
    """Return the label of an input; one that is not declared any more keeps its API name."""
    return _(INPUTS[name].label) if name in INPUTS else name


def choice(spec: Input, value: int) -> str:
    """Return the label of one choice of an input."""
    text = spec.choices.get(value, str(value))
    return _(text) if text else ngettext("%d minute", "%d minutes", value) % value


def value(name: str, given: Any) -> str:
    """Return the value of an order's input as text, one line for each entry of a list."""
    if isinstance(given, list):
        return "\n".join(map(str, given))
    return choice(INPUTS[name], given) if name in INPUTS and INPUTS[name].choices else str(given)


def _is_list(name: str) -> bool:
    return name in INPUTS and INPUTS[name].shape is Shape.LINES


def _is_plain_number(name: str) -> bool:
    """Whether the limits of the input are its own, not those of the service's quantity."""
    return name in INPUTS and INPUTS[name].shape is Shape.NUMBER and not INPUTS[name].is_quantity


def limits_hint(name: str, least: int, most: int) -> str:
    """Return the hint with the minimum and maximum of an input."""
    bounds = {"least": formats.number(least), "most": formats.number(most)}
    if _is_list(name):
        return _("%(least)s to %(most)s lines.") % bounds
    return _("%(least)s to %(most)s.") % bounds


def error_text(error: InvalidField) -> str:
    """Return what is wrong with an input and what to do about it."""
    limit = error.limit if isinstance(error.limit, int) else 0
    bound = formats.number(limit) if isinstance(error.limit, int) else str(error.limit or "")
    is_list = _is_list(error.field)
    match error.code:
        case "unlimited":
            return _("Enter the number of posts. Unlimited subscriptions aren't available.")
        case "missing":
            return _("This field is required.")
        case "not_a_number":
            return _("Enter a whole number, such as 100.")
        case "too_large" if error.field == "start_at":
            return (
                ngettext("Choose a time within the next %s day.", "Choose a time within the next %s days.", limit)
                % bound
            )
        case "too_small" if _is_plain_number(error.field):
            return _("The minimum is %s.") % bound
        case "too_large" if _is_plain_number(error.field):
            return _("The maximum is %s.") % bound
        case "too_small":
            if is_list:
                return ngettext("Enter at least %s line.", "Enter at least %s lines.", limit) % bound
            return _("The minimum quantity is %s.") % bound
        case "too_large":
            if is_list:
                return ngettext("Enter at most %s line.", "Enter at most %s lines.", limit) % bound
            return _("The maximum quantity is %s.") % bound
        case "invalid_choice" if error.field == "start_at":
            return _("Enter the date and time in this format: %s.") % bound
        case "invalid_choice" if error.field == "expiry":
            return _("Enter the date in this format: %s.") % bound
        case "invalid_choice":
            return _("Choose an option from the list.")
        case "in_use":
            return _("There's already an open order for this link. This service allows one order per link at a time.")
        case "bad_link" if bound:
            return _("This service needs a different kind of link, such as %s") % bound
        case "bad_link":
            return _("This link isn't valid. Copy it from the address bar, without spaces.")
        case "too_long":
            return _("This is too long. The limit is %s.") % bound
    return _("This value can't be used here. Change it and try again.")
