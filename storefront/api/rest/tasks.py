"""Background tasks of the REST API for django-q2, and their schedules."""

from __future__ import annotations

from providers.worker.schedules import Schedule
from storefront.api.rest import idempotency

SCHEDULES = (Schedule("stored API answers", "storefront.api.rest.tasks.prune", minutes=60),)


def prune() -> None:
    idempotency.prune()
