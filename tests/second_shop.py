"""A second shop with its own database and web server, and a proxy that can lose responses.

It is for tests in which one shop buys from another. They control the second shop by commands and by its API.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from storefront.demo.supervisor import die_with_parent
from tests.processes import other_database, python, run_manage

LOCAL = "127.0.0.1"
RUN_ALL = """
import io, json, sys, django
django.setup()
from django.core.management import call_command
printed = []
for command in json.loads(sys.argv[1]):
    out = io.StringIO()
    call_command(*command, stdout=out)
    printed.append(out.getvalue().strip())
print(json.dumps(printed))
"""


def ask(url: str, key: str, action: str, **params: Any) -> Any:
    """Call a panel API without any of our code; return the JSON, with numbers as text as they were written."""
    form = urllib.parse.urlencode({"key": key, "action": action, **params}).encode()
    with urllib.request.urlopen(url, form, timeout=60) as answer:
        return json.loads(answer.read(), parse_float=str)


class SecondShop:
    """Another shop. It keeps its port while its web server is stopped and started."""

    def __init__(self, folder: Path, database: str) -> None:
        self.environ = {"DATABASE_URL": database, "VAR_DIR": str(folder), "LOG_LEVEL": "ERROR"}
        self.environ["DJANGO_SETTINGS_MODULE"] = "storefront.settings"
        self.log = folder / "web.log"
        self._socket = socket.create_server((LOCAL, 0), backlog=64)
        self._web: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        """Return the address of its API."""
        return f"http://{LOCAL}:{self.port}/api/v2"

    def run(self, *arguments: str) -> str:
        """Run ``manage.py arguments`` in the second shop; return the output."""
        done = run_manage(*arguments, **self.environ)
        assert done.returncode == 0, done.stderr
        return str(done.stdout).strip()

    def run_all(self, *commands: str) -> list[str]:
        """Run ``commands`` in one process, because starting one takes seconds; return the output of each."""
        arguments = json.dumps([command.split() for command in commands])
        done = python("-c", RUN_ALL, arguments, **self.environ)
        out, err = done.communicate(timeout=120)
        assert done.returncode == 0, err
        printed: list[str] = json.loads(out.splitlines()[-1])
        return printed

    def due(self, step: str) -> Any:
        """Run ``run_due`` for ``step``; return its counts."""
        return json.loads(self.run("run_due", step, "--now").splitlines()[-1])[step]

    def open(self) -> None:
        """Start its web server, which accepts the connections that already wait at its socket."""
        options = f"--bind fd://{self._socket.fileno()} --worker-class gthread --threads 4 --no-control-socket"
        with self.log.open("ab") as log:
            self._web = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "storefront.wsgi", *options.split()],
                cwd=settings.BASE_DIR, env={**os.environ, **self.environ}, pass_fds=[self._socket.fileno()],
                stdout=log, stderr=log, preexec_fn=functools.partial(die_with_parent, os.getpid()),
                start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        """Kill its web server. New connections wait until it is opened again."""
        assert self._web
        os.killpg(self._web.pid, signal.SIGKILL)
        self._web.wait()

    def close(self) -> None:
        if self._web:
            self._web.send_signal(signal.SIGINT)  # gunicorn's quick shutdown
            self._web.wait(30)
        self._socket.close()


@contextmanager
def second_shop(folder: Path) -> Iterator[SecondShop]:
    """Run an empty shop on the same kind of database as the test; remove it at the end."""
    with other_database(folder) as url:
        shop = SecondShop(folder, url)
        try:
            shop.open()
            yield shop
        finally:
            shop.close()


class LossyLine(socketserver.ThreadingTCPServer):
    """A proxy for the web server on ``port`` that drops the responses to the next ``losses`` add requests."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int) -> None:
        super().__init__((LOCAL, 0), _ProxyHandler)
        self.port = port
        self.losses = 0
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://{LOCAL}:{self.server_address[1]}/api/v2"

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class _ProxyHandler(socketserver.BaseRequestHandler):
    server: LossyLine

    def handle(self) -> None:
        self.request_bytes = b""
        with socket.create_connection((LOCAL, self.server.port)) as upstream:
            threading.Thread(target=self._forward, args=(upstream,), daemon=True).start()
            while data := upstream.recv(65536):
                if b"action=add" in self.request_bytes and self.server.losses:
                    self.server.losses -= 1
                    return
                self.request.sendall(data)

    def _forward(self, upstream: socket.socket) -> None:
        try:
            while data := self.request.recv(65536):
                self.request_bytes += data
                upstream.sendall(data)
        except OSError:
            pass  # the other side has closed the connection
