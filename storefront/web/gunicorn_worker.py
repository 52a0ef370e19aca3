"""A gunicorn worker that uses waitress to receive complete requests before a thread handles them.

The threads of gunicorn's own workers read from the client's connection, so a few slow clients can occupy all of them.
Here one event loop receives headers and bodies of all connections, within deadlines, and passes a request to a thread
once it is complete. Responses are buffered too, so a client that reads slowly does not occupy a thread either.
"""

from __future__ import annotations

import os
import re
import resource
import socket
import time
from contextlib import suppress
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, TcpWSGIServer, UnixWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask

from storefront.web.api_paths import API_PREFIXES
from storefront.web.log_redaction import redact

#: Seconds from the first byte of a request, or from the connection, to the end of its headers.
HEADER_SECONDS = 15
#: Seconds from the first byte of a request to the end of its body: a file of 5 MB over a slow mobile connection.
BODY_SECONDS = 120
#: Seconds that may pass without a byte in either direction while a request or a response is under way.
STALL_SECONDS = 30
#: Maximum size of the headers with the request line: enough for a thousand order ids of 18 digits.
HEADER_BYTES = 64 * 1024
#: Maximum size of a body. It is above the limits of the views, so that they can answer in their own format.
BODY_BYTES = 12 * 1024 * 1024
#: Bodies and responses above this many bytes are buffered in a temporary file instead of memory.
MEMORY_BYTES = 512 * 1024
#: Maximum number of connections of one worker; further ones wait in the kernel's queue.
CONNECTIONS = 1000


class Task(WSGITask):
    """The handling of one request, which also writes gunicorn's access log."""

    def service(self) -> None:
        started = datetime.now()
        try:
            super().service()
        finally:
            self.channel.server.log_access(self, datetime.now() - started)


class UnreadableTask(ErrorTask):
    """The answer to a request that cannot be read. Programs get an error in the form of the API that they call."""

    def execute(self) -> None:
        path = _path_of(self.request)
        if path.startswith(API_PREFIXES):
            self.request.error = ApiError(path, self.request.error)
        super().execute()


class ApiError:
    """An error of waitress in the form of an API. Nothing was done."""

    def __init__(self, path: str, error: Any) -> None:
        self.answer = import_string(settings.API_ERROR_ANSWER)(path, error.code)

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        status = f"{self.answer.status_code} {self.answer.reason_phrase}"
        return status, list(self.answer.items()), self.answer.content


def _path_of(request: Any) -> str:
    """Return the path of a request. Its headers may be incomplete, because there were too many."""
    if request.header_plus:
        target = str(request.header_plus.partition(b" ")[2], "latin-1")
        return re.split(r"[?\s]", target, maxsplit=1)[0]
    return str(getattr(request, "path", ""))


class Channel(HTTPChannel):
    """One connection, which records when the request that it is receiving began."""

    task_class = Task
    error_task_class = UnreadableTask

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.request_began = time.monotonic()

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self.request_began = time.monotonic()
        return bool(super().received(data))

    def is_overdue(self, now: float, *, keepalive: float) -> bool:
        """Return whether the client has exceeded a deadline.

        Args:
            now: Seconds of the monotonic clock.
            keepalive: Seconds that may pass between two requests.
        """
        if self.requests:
            return False
        silence = time.time() - self.last_activity
        if self.total_outbufs_len:
            return bool(silence > STALL_SECONDS)
        if self.request is None:
            return bool(silence > keepalive)
        limit = BODY_SECONDS if self.request.headers_finished else HEADER_SECONDS
        return bool(silence > STALL_SECONDS or now - self.request_began > limit)

    def is_idle(self) -> bool:
        """Return whether the connection can be closed without cutting off a request or a response."""
        return not (self.requests or self.request or self.total_outbufs_len)


