"""The ``worker`` command: the task cluster under its watchdog."""

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
    help = (
        "Run the background tasks until Ctrl-C: place and track orders, import price lists, send emails and webhooks."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--tick", type=float, default=5, metavar="SECONDS", help="how often to look for due work (default: 5)"
        )
        parser.add_argument(
            "--silence",
            type=float,
            default=TASK_LIMIT + 30,
            metavar="SECONDS",
            help=f"restart the cluster if work waits and none is finished for this long (default: {TASK_LIMIT + 30})",
        )

    def handle(self, *args: Any, tick: float, silence: float, **options: Any) -> None:
        if Conf.SYNC:
            raise CommandError("TASKS_SYNC is on, so tasks run in the web process and no worker is needed.")
        if not 0 < tick < silence:
            raise CommandError("--tick must be greater than 0 and less than --silence.")
        if silence <= TASK_LIMIT:
            logger.warning(
                "--silence should be longer than a task may take (%d s): longer tasks are aborted.", TASK_LIMIT
            )
        Watchdog(tick=tick, silence=silence, prepare=partial(sync_schedules, declared())).run()
