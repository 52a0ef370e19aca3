"""Stands where the upstream side is woken: settings name its functions by dotted path."""

from __future__ import annotations

from orders.models import Order

rung: list[int] = []


def ring(order: Order) -> None:
    rung.append(order.pk)


def fail(order: Order) -> None:
    rung.append(order.pk)
    raise ConnectionError("the broker is gone")
