"""The words for what an order needs and for what can be wrong with it. Codes come from ``orders``."""

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
    """How one input is asked for."""

    label: Text
    hint: Text = ""
    example: str = ""


INPUTS: Mapping[str, InputLabels] = {
    "link": InputLabels(gettext_lazy("Link"), gettext_lazy("It must be public while the order runs.")),
    "quantity": InputLabels(gettext_lazy("Quantity")),
    "comments": InputLabels(gettext_lazy("Comments"), gettext_lazy("One comment a line.")),
    "usernames": InputLabels(gettext_lazy("User names"), gettext_lazy("One name a line, without @.")),
    "username": InputLabels(gettext_lazy("User name"), gettext_lazy("Without @."), "nadia.kerr"),
    "hashtags": InputLabels(gettext_lazy("Hashtags"), gettext_lazy("One hashtag a line, without #.")),
    "hashtag": InputLabels(gettext_lazy("Hashtag"), gettext_lazy("Without #."), "travel"),
    "media": InputLabels(
        gettext_lazy("Link to the post"), gettext_lazy("The people who liked this post are mentioned.")
    ),
    "keywords": InputLabels(gettext_lazy("Keywords"), gettext_lazy("One keyword a line.")),
    "groups": InputLabels(gettext_lazy("Groups"), gettext_lazy("One link to a group a line.")),
    "answer_number": InputLabels(
        gettext_lazy("Number of the answer"), gettext_lazy("Count the answers from the top."), "2"
    ),
    "min": InputLabels(gettext_lazy("Least for each post")),
    "max": InputLabels(gettext_lazy("Most for each post")),
    "posts": InputLabels(
        gettext_lazy("New posts"), gettext_lazy("How many future posts are served; 0 for old posts only."), "10"
    ),
    "old_posts": InputLabels(
        gettext_lazy("Old posts"), gettext_lazy("How many existing posts are served too, newest first.")
    ),
    "delay": InputLabels(gettext_lazy("Delay"), gettext_lazy("Between a new post and its start.")),
    "expiry": InputLabels(gettext_lazy("Ends on"), gettext_lazy("Day/month/year; empty means it ends with its posts.")),
    "runs": InputLabels(gettext_lazy("Runs"), gettext_lazy("Each run delivers the quantity above."), "5"),
    "interval": InputLabels(gettext_lazy("Minutes between runs"), gettext_lazy("From 1 to 1,440."), "60"),
    "start_at": InputLabels(gettext_lazy("Start later"), gettext_lazy("Empty means now.")),
    "country": InputLabels(gettext_lazy("Country"), gettext_lazy("A name or a code of two letters."), "US"),
    "device": InputLabels(gettext_lazy("Device")),
    "type_of_traffic": InputLabels(gettext_lazy("Where visitors come from")),
    "google_keyword": InputLabels(gettext_lazy("Search word"), gettext_lazy("Needed for visitors from a search.")),
    "referring_url": InputLabels(
        gettext_lazy("Referring page"), gettext_lazy("Needed for visitors from a page you name.")
    ),
}

CHOICES: Mapping[str, Mapping[int, Text]] = {
    "device": {
        1: gettext_lazy("Desktop"),
        2: gettext_lazy("Phone, Android"),
        3: gettext_lazy("Phone, iOS"),
        4: gettext_lazy("All phones"),
        5: gettext_lazy("All devices"),
    },
    "type_of_traffic": {
        1: gettext_lazy("A search"),
        2: gettext_lazy("A page you name"),
        3: gettext_lazy("Nowhere (no referring page)"),
    },
}

#: Numbers that are no amount of what is bought.
LIMITED = {"runs", "interval", "posts", "old_posts", "answer_number"}
ENTRIES = {"comments", "usernames", "hashtags", "keywords", "groups"}


def label(name: str) -> str:
    """The label of an input; inputs we have no words for keep their API name."""
    return str(INPUTS[name].label) if name in INPUTS else name


def choice(name: str, value: int) -> str:
    if name == "delay":
        return ngettext("%d minute", "%d minutes", value) % value if value else _("No delay")
    return str(CHOICES.get(name, {}).get(value, value))


def value(name: str, given: Any) -> str:
    """What a customer gave for an input, as text; lists get a line for each entry."""
    if isinstance(given, list):
        return "\n".join(map(str, given))
    if name in CHOICES or name == "delay":
        return choice(name, given)
    return str(given)


def limits(name: str, least: int, most: int) -> str:
    """How much of ``name`` a service sells in one order."""
    bounds = {"least": formats.number(least), "most": formats.number(most)}
    if name in ENTRIES:
        return _("%(least)s to %(most)s lines.") % bounds
    return _("%(least)s to %(most)s.") % bounds


def problem(wrong: InvalidField) -> str:
    """What to do about one input that cannot be used."""
    bound = formats.number(wrong.limit) if isinstance(wrong.limit, int) else str(wrong.limit or "")
    is_list = wrong.field in ENTRIES
    match wrong.code:
        case "unlimited":
            return _("Enter the number of posts. Subscriptions without a limit are not available.")
        case "missing":
            return _("This is needed.")
        case "not_a_number":
            return _("Write a whole number, for example 100.")
        case "too_large" if wrong.field == "start_at":
            return _("The latest start is %s days from now.") % bound
        case "too_small" if wrong.field in LIMITED:
            return _("This must be at least %s.") % bound
        case "too_large" if wrong.field in LIMITED:
            return _("This must be at most %s.") % bound
        case "too_small":
            return (_("At least %s lines are needed.") if is_list else _("The least you can order is %s.")) % bound
        case "too_large":
            return (_("At most %s lines are possible.") if is_list else _("The most you can order is %s.")) % bound
        case "invalid_choice" if wrong.field == "start_at":
            return _("Write the moment like %s.") % bound
        case "invalid_choice" if wrong.field == "expiry":
            return _("Write the day like %s.") % bound
        case "invalid_choice":
            return _("Choose one of the list.")
        case "in_use":
            return _("An order for this link is open. This service takes one order a link at a time.")
        case "bad_link" if bound:
            return _("This service takes another kind of link, one like %s") % bound
        case "bad_link":
            return _("This is not a link we can use. Copy it from the address bar, without blanks.")
        case "too_long":
            return _("This is too long: the limit is %s.") % bound
    return _("This is not possible here.")
