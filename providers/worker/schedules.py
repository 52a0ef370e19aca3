"""Schedules of background tasks: declared in code, and written to django-q2's table."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from importlib import import_module
from typing import NamedTuple

from django.apps import apps
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import module_has_submodule
from django_q.models import Schedule as Row

logger = logging.getLogger("vitrine.worker")


class Schedule(NamedTuple):
    """Run the task ``func`` (dotted path, no arguments) about every ``minutes``; ``name`` is its identity."""

    name: str
    func: str
    minutes: int


def declared() -> list[Schedule]:
    """Return the schedules of all applications: ``SCHEDULES`` in the module ``tasks`` of each."""
    found: list[Schedule] = []
    for app in apps.get_app_configs():
        if module_has_submodule(app.module, "tasks"):
            found += getattr(import_module(f"{app.name}.tasks"), "SCHEDULES", ())
    return found


def sync_schedules(schedules: Iterable[Schedule]) -> None:
    """Make the table equal to ``schedules``. A restart neither postpones nor repeats a run.

    One row that django-q2 cannot read rolls back its whole pass over the table, every 30 seconds, so that no schedule
    runs at all; and a row can name any Python callable. Therefore rows that are not declared, duplicates and rows
    without a name are deleted, and every column that django-q2 would parse is emptied.
    """
    wanted = {schedule.name: schedule for schedule in schedules}
    with transaction.atomic():
        _remove_strays(set(wanted))
        for schedule in wanted.values():
            _write(schedule)


def _remove_strays(wanted: set[str]) -> None:
    strays = []
    for row in Row.objects.order_by("pk"):
        if row.name in wanted:
            wanted.remove(row.name)
        else:
            strays.append(row.pk)
            logger.warning("Schedule removed, it is not declared in the code: %r runs %r", row.name, row.func)
    Row.objects.filter(pk__in=strays).delete()


def _write(schedule: Schedule) -> None:
    now = timezone.now()
    Row.objects.update_or_create(
        name=schedule.name,
        defaults={
            "func": schedule.func,
            "schedule_type": Row.MINUTES,
            "minutes": schedule.minutes,
            "repeats": -1,
            "args": None,
            "kwargs": None,
            "hook": None,
            "cron": None,
            "cluster": None,
            "intended_date_kwarg": None,
        },
    )
    # The interval was shortened, or someone changed or cleared the time of the next run.
    late = Q(next_run=None) | Q(next_run__gt=now + timedelta(minutes=schedule.minutes))
    Row.objects.filter(late, name=schedule.name).update(next_run=now)
