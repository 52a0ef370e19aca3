"""`manage.py worker`: the background half of the shop, the task cluster under its watchdog."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_q.conf import Conf

from providers.worker.schedules import declared, sync_schedules
from providers.worker.watchdog import TASK_LIMIT, Watchdog

logger = logging.getLogger("vitrine.worker")


class Command(BaseCommand):
    help = "Run the background tasks: places orders, follows them, imports price lists. Ctrl-C stops it gracefully."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tick", type=float, default=5, metavar="SECONDS", help="look for due work this often (5)")
        parser.add_argument(
            "--silence",
            type=float,
            default=TASK_LIMIT + 30,
            metavar="SECONDS",
            help=f"work is waiting and nothing is finished for this long: start afresh ({TASK_LIMIT + 30})",
        )

    def handle(self, *args: Any, tick: float, silence: float, **options: Any) -> None:
        if Conf.SYNC:
            raise CommandError("TASKS_SYNC is on: tasks run in the web process, a worker has nothing to do.")
        if not 0 < tick < silence:
            raise CommandError("--tick must be more than 0 and less than --silence.")
        if silence <= TASK_LIMIT:
            logger.warning("--silence is not longer than a task may run (%d s): long tasks get cut off.", TASK_LIMIT)
        Watchdog(tick=tick, silence=silence, prepare=partial(sync_schedules, declared())).run()
