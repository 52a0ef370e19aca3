"""django-q2 entry points of the room, a few lines each, and their schedules."""

from __future__ import annotations

from providers.schedules import Schedule
from storefront.topups import expiring

SCHEDULES = (Schedule("unpaid top-ups", "storefront.topups.tasks.expire_due", minutes=60),)


def expire_due() -> None:
    expiring.expire_due()
