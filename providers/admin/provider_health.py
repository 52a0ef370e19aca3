"""How providers do, in words for the back office: rates with what they are taken from, never a rate of a few."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.admin import formatting
from orders.catalog import delivery_stats
from providers.transport.call_stats import Health


def errors(found: Health) -> str:
    """The error rate of the last day, and of how many calls."""
    if found.error_rate is None:
        return formatting.NONE
    tone = "danger" if found.error_rate > 0.1 else "warning" if found.error_rate > 0.02 else ""
    text = format_html('<span data-tone="{}" class="tone">{}</span>', tone, _percent(found.error_rate))
    calls = ngettext("%s call", "%s calls", found.calls) % formatting.count(found.calls)
    return format_html('{} <small class="sub">{}</small>', text, calls)


def latency(found: Health) -> str:
    return formatting.NONE if found.latency_ms is None else _("%s ms") % formatting.count(found.latency_ms)


def delivered(found: Health) -> str:
    """Completed and partial of what ended in 30 days, once it is enough."""
    if found.success_rate is None or found.partial_rate is None:
        return _few(found.ended)
    told = _("%(full)s full, %(part)s partial") % {
        "full": _percent(found.success_rate),
        "part": _percent(found.partial_rate),
    }
    return format_html('{} <small class="sub">n {}</small>', told, formatting.count(found.ended))


def times(found: Health) -> str:
    """Median and slowest tenth to the start and to the end, of the newest delivered placements."""
    measure = found.measure
    if measure is None or measure.sample < delivery_stats.MIN_SAMPLE:
        return _few(measure.sample if measure else 0)
    told = _("start %(start)s, 9 in 10 within %(start_p90)s; done %(end)s, 9 in 10 within %(end_p90)s") % {
        "start": _time(measure.start_median),
        "start_p90": _time(measure.start_p90),
        "end": _time(measure.finish_median),
        "end_p90": _time(measure.finish_p90),
    }
    return format_html('{} <small class="sub">n {}</small>', told, formatting.count(measure.sample))


def _few(count: int) -> SafeString:
    return format_html('{} <small class="sub">n {}</small>', _("too few"), formatting.count(count))


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _time(seconds: Any) -> str:
    if seconds is None:
        return str(formatting.NONE)
    hours, minutes = divmod(max(1, round(seconds / 60)), 60)
    return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes} if hours else _("%s min") % minutes
