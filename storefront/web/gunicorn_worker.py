"""The gunicorn worker of the shop: waitress receives whole requests before a thread sees them.

A thread of gunicorn's own workers reads from the client's connection, so a few clients that send slowly hold all of
them. Here one event loop receives headers and bodies of all connections, within deadlines, and hands a request to a
thread once it is complete. Responses are buffered too: a client that reads slowly holds no thread either.
"""

from __future__ import annotations

import os
import resource
import socket
import time
from contextlib import suppress
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, TcpWSGIServer, UnixWSGIServer
from waitress.task import ThreadedTaskDispatcher, WSGITask

from storefront.web.log_redaction import redact

#: Seconds from the first byte of a request, or from the connection, to the end of its headers.
HEADER_SECONDS = 15
#: Seconds from the first byte of a request to the end of its body: a file of 5 MB over a slow mobile connection.
BODY_SECONDS = 120
#: Seconds that may pass without a byte in either direction while a request or a response is under way.
STALL_SECONDS = 30
#: The largest header, with the address line: a thousand order numbers of 18 digits fit into it.
HEADER_BYTES = 64 * 1024
#: The largest body that is received. Above the limits of the views, which answer in their own format.
BODY_BYTES = 12 * 1024 * 1024
#: Bodies and responses above this many bytes wait in a temporary file instead of memory.
MEMORY_BYTES = 512 * 1024
#: Connections of one worker at a time; those beyond it wait in the kernel's queue.
CONNECTIONS = 1000


class Task(WSGITask):
    """One request; writes gunicorn's access log."""

    def service(self) -> None:
        started = datetime.now()
        try:
            super().service()
        finally:
            self.channel.server.log_access(self, datetime.now() - started)


class Channel(HTTPChannel):
    """One connection. Remembers when the request that it is receiving began."""

    task_class = Task

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.request_began = time.monotonic()

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self.request_began = time.monotonic()
        return bool(super().received(data))

    def is_overdue(self, now: float, *, keepalive: float) -> bool:
        """Whether the client has used up its time: ``now`` is monotonic, ``keepalive`` the seconds between requests."""
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
        """Whether the connection can be closed without cutting off a request or a response."""
        return not (self.requests or self.request or self.total_outbufs_len)


class _Deadlines(BaseWSGIServer):
    """What both kinds of server add to waitress: our channel, deadlines in place of one idle limit, gunicorn's log."""

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
    """Runs waitress on gunicorn's sockets. Uses its settings ``threads``, ``keepalive`` and ``graceful_timeout``."""

    def run(self) -> None:
        _allow_open_files(CONNECTIONS + 200)
        connections: dict[int, Any] = {}
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(self.cfg.threads)
        servers = [self._server(listener.sock, connections, dispatcher) for listener in self.sockets]
        while self.alive:
            self._turn(connections)
        for server in servers:
            # Others of gunicorn's workers still accept on this socket, so it is left open.
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
            # The shop decides whether it trusts them (BEHIND_PROXY).
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
        """Finish what was received, for up to ``graceful_timeout`` seconds, and close what is idle."""
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
    """Raise the soft limit of open files, 1,024 on most systems, as far as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
