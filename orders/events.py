"""What customers' programs want to know, told in the transaction of the change: neither is without the other.

The ground floor does not know who listens: ORDERS_NEWS names functions, each with a list of News as its one argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string


class Topic(StrEnum):
    """The words are those of the callbacks' documentation."""

    ORDER = "order.changed"
    REFILL = "refill.changed"
    LOW_BALANCE = "balance.low"
    PRICES = "prices.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopEvent:
    """One change. ``order_id`` says whose it is where ``user_id`` does not; news of prices is for everybody.

    ``data`` holds facts that JSON can carry; those of an order have its ``status``.
    """

    topic: Topic
    user_id: int | None = None
    order_id: int | None = None
    refill_id: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def publish(news: Iterable[ShopEvent]) -> None:
    """Hands ``news`` to whoever listens. Call it in the transaction of the change, that both stand or fall together."""
    told = list(news)
    if told:
        for listener in settings.ORDERS_NEWS:
            import_string(listener)(told)
