"""The statuses and events in the API's answers and webhooks, with their meanings."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.events import Topic

#: The style sheet's class of a status is the same word in lower case, with hyphens for blanks.
STATUSES: Mapping[str, Promise] = {
    "Pending": _("Accepted and paid. It has not started."),
    "Processing": _("The order is being prepared or is under review. Check again later."),
    "In progress": _("It is being delivered."),
    "Completed": _("Everything was delivered. Final, except for refills."),
    "Partial": _("Only part was delivered, and the rest was refunded. Final."),
    "Canceled": _("The order was stopped and fully refunded. Final."),
}
REFILLS: Mapping[str, Promise] = {
    "Pending": _("Requested. It has not started."),
    "In progress": _("It is being delivered."),
    "Completed": _("What dropped was delivered again. Final."),
    "Rejected": _("The refill was declined. Final."),
}
EVENTS: Mapping[Topic, Promise] = {
    Topic.ORDER: _("The status or progress of one of your orders changed."),
    Topic.REFILL: _("The status of one of your refills changed."),
    Topic.LOW_BALANCE: _("Your balance fell below your threshold."),
    Topic.PRICES: _("Services or prices changed. Load the service list again."),
}
#: Words in a link that choose the outcome of a sandbox order.
OUTCOMES: Mapping[str, Promise] = {
    "partial": _("Half of the order is delivered, and it ends as Partial."),
    "canceled": _("The order is canceled."),
    "refused": _("The order is rejected after it was accepted, and ends as Canceled."),
    "slow": _("The order stays in progress with half delivered until you cancel it."),
    "rejected": _("Refills of the order are rejected."),
}
