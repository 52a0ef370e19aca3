"""Run manage.py or the shop's web server in a separate process, on the test's database or on another one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
from django.conf import settings
from django.db import connection

from storefront.demo.management.commands.run import gunicorn
from storefront.demo.supervisor import answers


def database_url(name: str = "") -> str:
    """Return the DATABASE_URL of the test's database, or of the database ``name`` on the same server."""
    details = connection.settings_dict | ({"NAME": name} if name else {})
    if connection.vendor == "sqlite":
        return f"sqlite:///{details['NAME']}"
    host, port = str(details["HOST"]), details["PORT"]
    login = quote(str(details["USER"])) + (f":{quote(str(details['PASSWORD']))}" if details["PASSWORD"] else "")
    if host.startswith("/") or not host:
        host = details.get("OPTIONS", {}).get("host", host)
        return f"postgres://{login}@/{details['NAME']}?host={quote(str(host), safe='')}"
    return f"postgres://{login}@{host}:{port or 5432}/{details['NAME']}"


@contextmanager
def other_database(folder: Path) -> Iterator[str]:
    """Yield the DATABASE_URL of another migrated database, on SQLite a file in ``folder``; drop it at the end."""
    template = os.environ["DATABASE_URL"] if os.environ.get("DATABASE_IS_TEMPLATE") else ""
    with _copy(template, folder) as url:
        if not template:
            assert run_manage("migrate", "--verbosity", "0", DATABASE_URL=url, VAR_DIR=str(folder)).returncode == 0
        yield url


@contextmanager
def _copy(template: str, folder: Path) -> Iterator[str]:
    if connection.vendor == "sqlite":
        path = folder / "other.sqlite3"
        if template:
            shutil.copy(template.removeprefix("sqlite:///"), path)
        yield f"sqlite:///{path}"
        return
    name = f"test_vitrine_other_{os.getpid()}"
    with psycopg.connect(database_url("postgres"), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {urlsplit(template).path[1:] or 'template1'}".encode())
        try:
            yield database_url(name)
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def manage(*arguments: str, **environ: str) -> subprocess.Popen[str]:
    """Start ``manage.py arguments``; the caller waits for the process or kills it."""
    return python(str(settings.BASE_DIR / "manage.py"), *arguments, **environ)


def python(*arguments: str, output: Any = subprocess.PIPE, **environ: str) -> subprocess.Popen[str]:
    """Start ``python arguments`` in the project's folder on the test's database."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": database_url(), "VAR_DIR": str(settings.VAR_DIR), **environ},
        stdout=output,
        stderr=output,
        text=True,
    )


@contextmanager
def web(**environ: str) -> Iterator[tuple[int, Path]]:
    """Run the shop's gunicorn as `make run` does; yield its port and its log file."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    log = Path(settings.VAR_DIR) / f"web-{port}.log"
    with log.open("w") as output:
        server = python(*gunicorn("127.0.0.1", port)[1:], output=output, **environ)
    try:
        end = time.monotonic() + 60
        while not answers("127.0.0.1", port, "/api/v2"):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        yield port, log
    finally:
        server.terminate()
        server.wait(20)


def run_manage(*arguments: str, **environ: str) -> Any:
    """Run ``manage.py arguments``; return its return code, stdout and stderr."""
    process = manage(*arguments, **environ)
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)
