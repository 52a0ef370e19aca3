"""Template tags of orders that wait for a payment, for the pages of payments."""

from __future__ import annotations

from typing import Any

from django import template

from storefront.shop import planned_orders
from storefront.shop.models import PlannedOrder, PlanStatus

register = template.Library()


@register.simple_tag
def waiting_order(user: Any, key: str) -> PlannedOrder | None:
    """Return the customer's planned order with this key if it still waits for a payment."""
    row = planned_orders.by_key(user, key) if key else None
    return row if row is not None and row.status == PlanStatus.WAITING else None


@register.simple_tag
def order_of_payment(reference: str) -> PlannedOrder | None:
    """Return the order that waits or waited for a payment."""
    return planned_orders.of_payment(reference)
