"""The history of a service's list price, as table rows and as the line of a small chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from orders.models import PriceChange, Service
from storefront.web import formats

STEPS_MAX = 10
#: The size of the chart, and the margin for the width of the line.
WIDTH, HEIGHT, EDGE = 200.0, 40.0, 2.0


@dataclass(frozen=True, slots=True)
class PriceStep:
    """One price change; ``percent`` is None if the old price was 0."""

    at: datetime
    old: Decimal
    new: Decimal

    @property
    def percent(self) -> Decimal | None:
        return round(100 * (self.new - self.old) / self.old, 1) if self.old else None


@dataclass(frozen=True, slots=True)
class PriceHistory:
    """The latest changes, newest first; ``points`` is the SVG line, the same in every language."""

    steps: Sequence[PriceStep]
    points: str
    lowest: Decimal
    highest: Decimal
    now: Decimal

    # A title in SVG is plain text, so these amounts have no markup.
    @property
    def lowest_text(self) -> str:
        return formats.money(self.lowest)

    @property
    def highest_text(self) -> str:
        return formats.money(self.highest)

    @property
    def now_text(self) -> str:
        return formats.money(self.now)


def price_history(service: Service) -> PriceHistory | None:
    """Return the price history of a service in one query, or None if the price never changed."""
    rows = PriceChange.objects.filter(service=service).order_by("-id")[:STEPS_MAX]
    steps = [PriceStep(row.created_at, row.old_rate, row.new_rate) for row in rows]
    if not steps:
        return None
    prices = [steps[-1].old, *(step.new for step in steps), service.rate]
    return PriceHistory(steps, _chart_points(steps, service.rate), min(prices), max(prices), service.rate)


def _chart_points(steps: Sequence[PriceStep], now: Decimal) -> str:
    """Return the points of a step line; the time before the first change takes a tenth of the width."""
    oldest_first = list(reversed(steps))
    first, last = oldest_first[0].at, timezone.now()
    span = max((last - first).total_seconds(), 1.0)
    prices = [oldest_first[0].old, *(step.new for step in oldest_first), now]
    low, high = min(prices), max(prices)

    def x_at(at: datetime) -> float:
        return EDGE + (WIDTH - 2 * EDGE) * (0.1 + 0.9 * min((at - first).total_seconds() / span, 1.0))

    def y_at(price: Decimal) -> float:
        share = float((price - low) / (high - low)) if high > low else 0.5
        return HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * share

    points = [(EDGE, y_at(oldest_first[0].old))]
    for step in oldest_first:
        points += [(x_at(step.at), points[-1][1]), (x_at(step.at), y_at(step.new))]
    points += [(WIDTH - EDGE, points[-1][1]), (WIDTH - EDGE, y_at(now))]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
