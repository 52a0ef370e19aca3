"""Compare what a panel's balance did between two readings with what our orders there should have cost.

Only readings during which no order was on its way are compared, so that each order lies on one side of a reading. A
panel returns money before its status report reaches us, so a refund can lie on the wrong side; the difference of one
interval is then made up for by the next. Intervals whose differences cancel out are settled and are not listed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from django.db.models import F, OuterRef, Q, Subquery

from orders.models import Run
from orders.rules import amounts
from providers.models import BILLED, BalanceReading, Placement, Provider, ProviderDeposit

#: The longest statement in days: it reads each order of the period.
DAYS_MAX = 92
#: So many orders with an unexpected charge are named.
ORDERS_MAX = 200
_ZERO = Decimal(0)


@dataclass(slots=True)
class Interval:
    """The time between two readings, or between the first and the last of several intervals that are settled together.

    All amounts are in the provider's currency. ``cost`` is that of the orders placed, by the price list; ``returned``
    what the panel gave back for orders that it did not deliver in full.
    """

    start: datetime
    end: datetime
    opening: Decimal
    closing: Decimal
    orders: int = 0
    cost: Decimal = _ZERO
    returned: Decimal = _ZERO
    deposits: Decimal = _ZERO

    @property
    def expected(self) -> Decimal:
        """The closing balance that we expect."""
        return self.opening + self.deposits + self.returned - self.cost

    @property
    def difference(self) -> Decimal:
        """What the balance is above (more than zero) or below what we expect."""
        return self.closing - self.expected


@dataclass(frozen=True, slots=True)
class ChargedDifferently:
    """An order whose first charge, as the panel reported it, is not the cost by the price list."""

    order_id: int
    upstream_id: str
    created_at: datetime
    cost: Decimal
    charged: Decimal

    @property
    def difference(self) -> Decimal:
        return self.cost - self.charged


@dataclass(frozen=True, slots=True)
class Statement:
    """The intervals of a period and their total; ``differences`` are those that nothing makes up for."""

    provider: Provider
    intervals: Sequence[Interval] = ()
    differences: Sequence[Interval] = ()
    total: Interval | None = None
    charged_differently: Sequence[ChargedDifferently] = ()
    #: Readings that were left out because the panel named another currency.
    foreign_readings: int = 0


@dataclass(slots=True)
class _Movements:
    """Amounts with their times; ``between`` sums those after one time and up to another."""

    rows: list[tuple[datetime, Decimal]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows.sort()
        self._times = [at for at, _amount in self.rows]

    _times: list[datetime] = field(default_factory=list)

    def between(self, start: datetime, end: datetime) -> tuple[int, Decimal]:
        low, high = bisect_right(self._times, start), bisect_right(self._times, end)
        return high - low, sum((amount for _at, amount in self.rows[low:high]), _ZERO)


def build(provider: Provider, *, start: datetime, end: datetime) -> Statement:
    """Return the statement of ``provider`` between the readings from ``start`` to ``end``."""
    readings = BalanceReading.objects.filter(provider=provider, read_at__gte=start, read_at__lt=end).order_by("read_at")
    foreign = readings.exclude(currency=provider.currency).count()
    idle = list(readings.filter(currency=provider.currency, is_idle=True).values_list("read_at", "amount"))
    if len(idle) < 2:
        return Statement(provider, foreign_readings=foreign)
    first, last = idle[0][0], idle[-1][0]
    costs_, returns = _Movements(list(_costs(provider, first, last))), _Movements(list(_returns(provider, first, last)))
    deposits = _Movements(list(_deposits(provider, first, last)))
    intervals = []
    for (opened, opening), (closed, closing) in pairwise(idle):
        orders, cost = costs_.between(opened, closed)
        intervals.append(
            Interval(
                opened, closed, opening, closing, orders, cost,
                returned=returns.between(opened, closed)[1], deposits=deposits.between(opened, closed)[1],
            )
        )  # fmt: skip
    return Statement(
        provider,
        intervals,
        list(_unsettled(intervals)),
        _merge(intervals),
        list(_charged_differently(provider, first, last)),
        foreign,
    )


def _unsettled(intervals: Sequence[Interval]) -> Iterator[Interval]:
    """Yield the intervals with a difference, leaving out those that are followed by the opposite difference."""
    open_at: dict[Decimal, int] = {}
    settled: set[int] = set()
    for number, interval in enumerate(intervals):
        difference = interval.difference
        if not difference:
            continue
        if (before := open_at.pop(-difference, None)) is not None:
            settled |= {before, number}
        else:
            open_at[difference] = number
    for number, interval in enumerate(intervals):
        if interval.difference and number not in settled:
            yield interval


def _merge(intervals: Sequence[Interval]) -> Interval:
    return Interval(
        intervals[0].start,
        intervals[-1].end,
        intervals[0].opening,
        intervals[-1].closing,
        sum(one.orders for one in intervals),
        sum((one.cost for one in intervals), _ZERO),
        sum((one.returned for one in intervals), _ZERO),
        sum((one.deposits for one in intervals), _ZERO),
    )


# ------------------------------------------------------------------------------------------------ what we know


def _costs(provider: Provider, start: datetime, end: datetime) -> Iterator[tuple[datetime, Decimal]]:
    placed = Placement.objects.filter(
        provider=provider, state__in=BILLED, currency=provider.currency, created_at__gt=start, created_at__lte=end
    )
    yield from placed.order_by().values_list("created_at", "cost").iterator(chunk_size=2000)


def _returns(provider: Provider, start: datetime, end: datetime) -> Iterator[tuple[datetime, Decimal]]:
    """Yield what the panel returned: the amount it named, or what its charge fell by, or the share not delivered."""
    ended = Placement.objects.filter(
        provider=provider, state__in=BILLED, currency=provider.currency, ended_at__gt=start, ended_at__lte=end
    ).order_by()
    short = ("partial", "canceled")
    run = Run.objects.filter(order=OuterRef("order"), number=OuterRef("run"), status__in=short)
    rows = ended.filter(
        Q(refunded__gt=0) | Q(charged__lt=F("first_charged")) | Q(order__status__in=short) | Q(run__gt=0)
    ).annotate(run_remains=Subquery(run.values("remains")[:1]))
    columns = (
        "ended_at", "cost", "charged", "first_charged", "refunded", "quantity", "run", "order__remains", "run_remains",
        "order__status",
    )  # fmt: skip
    for at, cost, charged, first, refunded, quantity, number, remains, run_remains, status in rows.values_list(
        *columns
    ):
        left = min((run_remains if number else remains if status in short else 0) or 0, quantity)
        if refunded is not None:
            yield at, refunded
        elif charged is None:  # the panel reports no charges, so it owes what it did not deliver by the price list
            yield at, amounts.round_down(amounts.divide(amounts.multiply(cost, left), quantity))
        elif first is not None and first > charged:
            yield at, first - charged
        elif left:  # it was short when its charge was first reported
            yield at, max(cost - charged, _ZERO)


def _deposits(provider: Provider, start: datetime, end: datetime) -> Iterator[tuple[datetime, Decimal]]:
    recorded = ProviderDeposit.objects.filter(provider=provider, paid_at__gt=start, paid_at__lte=end)
    yield from recorded.values_list("paid_at", "amount")


def _charged_differently(provider: Provider, start: datetime, end: datetime) -> Iterator[ChargedDifferently]:
    rows = Placement.objects.filter(
        provider=provider, state__in=BILLED, currency=provider.currency, created_at__gt=start, created_at__lte=end
    )
    found = rows.exclude(first_charged=None).exclude(first_charged=F("cost")).order_by("-pk")
    columns = ("order_id", "upstream_id", "created_at", "cost", "first_charged")
    yield from (ChargedDifferently(*row) for row in found.values_list(*columns)[:ORDERS_MAX])
