"""Know whether a worker is alive: it writes the time of the database's clock, and pages compare it with that clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import BooleanField, ExpressionWrapper, Q
from django.db.models.functions import Now

from providers.worker.models import Heartbeat

#: A worker that was not seen for so long is not running. It looks for due work every few seconds.
LIMIT = timedelta(seconds=50)
WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Pulse:
    """When a worker was last seen (None: never), and whether one is running."""

    seen_at: datetime | None
    is_alive: bool


def beat() -> None:
    """Say that a worker is alive: it has just finished a task."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=WORKER, at=Now())], update_conflicts=True, unique_fields=["name"], update_fields=["at"]
    )


def pulse() -> Pulse:
    """Return whether a worker is running; one query."""
    # A time that is far ahead was written before the database's clock was put back.
    is_alive = Q(at__gt=Now() - LIMIT, at__lt=Now() + LIMIT)
    fresh = ExpressionWrapper(is_alive, BooleanField())
    found = Heartbeat.objects.filter(name=WORKER).values_list("at", fresh).first()
    return Pulse(found[0], bool(found[1])) if found else Pulse(None, False)
