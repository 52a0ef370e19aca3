"""Management command that runs the whole demo from one terminal: its programs, their ports and the printed table."""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import environ
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connections

from providers.panels.dialects import DIALECTS
from providers.panels.simulators import SIMULATORS
from storefront.demo import seed
from storefront.demo.supervisor import ProgramFailed, Supervisor, answers

LOCAL = "127.0.0.1"
START_LIMIT = 60.0  # seconds until every program has to answer
SYNC_INTERVAL = "5"  # seconds between two status checks of an order; short, so that orders visibly move

env = environ.Env()


class Command(BaseCommand):
    help = "Start the demo: web server, worker, and five simulated panels. Stop it with Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Start the demo with `make run` or `python manage.py run`.")
        host, port = env.str("HOST", LOCAL), self._port()
        self._check_free(host, port)
        ports = dict(zip(SIMULATORS, panel_ports(port), strict=True))
        panels = {name: (f"http://{LOCAL}:{ports[name]}{SIMULATORS[name].path}", f"demo-{name}") for name in ports}
        self._say("Preparing the database ...")
        try:
            call_command("migrate", verbosity=0, interactive=False)
        except OperationalError as error:
            raise CommandError(f"The database cannot be used: {error}") from error
        if seed.is_other_shop():
            raise CommandError(
                "This database belongs to a shop. The demo would add play money and public passwords to it. "
                "Unset DATABASE_URL and VAR_DIR, or use an empty database."
            )
        children = {"SYNC_INTERVAL": SYNC_INTERVAL, "SHOP_URL": f"http://{host}:{port}", **os.environ}
        with Supervisor(
            logs=Path(settings.VAR_DIR) / "log", cwd=settings.BASE_DIR, environ=children, say=self._say
        ) as supervisor:
            try:
                self._start(supervisor, host, port, ports, panels)
                supervisor.watch()
            except ProgramFailed as error:
                raise CommandError(str(error)) from error

    def _start(
        self,
        supervisor: Supervisor,
        host: str,
        port: int,
        ports: dict[str, int],
        panels: dict[str, tuple[str, str]],
    ) -> None:
        """Start the panels, seed the database, and start the web server and the worker.

        The panels come first, because the seed may ask them for their price lists.
        """
        self._say("Starting ...")
        # The panels keep their orders on disk, as the shop does, so that order numbers still match at the next start.
        memory = Path(settings.VAR_DIR) / "panels"
        memory.mkdir(parents=True, exist_ok=True)
        for name, number in ports.items():
            options = f"--port {number} --key {panels[name][1]} --live --memory".split()
            command = manage("runpanel", name, *options, str(memory / f"{name}.json"))
            supervisor.start(f"panel-{name}", command, partial(listens, number))
        supervisor.wait_until_ready(START_LIMIT)
        if supervisor.is_stopping:
            return
        # The seed's orders wake the task cluster; its log message does not belong in this terminal.
        logging.getLogger("django-q").setLevel(logging.WARNING)
        seed.seed(panels, stdout=self.stdout)
        # From here on only the child processes use the database.
        connections.close_all()
        visible = visible_host(host)
        supervisor.start("web", gunicorn(host, port), lambda _: answers(visible, port))
        supervisor.start("worker", manage("worker"), has_finished_a_task)
        supervisor.wait_until_ready(START_LIMIT)
        if not supervisor.is_stopping:
            self._say(table(f"http://{bracketed(visible)}:{port}", panels))
            self._say(f"\nLogs are in {supervisor.logs}. Ctrl-C stops everything.")

    def _port(self) -> int:
        try:
            port = int(env.str("PORT", "8000"))
        except ValueError:
            port = 0
        if not 0 < port < 65536:
            raise CommandError(f"PORT must be a number from 1 to 65535, not {env.str('PORT')!r}.")
        return port

    def _check_free(self, host: str, port: int) -> None:
        try:
            bind(host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CommandError(
                    f"Port {port} on {host} is already in use. Choose another one: PORT={port + 100} make run"
                ) from error
            raise CommandError(f"The web server cannot listen on {host} port {port}: {error.strerror}.") from error

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


# ------------------------------------------------------------------------------------------------ commands
def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]


def gunicorn(host: str, port: int) -> list[str]:
    """Return the command of the web server: as in production (gunicorn.conf.py), but with a short wait after Ctrl-C."""
    address = f"{bracketed(host)}:{port}"
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "storefront.wsgi",
        "--bind",
        address,
        "--config",
        str(settings.BASE_DIR / "gunicorn.conf.py"),
        "--graceful-timeout",
        "5",
        "--access-logfile",
        "-",
    ]


def listens(port: int, pid: int) -> bool:
    """Return whether a simulated panel accepts connections.

    Its answer does not matter here: a panel may return errors.
    """
    try:
        socket.create_connection((LOCAL, port), timeout=1).close()
    except OSError:
        return False
    return True


def has_finished_a_task(pid: int) -> bool:
    """Return whether the worker ``pid`` has completed its first task: its watchdog's beat file then has a time."""
    return any(beat.stat().st_mtime > 0 for beat in Path(settings.VAR_DIR).glob(f"worker-*-{pid}.beat"))


# ------------------------------------------------------------------------------------------------ addresses
def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def visible_host(host: str) -> str:
    """Return an address that works in a browser for a server that listens on all addresses."""
    return {"0.0.0.0": LOCAL, "::": "::1", "": LOCAL}.get(host, host)  # noqa: S104 - read, not bound


def bind(host: str, port: int) -> int:
    """Bind and release a port and return its number; 0 takes any free port.

    Raises:
        OSError: The port cannot be used.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with closing(socket.socket(family, kind, protocol)) as probe:
        # Use the servers' own option: without it, a port whose last connections are still closing would count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        return int(probe.getsockname()[1])


def panel_ports(port: int) -> Iterator[int]:
    """Yield the five ports after the shop's, the same in every run, with a free port in place of a taken one."""
    for number in range(port + 1, port + 1 + len(SIMULATORS)):
        try:
            yield bind(LOCAL, number)
        except (OSError, OverflowError):
            yield bind(LOCAL, 0)


# ------------------------------------------------------------------------------------------------ the table
def table(shop: str, panels: dict[str, tuple[str, str]]) -> str:
    sign_in = seed.sign_in_details()
    rows = [
        ("What", "Address", "Sign-in"),
        ("Shop", f"{shop}/", sign_in["shop"]),
        ("Back office", f"{shop}/admin/", sign_in["admin"]),
        ("API", f"{shop}/api/v2", sign_in["api"]),
        ("Emails", settings.EMAIL_CONFIG.get("EMAIL_FILE_PATH", "sent through EMAIL_URL"), "one file per email"),
        *((f"Panel {DIALECTS[name].title}", url, f"key {key}") for name, (url, key) in panels.items()),
    ]
    widths = [max(len(row[column]) for row in rows) + 3 for column in (0, 1)]
    return "\n" + "\n".join(f"  {what:<{widths[0]}}{where:<{widths[1]}}{who}" for what, where, who in rows)
