"""How a service's list price went: the rows of a table, and the line of a small chart drawn here. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from orders.models import PriceChange, Service
from storefront.web import formats

SHOWN = 10
#: The chart's box, with room for the line's own width at the edges.
WIDTH, HEIGHT, EDGE = 200.0, 40.0, 2.0


@dataclass(frozen=True, slots=True)
class Step:
    """One change; ``percent`` is how much more or less it was, None where it came from nothing."""

    at: datetime
    old: Decimal
    new: Decimal

    @property
    def percent(self) -> Decimal | None:
        return round(100 * (self.new - self.old) / self.old, 1) if self.old else None


@dataclass(frozen=True, slots=True)
class History:
    """The newest changes, newest first, and the line through them: ``points`` as SVG takes them, in every language."""

    steps: Sequence[Step]
    points: str
    lowest: Decimal
    highest: Decimal
    now: Decimal

    # A title in SVG is plain text: no elements around the amounts.
    @property
    def lowest_text(self) -> str:
        return formats.money(self.lowest)

    @property
    def highest_text(self) -> str:
        return formats.money(self.highest)

    @property
    def now_text(self) -> str:
        return formats.money(self.now)


def of(service: Service) -> History | None:
    """None where the price never changed. One query."""
    rows = PriceChange.objects.filter(service=service).order_by("-id")[:SHOWN]
    steps = [Step(row.created_at, row.old_rate, row.new_rate) for row in rows]
    if not steps:
        return None
    prices = [steps[-1].old, *(step.new for step in steps), service.rate]
    return History(steps, _line(steps, service.rate), min(prices), max(prices), service.rate)


def _line(steps: Sequence[Step], now: Decimal) -> str:
    """Steps, as a price holds until the next change; the time before the first change takes a tenth of the width."""
    oldest_first = list(reversed(steps))
    first, last = oldest_first[0].at, timezone.now()
    span = max((last - first).total_seconds(), 1.0)
    prices = [oldest_first[0].old, *(step.new for step in oldest_first), now]
    low, high = min(prices), max(prices)

    def across(at: datetime) -> float:
        return EDGE + (WIDTH - 2 * EDGE) * (0.1 + 0.9 * min((at - first).total_seconds() / span, 1.0))

    def down(price: Decimal) -> float:
        share = float((price - low) / (high - low)) if high > low else 0.5
        return HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * share

    points = [(EDGE, down(oldest_first[0].old))]
    for step in oldest_first:
        points += [(across(step.at), points[-1][1]), (across(step.at), down(step.new))]
    points += [(WIDTH - EDGE, points[-1][1]), (WIDTH - EDGE, down(now))]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
