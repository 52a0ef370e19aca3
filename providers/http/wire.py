"""The wire of one call: name look-up, connections that record how far the call got, and the watchdog that ends it.

Knows sockets and urllib3; knows nothing of panels, of answers or of what may be sent twice (``client`` decides that).
"""

from __future__ import annotations

import heapq
import io
import ipaddress
import itertools
import logging
import os
import queue
import socket
import struct
import threading
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum
from http import HTTPStatus
from http.client import HTTPResponse, parse_headers
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from providers import notes
from providers.errors import AddressNotAllowed, LeaseEnded, NotSent
from providers.http.addresses import is_public
from providers.notes import Note
from providers.worker.clock import Deadline

# urllib3 logs whole URLs (requests at DEBUG, malformed headers at WARNING), and some dialects put the key there.
for _name in ("urllib3.connection", "urllib3.connectionpool"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class Phase(IntEnum):
    """How far a call got. From SENT on, the server may have executed it."""

    RESOLVE = 1
    CONNECT = 2
    TLS = 3
    SENT = 4
    HEADERS = 5
    BODY = 6


@dataclass(slots=True, kw_only=True, eq=False)
class Wire:
    """The state of one call.

    Args:
        deadline: When the call ends. On the boot-time clock, because a call must not outlive the lease of its row.
        connect: Seconds to connect to one address.
        allow_private: Whether addresses on this machine and in private ranges are allowed.
        send_by: The last moment for the first byte.
    """

    deadline: Deadline
    connect: float
    allow_private: bool
    send_by: Deadline | None = None
    phase: Phase = Phase.RESOLVE
    received: int = 0
    is_expired: bool = False
    handle: socket.socket | None = None

    def remaining(self) -> float:
        return self.deadline.remaining


current: ContextVar[Wire] = ContextVar("wire")  # the call of this thread


class CallWatchdog:
    """Shuts down the connection of a call when its time is over, because library timeouts only limit single reads.

    One daemon thread per process, started by the first call, and again after a fork. It holds a duplicate of the
    socket, because wrapping in TLS moves the original to another object. It shuts sockets down but never closes them:
    a thread that still reads from a closed descriptor would read the next connection that gets the same number.
    """

    def __init__(self) -> None:
        self._start_afresh()
        if hasattr(os, "register_at_fork"):  # a child process inherits the lock's state, but not the thread
            os.register_at_fork(after_in_child=self._start_afresh)

    def _start_afresh(self) -> None:
        self._changed = threading.Condition()
        self._watched: list[tuple[Deadline, int, Wire]] = []
        self._numbers = itertools.count()
        self._is_running = False

    def arm(self, wire: Wire, sock: socket.socket) -> None:
        wire.handle = sock.dup()
        with self._changed:
            self._forget_finished()
            heapq.heappush(self._watched, (wire.deadline, next(self._numbers), wire))
            if not self._is_running:
                threading.Thread(target=self._run, name="panel-watchdog", daemon=True).start()
                self._is_running = True
            elif self._watched[0][2] is wire:
                self._changed.notify()

    def disarm(self, wire: Wire) -> None:
        """Stop watching ``wire``; afterwards ``wire.is_expired`` does not change. May be called twice."""
        with self._changed:
            handle, wire.handle = wire.handle, None
        if handle is not None:
            handle.close()

    def _run(self) -> None:
        with self._changed:
            while True:
                self._forget_finished()
                left = self._watched[0][2].remaining() if self._watched else None
                if left is None or left > 0:
                    # The lock's clock stops while the machine sleeps, so look again every second.
                    self._changed.wait(None if left is None else min(left, 1.0))
                else:
                    self._expire(heapq.heappop(self._watched)[2])

    def _forget_finished(self) -> None:
        while self._watched and self._watched[0][2].handle is None:
            heapq.heappop(self._watched)

    def _expire(self, wire: Wire) -> None:
        wire.is_expired = True
        try:
            if wire.handle is not None:
                # Discard what the kernel has not delivered yet. Otherwise it would keep sending the request for minutes
                # to a panel that cannot be reached, after the order was decided.
                wire.handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                wire.handle.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other side has already closed the connection


watchdog = CallWatchdog()


#: Seconds for which addresses are cached: a pass makes many calls to one host, and a lookup costs a third of a call.
KEPT_FOR = 5.0
#: The maximum number of cached hosts.
MOST_HOSTS = 1000
_kept: dict[tuple[str, int], tuple[Deadline, list[Any]]] = {}


def resolve(host: str, port: int, wire: Wire) -> list[tuple[socket.AddressFamily, Any]]:
    """Return the family and socket address of every address of ``host``.

    A name with one forbidden address among several is rejected: no panel needs that, but an attack by DNS rebinding
    looks like it. Cached addresses are checked again, because calls differ in what they may reach.

    Raises:
        NotSent: the name could not be resolved in time.
        AddressNotAllowed: an address is on this machine or in a private range.
    """
    kept = _kept.get((host, port))
    is_kept = kept is not None and not kept[0].has_passed
    rows = kept[1] if kept is not None and is_kept else _look_up(host, port, wire)
    for row in rows:
        if not wire.allow_private and not is_public(ipaddress.ip_address(row[4][0])):
            raise AddressNotAllowed(notes.encode(Note.PRIVATE_ADDRESS, host=host, address=row[4][0]))
    if not is_kept:
        if len(_kept) >= MOST_HOSTS:
            _kept.clear()
        _kept[host, port] = Deadline.after(KEPT_FOR), rows
    return [(row[0], row[4]) for row in rows]


def _look_up(host: str, port: int, wire: Wire) -> list[Any]:
    """Return the resolver's rows for ``host``; raise NotSent if there are none in time.

    A lookup cannot be interrupted, so it runs in a thread that is abandoned when the time is over. The resolver's own
    limits (5 seconds per attempt by default) end it.
    """
    found: queue.SimpleQueue[list[Any] | OSError | UnicodeError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found.put(socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.put(error)

    threading.Thread(target=look_up, name="panel-lookup", daemon=True).start()
    try:
        rows = found.get(timeout=max(0.0, wire.remaining()))
    except queue.Empty:
        raise NotSent(notes.encode(Note.LOOKUP_TIMED_OUT, host=host)) from None
    if isinstance(rows, Exception) or not rows:
        raise NotSent(notes.encode(Note.NO_ADDRESS, host=host))
    return rows


def connect(host: str, port: int, wire: Wire) -> socket.socket:
    """Return a socket connected to the first address that answers; only addresses that were checked are tried."""
    addresses = resolve(host, port, wire)
    wire.phase = Phase.CONNECT
    failure = notes.encode(Note.CONNECT_TIMED_OUT, seconds=f"{wire.connect:.3g}")
    for family, address in addresses:
        seconds = min(wire.connect, wire.remaining())
        if seconds <= 0:
            break
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(seconds)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = _connect_failure(f"{host}:{port}", error, seconds)
        else:
            sock.settimeout(wire.remaining() + 1)  # normally the watchdog acts first; this is a safety net
            return sock
    _kept.pop((host, port), None)  # the host may have moved to another address
    raise NotSent(failure)


def _connect_failure(server: str, error: OSError, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return notes.encode(Note.CONNECT_TIMED_OUT, seconds=f"{seconds:.3g}")
    return notes.encode(Note.CONNECT_FAILED, host=server, message=(error.strerror or type(error).__name__).lower())


class _Reader(io.BufferedReader):
    """The reader of an answer. Unlike http.client, the end of the stream does not end the headers."""

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        wire = current.get()
        is_whole = line.endswith(b"\n") or len(line) == size
        if not is_whole and (line or wire.phase < Phase.BODY):
            raise EOFError("the stream ended inside a line or before the headers did")
        wire.phase = max(wire.phase, Phase.HEADERS)
        return line

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:  # a chunk of length "-1" would be read without a limit
            raise ValueError("a read without a limit")
        return super().read(size)


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = _Reader(self.fp.detach())

    def _read_status(self) -> tuple[str, int, str]:
        """Skip interim answers such as 103 (Early Hints), because http.client treats all but 100 as final.

        101 ends HTTP on this connection, so no answer follows it. The watchdog stops a server that sends them forever.
        """
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status < 100 or status >= 200 or status == HTTPStatus.SWITCHING_PROTOCOLS:
                return version, status, reason
            parse_headers(self.fp)


class WatchedHTTPConnection(HTTPConnection):
    """A connection that obeys the address rules and records how far the call got."""

    response_class = _Response

    def _new_conn(self) -> socket.socket:
        wire = current.get()
        sock = connect(self._dns_host, self.port or self.default_port, wire)
        watchdog.arm(wire, sock)
        if isinstance(self, HTTPSConnection):
            wire.phase = Phase.TLS
        return sock

    def send(self, data: Any) -> None:
        wire = current.get()
        if wire.phase < Phase.SENT:
            if self.sock is None:
                self.connect()
            if wire.remaining() <= 0:
                raise TimeoutError("out of time before anything was sent")
            # Checked as late as possible, because this thread may have been stopped for minutes since the claim.
            if wire.send_by is not None and wire.send_by.has_passed:
                raise LeaseEnded(notes.encode(Note.LEASE_OVER))
            wire.phase = (
                Phase.SENT
            )  # set before the first byte, because from here on a failure does not prove that nothing happened
        elif self.sock is None:  # otherwise http.client would send the rest of the request over a new connection
            raise EOFError("the connection went away while the request was being sent")
        elif (
            wire.remaining() <= 0
        ):  # after a stop between headers and body, the panel must not get the rest hours later
            raise TimeoutError("out of time while the request was being sent")
        super().send(data)

    def getresponse(self) -> Any:
        response = super().getresponse()
        current.get().phase = Phase.BODY
        return response


class WatchedHTTPSConnection(WatchedHTTPConnection, HTTPSConnection):
    pass


class _FreshConnections(HTTPConnectionPool):
    """A pool that keeps no connections: every call opens a new one.

    A panel may close a kept connection just as we write to it, and then the outcome is unknown. Reads could be
    repeated, but they are few (100 orders per call) and would save only 0.2 ms of CPU time (0.8 ms with TLS) and one
    or two round trips, which is not worth a second code path.
    """

    ConnectionCls = WatchedHTTPConnection

    def _get_conn(self, timeout: float | None = None) -> Any:
        return self._new_conn()

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.close()


class _FreshTLSConnections(_FreshConnections, HTTPSConnectionPool):
    ConnectionCls = WatchedHTTPSConnection


POOLS = {"http": _FreshConnections, "https": _FreshTLSConnections}
