"""The base of outbox tables, such as emails and webhook deliveries: the table is the queue, one row is one delivery.

A row with a ``due_at`` is still to be sent. A worker that claims a row moves ``due_at`` to the end of its lease, so
that the row becomes due again if the worker dies.
"""

from __future__ import annotations

from datetime import datetime
from typing import Self, TypeVar

from django.core.cache import cache
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from providers.worker import leases
from providers.worker.queue import enqueue_once

RowT = TypeVar("RowT", bound="OutboxRow", covariant=True)

#: Wake-ups of one outbox within this many seconds are merged into one. The pass that it starts keeps looking for due
#: rows for a little longer than that, so a merged wake-up is not lost.
WAKE_SECONDS = 1
#: Seconds for which a pass that was woken keeps looking.
LINGER = WAKE_SECONDS + 0.5


class OutboxQuerySet(models.QuerySet[RowT]):
    def open(self) -> Self:
        """Return the rows that are still to be sent.

        Use this in every query about them: its condition is that of the table's partial index, which stays small.
        """
        return self.filter(due_at__isnull=False)

    def due(self, now: datetime) -> Self:
        return self.open().filter(due_at__lte=now)


class OutboxRow(models.Model):
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("next attempt"), null=True, blank=True)
    lease_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    given_up_at = models.DateTimeField(_("retries stopped at"), null=True, blank=True)

    class Meta:
        abstract = True


def release(row: OutboxRow) -> None:
    """Make a claimed row due at once, unless another worker has taken it: this process was stopped and sent nothing."""
    mine = type(row)._default_manager.filter(pk=row.pk, lease_until=row.lease_until)
    mine.update(due_at=leases.database_now(), lease_until=None, attempts=F("attempts") - 1)


def wake(task: str) -> None:
    """Start the sending pass ``task`` (a dotted path) now instead of at its next schedule.

    A lost call only delays the rows until then, and a repeated one changes nothing.
    """
    if cache.add(f"outbox.wake.{task}", 1, WAKE_SECONDS):
        enqueue_once(task)
