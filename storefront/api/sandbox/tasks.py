"""Background tasks of the sandbox for django-q2, and their schedules.

No task moves orders; their state follows from the time.
"""

from __future__ import annotations

from providers.worker.schedules import Schedule
from storefront.api.sandbox import store

SCHEDULES = (Schedule("sandbox clean up", "storefront.api.sandbox.tasks.prune", minutes=1440),)


def prune() -> None:
    store.prune()
