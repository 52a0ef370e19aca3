"""Events that customers' programs can receive, published in the same transaction as the change itself.

This package does not know the listeners: the setting ORDERS_EVENT_LISTENERS names functions, each called with a list of
ShopEvent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string


class Topic(StrEnum):
    """The kind of an event. The values appear in the webhook documentation, so they must not change."""

    ORDER = "order.changed"
    REFILL = "refill.changed"
    LOW_BALANCE = "balance.low"
    PRICES = "prices.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopEvent:
    """One change that programs can be notified of.

    Without ``user_id`` the recipient is the customer of ``order_id``; price changes go to everybody. ``data`` holds
    JSON values; for an order it has the ``status``.
    """

    topic: Topic
    user_id: int | None = None
    order_id: int | None = None
    refill_id: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def publish(shop_events: Iterable[ShopEvent]) -> None:
    """Pass the events ``shop_events`` to every listener.

    Call it in the transaction of the change, so that both are committed or neither is.
    """
    published = list(shop_events)
    if published:
        for listener in settings.ORDERS_EVENT_LISTENERS:
            import_string(listener)(published)
