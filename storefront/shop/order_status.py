"""The statuses as customers see them: fewer than ours, and never a word of what is behind the counter."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.rules.state_machine import Status


@dataclass(frozen=True, slots=True)
class OrderStatusLabel:
    """One status of the page. ``code`` is its mark in the style sheet and its word in addresses."""

    code: str
    label: Promise
    means: tuple[Status, ...]
    tone: str = ""


SHOWN = (
    OrderStatusLabel("pending", _("Pending"), (Status.QUEUED, Status.SUBMITTING, Status.PENDING)),
    OrderStatusLabel("processing", _("Processing"), (Status.PROCESSING,)),
    OrderStatusLabel("in-progress", _("In progress"), (Status.IN_PROGRESS,), "info"),
    OrderStatusLabel("completed", _("Completed"), (Status.COMPLETED,), "success"),
    OrderStatusLabel("partial", _("Partial"), (Status.PARTIAL,), "warning"),
    OrderStatusLabel("canceled", _("Canceled"), (Status.CANCELED, Status.FAILED)),
    OrderStatusLabel("in-doubt", _("Under review"), (Status.IN_DOUBT,)),
)
_BY_STATUS = {status: shown for shown in SHOWN for status in shown.means}
BY_CODE = {shown.code: shown for shown in SHOWN}


def status_label(status: str) -> OrderStatusLabel:
    """How a customer sees ``status``, one of ours."""
    return _BY_STATUS[Status(status)]
