"""Statistics about providers: calls and failures by the hour, how orders end, and how long they take.

A pass counts its calls in a ``Tally`` and stores them with one statement at its end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.utils import timezone

from orders.catalog import delivery_stats
from providers.errors import ProviderError, Refused
from providers.http.messages import Answer
from providers.models import CallStats, Placement, PlacementState, Provider, ProviderStats

#: Hours that the error rate and the latency cover.
HOURS = 24
#: Reasons of rejections that concern the panel or our account there, not the order.
FAILING = ("key", "busy")


class Tally:
    """The calls of one pass by verb: their number, the number of failures, and the milliseconds of the others."""

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {}

    def add(self, verb: str, outcome: Answer | ProviderError, problem: ProviderError | None) -> None:
        """Count one call; ``problem`` is None if it succeeded."""
        is_fine = problem is None or (isinstance(problem, Refused) and problem.reason not in FAILING)
        self.count(verb, outcome, is_failure=not is_fine)

    def count(self, verb: str, outcome: Answer | ProviderError, *, is_failure: bool) -> None:
        counts = self._counts.setdefault(verb, [0, 0, 0])
        counts[0] += 1
        if is_failure:
            counts[1] += 1
        elif isinstance(outcome, Answer):
            counts[2] += outcome.elapsed_ms

    def write(self, provider: Provider) -> None:
        """Add the counts to the rows of this hour with one statement, and reset them."""
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        at = connection.ops.adapt_datetimefield_value(hour)
        rows = [value for verb, counts in self._counts.items() for value in (provider.pk, verb, at, *counts)]
        self._counts = {}
        if rows:
            places = ", ".join(["(%s, %s, %s, %s, %s, %s)"] * (len(rows) // 6))
            with connection.cursor() as cursor:
                cursor.execute(_ADD.format(places), rows)


_ADD = """
    INSERT INTO providers_callstats (provider_id, verb, hour, calls, failures, elapsed_ms) VALUES {}
    ON CONFLICT (provider_id, verb, hour) DO UPDATE SET
        calls = providers_callstats.calls + excluded.calls,
        failures = providers_callstats.failures + excluded.failures,
        elapsed_ms = providers_callstats.elapsed_ms + excluded.elapsed_ms
"""


@dataclass(frozen=True, slots=True)
class Health:
    """The figures of one provider. Rates are shares from 0 to 1, or None if the sample is too small."""

    calls: int = 0
    failures: int = 0
    elapsed_ms: int = 0
    measure: ProviderStats | None = None

    @property
    def error_rate(self) -> float | None:
        return self.failures / self.calls if self.calls else None

    @property
    def latency_ms(self) -> int | None:
        """The mean milliseconds of the calls that did not fail."""
        good = self.calls - self.failures
        return round(self.elapsed_ms / good) if good else None

    @property
    def ended(self) -> int:
        found = self.measure
        return found.completed + found.partial + found.canceled if found else 0

    def share(self, count: int) -> float | None:
        """Return ``count`` as a share of the ended placements, or None if the sample is too small."""
        return count / self.ended if self.ended >= delivery_stats.MIN_SAMPLE else None

    @property
    def success_rate(self) -> float | None:
        return self.share(self.measure.completed) if self.measure else None

    @property
    def partial_rate(self) -> float | None:
        return self.share(self.measure.partial) if self.measure else None


def of(providers: Iterable[Provider]) -> dict[int, Health]:
    """Return the health of each of ``providers`` by id, with two queries in total."""
    ids = [provider.pk for provider in providers]
    since = timezone.now() - timedelta(hours=HOURS)
    sums = CallStats.objects.filter(provider__in=ids, hour__gte=since).order_by().values("provider")
    tallies = {
        row["provider"]: (row["all"], row["bad"], row["ms"])
        for row in sums.annotate(all=Sum("calls"), bad=Sum("failures"), ms=Sum("elapsed_ms"))
    }
    measures = {measure.provider_id: measure for measure in ProviderStats.objects.filter(provider__in=ids)}
    return {pk: Health(*tallies.get(pk, (0, 0, 0)), measure=measures.get(pk)) for pk in ids}


def measure_due() -> int:
    """Update the statistics of providers whose placements ended since the last update; return their number."""
    newest = Placement.objects.filter(provider=OuterRef("pk"), state=PlacementState.CLOSED).order_by("-ended_at")
    last = Subquery(newest.values("ended_at")[:1])
    is_newer = Q(stats=None) | Q(last__gt=F("stats__measured_at") - delivery_stats.OVERLAP)
    due = list(Provider.objects.alias(last=last).filter(is_newer, last__isnull=False).values_list("pk", flat=True))
    for provider_id in due:
        ProviderStats.objects.update_or_create(provider_id=provider_id, defaults=_measured(provider_id))
    return len(due)


def _measured(provider_id: int) -> dict[str, Any]:
    newest = Placement.objects.filter(provider=provider_id, state=PlacementState.CLOSED).order_by("-ended_at")
    delivered = newest.filter(order__status__in=delivery_stats.DELIVERED, order__runs=1)
    times = list(delivered.values_list("created_at", "order__started_at", "ended_at")[: delivery_stats.SAMPLE])
    since = timezone.now() - delivery_stats.COUNTED_FOR
    counted = newest.filter(ended_at__gte=since).values_list("order__status", flat=True)[: delivery_stats.COUNTED]
    values = delivery_stats.time_percentiles(times) | delivery_stats.count_endings(counted)
    del values["finish_p10"]
    return values
