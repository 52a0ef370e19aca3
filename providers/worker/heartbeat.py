"""The worker's heartbeat: the worker stores the database's time, and pages compare it with the database's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import BooleanField, ExpressionWrapper, Q
from django.db.models.functions import Now

from providers.worker.models import Heartbeat

#: After this time without a heartbeat the worker counts as not running. It looks for due work every few seconds.
LIMIT = timedelta(seconds=50)
WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Pulse:
    """When a worker was last seen (None if never), and whether one is running."""

    seen_at: datetime | None
    is_alive: bool


def beat() -> None:
    """Record that a worker is alive; called when it has finished a task."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=WORKER, at=Now())], update_conflicts=True, unique_fields=["name"], update_fields=["at"]
    )


def pulse() -> Pulse:
    """Return whether a worker is running, with one query."""
    # A time far in the future was written before the database's clock was set back.
    is_alive = Q(at__gt=Now() - LIMIT, at__lt=Now() + LIMIT)
    fresh = ExpressionWrapper(is_alive, BooleanField())
    found = Heartbeat.objects.filter(name=WORKER).values_list("at", fresh).first()
    return Pulse(found[0], bool(found[1])) if found else Pulse(None, False)
