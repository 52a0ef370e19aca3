"""The health of providers as text: each rate with the number it is based on, none for too few."""

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
    """Return the error rate of the last day and the number of calls."""
    if found.error_rate is None:
        return formatting.NONE
    tone = "danger" if found.error_rate > 0.1 else "warning" if found.error_rate > 0.02 else ""
    text = format_html('<span data-tone="{}" class="tone">{}</span>', tone, formatting.percent(found.error_rate))
    calls = ngettext("%s call", "%s calls", found.calls) % formatting.count(found.calls)
    return format_html('{} <small class="sub">{}</small>', text, calls)


def latency(found: Health) -> str:
    return formatting.NONE if found.latency_ms is None else _("%s ms") % formatting.count(found.latency_ms)


def delivered(found: Health) -> str:
    """Return the shares of completed and partial orders of the last 30 days, if there are enough."""
    if found.success_rate is None or found.partial_rate is None:
        return _few(found.ended)
    text = _("%(completed)s completed, %(partial)s partial") % {
        "completed": formatting.percent(found.success_rate),
        "partial": formatting.percent(found.partial_rate),
    }
    return format_html('{} <small class="sub">{}</small>', text, _orders(found.ended))


def delivery_time(found: Health) -> str:
    """Return the median and the 90th percentile of the times to start and completion of the newest orders."""
    measure = found.measure
    if measure is None or measure.sample < delivery_stats.MIN_SAMPLE:
        return _few(measure.sample if measure else 0)
    text = _(
        "Start: median %(start)s, 90%% within %(start_p90)s. Completion: median %(end)s, 90%% within %(end_p90)s."
    ) % {
        "start": _time(measure.start_median),
        "start_p90": _time(measure.start_p90),
        "end": _time(measure.finish_median),
        "end_p90": _time(measure.finish_p90),
    }
    return format_html('{} <small class="sub">{}</small>', text, _orders(measure.sample))


def _few(count: int) -> SafeString:
    return format_html('{} <small class="sub">{}</small>', _("Not enough data"), _orders(count))


def _orders(count: int) -> str:
    return ngettext("%s order", "%s orders", count) % formatting.count(count)


def _time(seconds: Any) -> str:
    if seconds is None:
        return str(formatting.NONE)
    hours, minutes = divmod(max(1, round(seconds / 60)), 60)
    return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes} if hours else _("%s min") % minutes
