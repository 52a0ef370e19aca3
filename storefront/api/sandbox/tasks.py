"""django-q2 entry points of the sandbox, and their schedules. Nothing moves its orders: time does."""

from __future__ import annotations

from providers.worker.schedules import Schedule
from storefront.api.sandbox import store

SCHEDULES = (Schedule("sandbox clean up", "storefront.api.sandbox.tasks.prune", minutes=1440),)


def prune() -> None:
    store.prune()
