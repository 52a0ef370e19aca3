"""Calculation of delivery times and results of each service from its ended orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max
from django.db.models.functions import Coalesce
from django.utils import timezone

from orders.models import DeliveryStats, Order
from orders.rules.state_machine import Status

MIN_SAMPLE = DeliveryStats.LEAST
#: Times are measured on the newest SAMPLE delivered orders; results are counted on at most COUNTED of the last 30 days.
SAMPLE, COUNTED = 200, 5000
COUNTED_FOR = timedelta(days=30)
DELIVERED = (Status.COMPLETED, Status.PARTIAL)
#: Look back this much further than the last run, which may have missed orders that ended while it ran.
OVERLAP = timedelta(minutes=5)

#: When the order could begin, when delivery was first seen to have started, when it ended.
Times = tuple[datetime, datetime | None, datetime | None]


def update_delivery_stats() -> int:
    """Update the statistics of services with orders that ended since the last run; return how many services."""
    last = DeliveryStats.objects.aggregate(last=Max("measured_at"))["last"]
    ended = Order.objects.filter(ended_at__isnull=False)
    if last is not None:
        ended = ended.filter(ended_at__gt=last - OVERLAP)
    services = list(ended.order_by().values_list("service_id", flat=True).distinct())
    for service_id in services:
        DeliveryStats.objects.update_or_create(service_id=service_id, defaults=_measure_service(service_id))
    return len(services)


def time_percentiles(times: Sequence[Times]) -> dict[str, Any]:
    """Return DeliveryStats fields for ``times``: seconds from when orders could begin to their start and their end."""
    starts = sorted(_seconds(startable_at, started) for startable_at, started, _ in times if started)
    ends = sorted(_seconds(startable_at, ended) for startable_at, _, ended in times if ended)
    return {
        "sample": len(times),
        "start_median": percentile(starts, 0.5),
        "start_p90": percentile(starts, 0.9),
        "finish_p10": percentile(ends, 0.1),
        "finish_median": percentile(ends, 0.5),
        "finish_p90": percentile(ends, 0.9),
    }


def count_endings(statuses: Iterable[str]) -> dict[str, int]:
    """Return the number of orders by final status, as DeliveryStats fields."""
    counts = Counter(statuses)
    return {status.value: counts[status] for status in (Status.COMPLETED, Status.PARTIAL, Status.CANCELED)}


def percentile(values: Sequence[int], share: float) -> int | None:
    """Return the smallest of the sorted ``values`` that at least ``share`` of them do not exceed; None if empty.

    It is a measured value, not one interpolated between two.
    """
    return values[max(0, -int(-share * len(values) // 1) - 1)] if values else None


def _measure_service(service_id: int) -> dict[str, Any]:
    ended = Order.objects.filter(service=service_id, ended_at__isnull=False).order_by("-ended_at")
    # Drip-feed orders are left out: the customer's interval determines how long they take.
    delivered = ended.filter(status__in=DELIVERED, runs=1).annotate(startable_at=Coalesce("starts_at", "created_at"))
    times = list(delivered.values_list("startable_at", "started_at", "ended_at")[:SAMPLE])
    since = timezone.now() - COUNTED_FOR
    counted = ended.filter(ended_at__gte=since).values_list("status", flat=True)[:COUNTED]
    return time_percentiles(times) | count_endings(counted)


def _seconds(since: datetime, until: datetime) -> int:
    return max(0, round((until - since).total_seconds()))
