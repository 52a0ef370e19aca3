"""The statuses and events in the API's answers and webhooks, with their meanings."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.events import Topic

#: The style sheet's class of a status is the same word in lower case, with hyphens for blanks.
STATUSES: Mapping[str, Promise] = {
    "Pending": _("Taken and paid. It has not started."),
    "Processing": _("It is being prepared, or somebody looks at it. Ask again later."),
    "In progress": _("It is being delivered."),
    "Completed": _("Everything is delivered. Final, but for refills."),
    "Partial": _("It has ended before everything was delivered: the rest was paid back. Final."),
    "Canceled": _("It was stopped: everything was paid back. Final."),
}
REFILLS: Mapping[str, Promise] = {
    "Pending": _("Asked for. It has not started."),
    "In progress": _("It is being delivered."),
    "Completed": _("What was lost is delivered again. Final."),
    "Rejected": _("There will be no refill. Final."),
}
EVENTS: Mapping[Topic, Promise] = {
    Topic.ORDER: _("An order of yours has another status, or more of it is delivered."),
    Topic.REFILL: _("A refill of yours has another status."),
    Topic.LOW_BALANCE: _("Your wallet fell below the limit that you named."),
    Topic.PRICES: _("The price list has changed: read it again."),
}
#: Words in a link that choose the outcome of a sandbox order.
MAGIC: Mapping[str, Promise] = {
    "partial": _("The order ends half delivered, as Partial."),
    "canceled": _("The order is canceled."),
    "refused": _("The order is refused after it was taken: it ends as Canceled."),
    "slow": _("The order stays in progress, half delivered, until you cancel it."),
    "rejected": _("A refill of the order is rejected."),
}
