"""Recording and publishing of price changes; the caller writes the prices themselves."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from orders import events
from orders.db import bulk
from orders.events import ShopEvent, Topic
from orders.models import PriceChange, Service
from orders.rules import amounts

#: Maximum number of services in one event, which makes a webhook of about 60 kB.
CHUNK = 500


class RateChange(NamedTuple):
    """A change of one service's rate from ``old_rate`` to ``new_rate``: per 1,000, or per piece if flat."""

    service_id: int
    service_type: str
    is_flat: bool
    old_rate: Decimal
    new_rate: Decimal
    is_on_sale: bool

    @classmethod
    def of(cls, service: Service, *, old_rate: Decimal) -> RateChange:
        return cls(service.pk, service.service_type, service.is_flat, old_rate, service.rate, service.is_active)


@transaction.atomic(savepoint=False)
def record(changes: Sequence[RateChange]) -> None:
    """Store ``changes`` and publish those of services on sale, in events of up to CHUNK services.

    Call it in the transaction that writes the prices.
    """
    now = timezone.now()
    rows = [(change.service_id, change.old_rate, change.new_rate, now) for change in changes]
    bulk.insert(PriceChange, ["service", "old_rate", "new_rate", "created_at"], rows)
    on_sale = [_facts(change) for change in changes if change.is_on_sale]
    chunks = [on_sale[start : start + CHUNK] for start in range(0, len(on_sale), CHUNK)]
    events.publish(ShopEvent(topic=Topic.PRICES, data={"services": chunk}) for chunk in chunks)


def _facts(change: RateChange) -> dict[str, object]:
    return {
        "service": change.service_id,
        "service_type": change.service_type,
        "is_flat": change.is_flat,
        "old_rate": amounts.plain(change.old_rate),
        "rate": amounts.plain(change.new_rate),
    }
