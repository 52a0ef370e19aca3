"""Background tasks of promotions for django-q2, and their schedules."""

from __future__ import annotations

from providers.worker.schedules import Schedule
from storefront.promotions import affiliates

SCHEDULES = (Schedule("affiliate commissions", "storefront.promotions.tasks.mature", minutes=60),)


def mature() -> None:
    affiliates.mature()
