"""Labels, hints, and error texts of the inputs of an order, by the codes of ``orders``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orders.errors import InvalidField
from storefront.web import formats

Text = str | Promise


@dataclass(frozen=True, slots=True)
class InputLabels:
    """Label, hint, and example of one input."""

    label: Text
    hint: Text = ""
    example: str = ""


INPUTS: Mapping[str, InputLabels] = {
    "link": InputLabels(gettext_lazy("Link"), gettext_lazy("Must stay public until the order is finished.")),
    "quantity": InputLabels(gettext_lazy("Quantity")),
    "comments": InputLabels(gettext_lazy("Comments"), gettext_lazy("One comment per line.")),
    "usernames": InputLabels(gettext_lazy("Usernames"), gettext_lazy("One username per line, without @.")),
    "username": InputLabels(gettext_lazy("Username"), gettext_lazy("Without @."), "nadia.kerr"),
    "hashtags": InputLabels(gettext_lazy("Hashtags"), gettext_lazy("One hashtag per line, without #.")),
    "hashtag": InputLabels(gettext_lazy("Hashtag"), gettext_lazy("Without #."), "travel"),
    "media": InputLabels(gettext_lazy("Post link"), gettext_lazy("Users who liked this post are mentioned.")),
    "keywords": InputLabels(gettext_lazy("Keywords"), gettext_lazy("One keyword per line.")),
    "groups": InputLabels(gettext_lazy("Groups"), gettext_lazy("One group link per line.")),
    "answer_number": InputLabels(
        gettext_lazy("Answer number"), gettext_lazy("The position of the answer, counted from the top."), "2"
    ),
    "min": InputLabels(gettext_lazy("Minimum per post")),
    "max": InputLabels(gettext_lazy("Maximum per post")),
    "posts": InputLabels(
        gettext_lazy("New posts"),
        gettext_lazy("Number of future posts to include. Enter 0 for existing posts only."),
        "10",
    ),
    "old_posts": InputLabels(
        gettext_lazy("Existing posts"), gettext_lazy("Number of existing posts to include, newest first.")
    ),
    "delay": InputLabels(gettext_lazy("Delay"), gettext_lazy("Time between a new post and the start of its delivery.")),
    "expiry": InputLabels(
        gettext_lazy("End date"), gettext_lazy("DD/MM/YYYY. Leave empty to end after the last post.")
    ),
    "runs": InputLabels(gettext_lazy("Runs"), gettext_lazy("Each run delivers the quantity above."), "5"),
    "interval": InputLabels(gettext_lazy("Minutes between runs"), gettext_lazy("From 1 to 1,440."), "60"),
    "start_at": InputLabels(gettext_lazy("Start time"), gettext_lazy("Leave empty to start now.")),
    "country": InputLabels(gettext_lazy("Country"), gettext_lazy("Country name or two-letter code."), "US"),
    "device": InputLabels(gettext_lazy("Device")),
    "type_of_traffic": InputLabels(gettext_lazy("Traffic source")),
    "google_keyword": InputLabels(gettext_lazy("Search keyword"), gettext_lazy("Required for search traffic.")),
    "referring_url": InputLabels(
        gettext_lazy("Referring page"), gettext_lazy("Required for traffic from a referring page.")
    ),
}

CHOICES: Mapping[str, Mapping[int, Text]] = {
    "device": {
        1: gettext_lazy("Desktop"),
        2: gettext_lazy("Android phones"),
        3: gettext_lazy("iPhones"),
        4: gettext_lazy("All phones"),
        5: gettext_lazy("All devices"),
    },
    "type_of_traffic": {
        1: gettext_lazy("Search engine"),
        2: gettext_lazy("Referring page"),
        3: gettext_lazy("Direct (no referring page)"),
    },
}

#: Numeric inputs that are not the quantity of an order.
LIMITED = {"runs", "interval", "posts", "old_posts", "answer_number"}
ENTRIES = {"comments", "usernames", "hashtags", "keywords", "groups"}


def label(name: str) -> str:
    """Return the label of an input; an input without a label keeps its API name."""
    return str(INPUTS[name].label) if name in INPUTS else name


def choice(name: str, value: int) -> str:
    """Return the label of one choice of an input."""
    if name == "delay":
        return ngettext("%d minute", "%d minutes", value) % value if value else _("No delay")
    return str(CHOICES.get(name, {}).get(value, value))


def value(name: str, given: Any) -> str:
    """Return the value of an input as text, one line for each entry of a list."""
    if isinstance(given, list):
        return "\n".join(map(str, given))
    if name in CHOICES or name == "delay":
        return choice(name, given)
    return str(given)


def limits(name: str, least: int, most: int) -> str:
    """Return the hint with the minimum and maximum of an input."""
    bounds = {"least": formats.number(least), "most": formats.number(most)}
    if name in ENTRIES:
        return _("%(least)s to %(most)s lines.") % bounds
    return _("%(least)s to %(most)s.") % bounds


def problem(wrong: InvalidField) -> str:
    """Return the error text of an invalid input."""
    limit = wrong.limit if isinstance(wrong.limit, int) else 0
    bound = formats.number(limit) if isinstance(wrong.limit, int) else str(wrong.limit or "")
    is_list = wrong.field in ENTRIES
    match wrong.code:
        case "unlimited":
            return _("Enter the number of posts. Unlimited subscriptions aren't available.")
        case "missing":
            return _("This field is required.")
        case "not_a_number":
            return _("Enter a whole number, such as 100.")
        case "too_large" if wrong.field == "start_at":
            return (
                ngettext("Choose a time within the next %s day.", "Choose a time within the next %s days.", limit)
                % bound
            )
        case "too_small" if wrong.field in LIMITED:
            return _("The minimum is %s.") % bound
        case "too_large" if wrong.field in LIMITED:
            return _("The maximum is %s.") % bound
        case "too_small":
            if is_list:
                return ngettext("Enter at least %s line.", "Enter at least %s lines.", limit) % bound
            return _("The minimum quantity is %s.") % bound
        case "too_large":
            if is_list:
                return ngettext("Enter at most %s line.", "Enter at most %s lines.", limit) % bound
            return _("The maximum quantity is %s.") % bound
        case "invalid_choice" if wrong.field == "start_at":
            return _("Enter the date and time in this format: %s.") % bound
        case "invalid_choice" if wrong.field == "expiry":
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
