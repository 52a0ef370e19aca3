"""Deletion of old call logs, call statistics, balance readings and task results."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django_q.models import Task

from providers.models import BalanceReading, CallStats, PanelCall

KEPT_DAYS = 30
#: Statements of providers can be made for so many days.
READINGS_KEPT_DAYS = 180


def prune() -> int:
    """Delete old rows and return their number. Orders, events and transfers are never deleted."""
    now = timezone.now()
    before = now - timedelta(days=KEPT_DAYS)
    calls, _ = PanelCall.objects.filter(created_at__lt=before).delete()
    tallies, _ = CallStats.objects.filter(hour__lt=before).delete()
    tasks, _ = Task.objects.filter(stopped__lt=before).delete()
    readings, _ = BalanceReading.objects.filter(read_at__lt=now - timedelta(days=READINGS_KEPT_DAYS)).delete()
    return int(calls) + int(tallies) + int(tasks) + int(readings)
