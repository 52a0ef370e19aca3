"""Background tasks of the shop for django-q2, and their schedules."""

from __future__ import annotations

from providers.worker.schedules import Schedule
from storefront.shop import planned_orders

SCHEDULES = (
    Schedule("planned orders", "storefront.shop.tasks.place_planned_orders", minutes=1),
    Schedule("old planned orders", "storefront.shop.tasks.delete_old_plans", minutes=1440),
)


def place_planned_orders() -> None:
    planned_orders.place_ready()


def delete_old_plans() -> None:
    planned_orders.delete_old()
