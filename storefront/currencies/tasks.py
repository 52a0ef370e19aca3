"""Background tasks of exchange rates for django-q2, and their schedules."""

from __future__ import annotations

from providers.worker.schedules import Schedule
from storefront.currencies import fetching, retention

SCHEDULES = (
    Schedule("exchange rates", "storefront.currencies.tasks.fetch_due", minutes=5),
    Schedule("exchange rates clean up", "storefront.currencies.tasks.prune", minutes=1440),
)


def fetch_due() -> None:
    fetching.fetch_due()


def prune() -> None:
    retention.prune()
