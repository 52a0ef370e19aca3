"""The statuses as customers see them: fewer than ours, and never a word of what is behind the counter."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.lifecycle import Status


@dataclass(frozen=True, slots=True)
class Shown:
    """One status of the page. ``code`` is its mark in the style sheet and its word in addresses."""

    code: str
    label: Promise
    means: tuple[Status, ...]
    tone: str = ""


SHOWN = (
    Shown("pending", _("Pending"), (Status.QUEUED, Status.SUBMITTING, Status.PENDING)),
    Shown("processing", _("Processing"), (Status.PROCESSING,)),
    Shown("in-progress", _("In progress"), (Status.IN_PROGRESS,), "info"),
    Shown("completed", _("Completed"), (Status.COMPLETED,), "success"),
    Shown("partial", _("Partial"), (Status.PARTIAL,), "warning"),
    Shown("canceled", _("Canceled"), (Status.CANCELED, Status.FAILED)),
    Shown("in-doubt", _("Under review"), (Status.IN_DOUBT,)),
)
_BY_STATUS = {status: shown for shown in SHOWN for status in shown.means}
BY_CODE = {shown.code: shown for shown in SHOWN}


def shown(status: str) -> Shown:
    """How a customer sees ``status``, one of ours."""
    return _BY_STATUS[Status(status)]
