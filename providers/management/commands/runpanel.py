"""The ``runpanel`` command: a simulated panel to try the shop with or to develop against."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from providers.panels import simulators


class Command(BaseCommand):
    help = "Run a simulated panel on this machine until it is stopped."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dialect", choices=list(simulators.SIMULATORS))
        parser.add_argument("--port", type=int, default=0, help="default: any free port")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--key", default="simulator-key", help="the API key that the panel accepts")
        parser.add_argument("--live", action="store_true", help="deliver orders automatically")
        parser.add_argument("--memory", type=Path, help="keep orders in this file between starts")
        parser.add_argument("--latency", type=float, default=0.0, help="seconds that each answer takes")

    def handle(self, *args: Any, dialect: str, port: int, host: str, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        try:
            names = ("key", "live", "latency", "memory")
            panel = simulators.start(dialect, host=host, port=port, **{name: options[name] for name in names})
        except OSError as problem:
            error = f"Port {port} on {host} cannot be used: {problem.strerror}. Choose another --port."
            raise CommandError(error) from None
        with panel:
            self.stdout.write(f"{dialect} panel at {panel.url} with API key {options['key']}")
            self.stdout.flush()
            stop.wait()
