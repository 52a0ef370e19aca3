"""Charts of a profit report, as the numbers of an SVG drawing: columns for days, bars for everything else.

A drawing is stretched to the width of the page, so it holds no text; labels are HTML beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _

from orders.admin import formatting
from storefront.accounting.profit import Figures, Report, Row

#: The size of the drawing of columns, in its own units.
WIDTH, HEIGHT = 1000, 200
#: Days are drawn together so that there are at most so many columns.
COLUMNS_MAX = 92
BARS_MAX = 10
_LABELS, _STEPS = 5, 4
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Part:
    """A rectangle of a column or bar; ``kind`` is "cost", "profit" or "loss"."""

    kind: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    title: str
    value: Any
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns or bars; ``scale`` are the labels of the vertical axis from top to bottom, ``dates`` of the other."""

    bars: Sequence[Bar]
    scale: Sequence[Any] = ()
    dates: Sequence[str] = ()


def columns(report: Report) -> Chart:
    """Return a column for each day of ``report``, or for several days where there are many."""
    size = -(-len(report.rows) // COLUMNS_MAX)
    groups = [_merge(group) for group in _groups(report.rows, size)]
    top = _round_top(max((max(_net(row.figures), _spent(row.figures)) for row in groups), default=_ZERO))
    step = Decimal(WIDTH) / max(len(groups), 1)
    bars = []
    for number, row in enumerate(groups):
        start, width = step * number + step * Decimal("0.16"), step * Decimal("0.68")
        parts = [
            Part(
                kind,
                _text(start),
                _text(HEIGHT - HEIGHT * high / top),
                _text(width),
                _text(HEIGHT * (high - low) / top),
            )
            for kind, low, high in _parts(row.figures)
        ]
        bars.append(Bar(_date(row), _title(_date(row), row.figures), None, parts))
    scale = [formatting.rounded(top * number / _STEPS) for number in range(_STEPS, -1, -1)]
    count = min(_LABELS, len(groups))
    at = [number * (len(groups) - 1) // max(count - 1, 1) for number in range(count)]
    return Chart(bars, scale, [bars[number].label for number in at])


def bars(report: Report) -> Chart:
    """Return a bar for each of the first rows, 100 units for the longest."""
    rows = report.rows[:BARS_MAX]
    top = max((max(_net(row.figures), _spent(row.figures)) for row in rows), default=_ZERO) or Decimal(1)
    return Chart(
        [
            Bar(
                row.label,
                _title(row.label, row.figures),
                formatting.rounded(row.figures.profit),
                [Part(kind, _text(100 * low / top), "0", _text(100 * (high - low) / top), "10")
                 for kind, low, high in _parts(row.figures)],
            )
            for row in rows
        ]
    )  # fmt: skip


def _net(figures: Figures) -> Decimal:
    return max(figures.revenue - figures.refunds, _ZERO)


def _spent(figures: Figures) -> Decimal:
    """Return what the net revenue was spent on; the rest of it is the profit."""
    return max(_net(figures) - figures.profit, _ZERO)


def _parts(figures: Figures) -> list[tuple[str, Decimal, Decimal]]:
    """Return the kind, the beginning and the end of each part, as amounts."""
    net, spent = _net(figures), _spent(figures)
    parts = [("cost", _ZERO, min(net, spent)), ("profit", spent, net), ("loss", net, spent)]
    return [part for part in parts if part[2] > part[1]]


def _groups(rows: Sequence[Row], size: int) -> list[tuple[Row, ...]]:
    return [tuple(rows[start : start + size]) for start in range(0, len(rows), max(size, 1))]


def _merge(rows: Sequence[Row]) -> Row:
    figures = Figures()
    for row in rows:
        figures.add(row.figures)
    return Row(rows[0].key, rows[0].label, figures)


def _round_top(value: Decimal) -> Decimal:
    """Return the smallest of 1, 2, 4 or 8 times a power of ten that is not below ``value``; four steps divide it."""
    if value <= 0:
        return Decimal(1)
    power = Decimal(10) ** value.adjusted()
    return next(power * factor for factor in (1, 2, 4, 8, 10) if power * factor >= value)


def _date(row: Row) -> str:
    return formats.date_format(row.key, "j M")


def _title(label: str, figures: Figures) -> str:
    return _("%(label)s: revenue %(revenue)s, refunds %(refunds)s, cost %(cost)s, profit %(profit)s") % {
        "label": label,
        **{name: formatting.amount_text(getattr(figures, name)) for name in ("revenue", "refunds", "cost", "profit")},
    }


def _text(value: Decimal) -> str:
    """Format a length, with a point in every language."""
    return f"{value:.1f}"
