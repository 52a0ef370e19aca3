"""Codes in the data of order events; stored instead of text, so that every reader sees labels in their language."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.rules import state_machine


class Oddity(models.TextChoices):
    """Why a provider's report is unexpected: the values of ``state_machine.Oddity``, and those that no report holds."""

    UNKNOWN_WORD = state_machine.Oddity.UNKNOWN_WORD.value, _("The provider reports an unknown status")
    REMAINS_MISSING = (
        state_machine.Oddity.REMAINS_MISSING.value,
        _("The provider reports partial delivery, but not how much was not delivered"),
    )
    REMAINS_OUT_OF_RANGE = (
        state_machine.Oddity.REMAINS_OUT_OF_RANGE.value,
        _("The quantity that the provider reports as not delivered is impossible"),
    )
    FAILED_UPSTREAM = (
        state_machine.Oddity.FAILED_UPSTREAM.value,
        _("The provider failed the order but doesn't say whether it refunded us"),
    )
    WENT_BACK = (
        state_machine.Oddity.WENT_BACK.value,
        _("The provider reports a smaller quantity as not delivered than before"),
    )
    REOPENED = state_machine.Oddity.REOPENED.value, _("The provider's status contradicts how the order ended")
    UNKNOWN_THERE = "unknown_there", _("The provider hasn't recognized this order for over an hour")
    FOUND_LATE = "found_late", _("The provider has this order, although it had been decided that it was not placed")


class EventDecision(models.TextChoices):
    """What staff, or the search for lost orders, decided about an order."""

    PLACED = "placed", _("The order was placed")
    SEND_AGAIN = "send_again", _("The order was not placed: send again")
    REFUND = "refund", _("The order was not placed: refund")
    SET_PARTIAL = "set_partial", _("Set partial")
    CHANGE_LINK = "change_link", _("Link changed")
    TRY_AGAIN = "try_again", _("Sent again without waiting")
    REPORT_SEEN = "report_seen", _("Unexpected report marked as seen")
    RESEND_REQUEST = "resend_request", _("Request sent to the provider again")


class DecidedBy(models.TextChoices):
    """Who made a decision that no person made."""

    SEARCH = "search", _("Automatic search")


class EventStep(models.TextChoices):
    """A step of a refill, a cancellation or the runs of an order.

    The event of a run has the ``EventKind`` that the event would have for a whole order instead.
    """

    REQUESTED = "requested", _("Requested")
    SENT = "sent", _("Accepted by the provider")
    IN_PROGRESS = "in_progress", _("In progress")
    STAFF = "staff", _("Handed to staff")
    COMPLETED = "completed", _("Completed")
    REJECTED = "rejected", _("Rejected")
    STOPPED = "stopped", _("Runs that had not started were canceled")


class RejectionReason(models.TextChoices):
    """Why we rejected a request ourselves."""

    DELIVERED = "delivered", _("Everything was delivered before the order could be stopped")
