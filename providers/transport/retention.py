"""Deletion of old call logs, call statistics and task results."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django_q.models import Task

from providers.models import CallStats, PanelCall

KEPT_DAYS = 30


def prune() -> int:
    """Delete rows older than KEPT_DAYS and return their number. Orders, events and transfers are never deleted."""
    before = timezone.now() - timedelta(days=KEPT_DAYS)
    calls, _ = PanelCall.objects.filter(created_at__lt=before).delete()
    tallies, _ = CallStats.objects.filter(hour__lt=before).delete()
    tasks, _ = Task.objects.filter(stopped__lt=before).delete()
    return int(calls) + int(tallies) + int(tasks)
