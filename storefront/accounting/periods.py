"""Periods of whole days in the store's time zone, and the day of a row in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import F, Func, IntegerField, Model, Q
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from storefront.web.id_ranges import first_since

PRESETS: Mapping[str, Any] = {
    "today": _("Today"),
    "7": _("7 days"),
    "30": _("30 days"),
    "month": _("This month"),
    "last_month": _("Last month"),
}
DEFAULT = "30"
#: The longest period of a report.
DAYS_MAX = 3660
DAY = timedelta(days=1)
#: No shop has older rows, and earlier moments could not be computed with.
_EARLIEST = date(2000, 1, 1)
_EPOCH = date(1970, 1, 1)
_DAY_SECONDS = 86_400
#: Rows are looked up by id first. Ids and times rise together, apart from transactions that overlap and clocks of
#: several machines that differ; this much disorder does no harm.
DISORDER = DAY


@dataclass(frozen=True, slots=True)
class Period:
    """The days from ``first`` to ``last``, both included."""

    first: date
    last: date
    #: The name of a preset, or "custom".
    name: str = "custom"

    @property
    def start(self) -> datetime:
        return midnight(self.first)

    @property
    def end(self) -> datetime:
        """The moment at which the day after the last one begins."""
        return midnight(self.last + DAY)

    @property
    def days(self) -> list[date]:
        return [self.first + DAY * number for number in range((self.last - self.first).days + 1)]

    def rows(self, model: type[Model]) -> Q:
        """Return the condition for rows of ``model`` that were created in the period.

        It names a range of ids as well, so that only these rows are read, without an index on the time.
        """
        first, last = first_since(model, self.start - DISORDER), first_since(model, self.end + DISORDER)
        return Q(pk__gte=first, pk__lt=last, created_at__gte=self.start, created_at__lt=self.end)

    def day_number(self) -> DayNumber:
        """Return the expression for the day of ``created_at``; ``day_of`` makes a date of its value."""
        return DayNumber(self)


def midnight(day: date) -> datetime:
    """Return the beginning of ``day`` in the store's time zone."""
    return datetime.combine(day, time(), ZoneInfo(settings.TIME_ZONE))


def today() -> date:
    return datetime.now(ZoneInfo(settings.TIME_ZONE)).date()


def day_of(number: int) -> date:
    return _EPOCH + DAY * number


def parse(query: Mapping[str, str]) -> Period:
    """Return the period that a page was asked for; what cannot be read means the last 30 days."""
    first, last = _date(query.get("from", "")), _date(query.get("to", ""))
    now = today()
    if query.get("period", "") in PRESETS or not (first or last):
        return preset(query.get("period", ""), now)
    first, last = sorted(max(min(day or now, now), _EARLIEST) for day in (first or last, last))
    return Period(max(first, last - DAY * (DAYS_MAX - 1)), last)


def preset(name: str, now: date) -> Period:
    """Return the period of a preset on the day ``now``; an unknown name means the last 30 days."""
    match name:
        case "today":
            return Period(now, now, name)
        case "7":
            return Period(now - DAY * 6, now, name)
        case "month":
            return Period(now.replace(day=1), now, name)
        case "last_month":
            last = now.replace(day=1) - DAY
            return Period(last.replace(day=1), last, name)
    return Period(now - DAY * 29, now, DEFAULT)


class DayNumber(Func):
    """The days from 1970 to the local day of a column, for rows of one period.

    Django's TruncDate calls a Python function for each row on SQLite, which takes longer than the whole report. The
    offset of the time zone is constant between two changes of the clocks, so it is written into the statement.
    """

    def __init__(self, period: Period, column: str = "created_at") -> None:
        super().__init__(F(column), output_field=IntegerField())
        self.offsets = _offsets(period)

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        column, params = compiler.compile(self.source_expressions[0])
        seconds = f"CAST(strftime('%%s', {column}) AS INTEGER)"
        if connection.vendor == "postgresql":
            seconds = f"CAST(floor(extract(epoch FROM {column})) AS bigint)"
        whens = "".join(f" WHEN {seconds} < {until} THEN {offset}" for until, offset in self.offsets[:-1])
        shift = f"CASE{whens} ELSE {self.offsets[-1][1]} END" if whens else str(self.offsets[-1][1])
        return f"(({seconds} + {shift}) / {_DAY_SECONDS})", list(params) * (1 + len(self.offsets[:-1]))


def _offsets(period: Period) -> list[tuple[int, int]]:
    """Return (moment until which it applies, offset from UTC), both in seconds, for each part of the period."""
    zone = ZoneInfo(settings.TIME_ZONE)

    def offset(moment: int) -> int:
        difference = datetime.fromtimestamp(moment, UTC).astimezone(zone).utcoffset()
        return int(difference.total_seconds()) if difference is not None else 0

    moments = [int(midnight(day).timestamp()) for day in (*period.days, period.last + DAY)]
    found: list[tuple[int, int]] = []
    for before, after in pairwise(moments):
        if offset(before) == offset(after):
            continue
        low, high = before, after  # the change lies after low, at high or before
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offset(before) else (low, middle)
        found.append((high, offset(before)))
    return [*found, (moments[-1], offset(moments[-1]))]


def _date(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None
