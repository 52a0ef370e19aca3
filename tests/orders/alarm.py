"""Functions for the setting ORDERS_WAKE that record the calls or fail."""

from __future__ import annotations

from orders.models import Order

woken_orders: list[int] = []


def ring(order: Order) -> None:
    woken_orders.append(order.pk)


def fail(order: Order) -> None:
    woken_orders.append(order.pk)
    raise ConnectionError("the broker is gone")
