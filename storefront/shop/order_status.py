"""The order statuses that customers see; they hide internal states."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.rules.state_machine import Status


@dataclass(frozen=True, slots=True)
class OrderStatusLabel:
    """One status that customers see. ``code`` is its name in the style sheet and in URLs."""

    code: str
    label: Promise
    statuses: tuple[Status, ...]
    tone: str = ""


LABELS = (
    OrderStatusLabel("pending", _("Pending"), (Status.QUEUED, Status.SUBMITTING, Status.PENDING)),
    OrderStatusLabel("processing", _("Processing"), (Status.PROCESSING,)),
    OrderStatusLabel("in-progress", _("In progress"), (Status.IN_PROGRESS,), "info"),
    OrderStatusLabel("completed", _("Completed"), (Status.COMPLETED,), "success"),
    OrderStatusLabel("partial", _("Partial"), (Status.PARTIAL,), "warning"),
    OrderStatusLabel("canceled", _("Canceled"), (Status.CANCELED, Status.FAILED)),
    OrderStatusLabel("in-doubt", _("Under review"), (Status.IN_DOUBT,)),
)
_BY_STATUS = {status: label for label in LABELS for status in label.statuses}
BY_CODE = {label.code: label for label in LABELS}


def status_label(status: str) -> OrderStatusLabel:
    """Return the status that customers see for an internal ``status``."""
    return _BY_STATUS[Status(status)]