class _Deadlines(BaseWSGIServer):
    """The parts that both servers add to waitress: our channel, deadlines instead of one idle limit, gunicorn's log."""

    channel_class = Channel
    worker: BufferingWorker

    def maintenance(self, now: float) -> None:
        moment = time.monotonic()
        for channel in list(self.active_channels.values()):
            if channel.is_overdue(moment, keepalive=self.worker.cfg.keepalive):
                channel.will_close = True

    def log_access(self, task: Task, elapsed: timedelta) -> None:
        if not self.worker.log.access_log_enabled:
            return
        environ = dict(task.get_environment())
        environ["PATH_INFO"] = redact(environ["PATH_INFO"])
        environ["RAW_URI"] = redact(environ.get("REQUEST_URI", ""))
        environ.pop("HTTP_REFERER", None)
        answer = SimpleNamespace(
            status=task.status, sent=task.content_bytes_written, headers=task.response_headers, response_length=None
        )
        asked = SimpleNamespace(headers=list(task.request.headers.items()))
        self.worker.log.access(answer, asked, environ, elapsed)


class TcpServer(_Deadlines, TcpWSGIServer):
    pass


class UnixServer(_Deadlines, UnixWSGIServer):
    pass


class BufferingWorker(Worker):
    """Run waitress on gunicorn's sockets, with its settings ``threads``, ``keepalive`` and ``graceful_timeout``."""

    def run(self) -> None:
        _allow_open_files(CONNECTIONS + 200)
        connections: dict[int, Any] = {}
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(self.cfg.threads)
        servers = [self._server(listener.sock, connections, dispatcher) for listener in self.sockets]
        while self.alive:
            self._turn(connections)
        for server in servers:
            # Leave the socket open, because other gunicorn workers still accept connections on it.
            server.del_channel()
        self._drain(servers, connections)
        dispatcher.shutdown()

    def _server(self, sock: socket.socket, connections: dict[int, Any], dispatcher: Any) -> _Deadlines:
        server_class = UnixServer if sock.family == socket.AF_UNIX else TcpServer
        server = server_class(
            self.wsgi,
            connections,
            _sock=sock,
            bind_socket=False,
            dispatcher=dispatcher,
            adj=self._adjustments(),
            sockinfo=(sock.family, sock.type, sock.proto, sock.getsockname()),
        )
        server.worker = self
        return server

    def _adjustments(self) -> Adjustments:
        return Adjustments(
            threads=self.cfg.threads,
            backlog=self.cfg.backlog,
            connection_limit=CONNECTIONS,
            cleanup_interval=1,
            asyncore_use_poll=True,
            max_request_header_size=HEADER_BYTES,
            max_request_body_size=BODY_BYTES,
            inbuf_overflow=MEMORY_BYTES,
            outbuf_overflow=MEMORY_BYTES,
            # The shop itself decides whether to trust proxy headers (BEHIND_PROXY).
            clear_untrusted_proxy_headers=False,
            log_socket_errors=False,
            ident="",
        )

    def _turn(self, connections: dict[int, Any]) -> None:
        self.notify()
        if self.ppid != os.getppid():
            self.alive = False
            return
        wasyncore.loop(timeout=1.0, use_poll=True, map=connections, count=1)

    def _drain(self, servers: list[_Deadlines], connections: dict[int, Any]) -> None:
        """Finish the requests received so far, for up to ``graceful_timeout`` seconds, and close idle connections."""
        deadline = time.monotonic() + self.cfg.graceful_timeout
        channels = [channel for server in servers for channel in server.active_channels.values()]
        while channels and time.monotonic() < deadline:
            for channel in channels:
                if channel.is_idle():
                    channel.will_close = True
            self.notify()
            wasyncore.loop(timeout=0.2, use_poll=True, map=connections, count=1)
            channels = [channel for server in servers for channel in server.active_channels.values()]


def _allow_open_files(count: int) -> None:
    """Raise the soft limit of open files, 1,024 on most systems, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
