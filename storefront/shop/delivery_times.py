"""Formatting of measured delivery times: durations, and bars on an axis shared by all services."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.utils.translation import gettext as _

from orders.models import DeliveryStats
from storefront.web import formats

#: The axis is logarithmic, from a minute to seven days, in a box of 120 by 10 with room for the dot at both ends.
SHORTEST, LONGEST = 60, 7 * 24 * 3600
_AXIS_START, _AXIS_LENGTH = 4.0, 112.0
_WIDTH_MIN = 3.0


@dataclass(frozen=True, slots=True)
class TimeBar:
    """The 10th to 90th percentile and the median, as SVG lengths."""

    start: str
    width: str
    middle: str


def time_bar(measure: DeliveryStats) -> TimeBar | None:
    """Return the bar of a service, or None without measured completions."""
    ends = (measure.finish_p10, measure.finish_median, measure.finish_p90)
    if None in ends:
        return None
    start, middle, end = (_axis_position(seconds or 0) for seconds in ends)
    return TimeBar(f"{start:.1f}", f"{max(end - start, _WIDTH_MIN):.1f}", f"{middle:.1f}")


def duration(seconds: int | None) -> str:
    """Format a duration in at most two units: "26 min", "2 h 10 min", "40 h", "4 d"."""
    if seconds is None:
        return ""
    minutes = max(1, round(seconds / 60))
    hours, rest = divmod(minutes, 60)
    if minutes < 60:
        return _("%s min") % formats.number(minutes)
    if hours < 10 and rest:
        return _("%(hours)s h %(minutes)s min") % {"hours": formats.number(hours), "minutes": f"{rest:02d}"}
    hours = round(minutes / 60)
    return _("%s h") % formats.number(hours) if hours < 48 else _("%s d") % formats.number(round(hours / 24))


def _axis_position(seconds: int) -> float:
    within = min(max(seconds, SHORTEST), LONGEST)
    return _AXIS_START + _AXIS_LENGTH * math.log(within / SHORTEST) / math.log(LONGEST / SHORTEST)
