"""A server of bare sockets that misbehaves on request. It imports only the standard library.

``RawServer(script)`` accepts on 127.0.0.1 and runs ``script(server, connection)`` in a thread per connection; the
functions below are scripts or make them. ``connections`` and ``requests`` record what arrived.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator

Script = Callable[["RawServer", socket.socket], None]


class RawServer:
    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self.script, self.tls = script, tls
        self.connections = 0
        self.requests: list[bytes] = []
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> RawServer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        # A thread in accept() keeps the port open until it is woken.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.close()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/api/v2"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self._open.append(connection)
        with contextlib.suppress(OSError):
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            self.script(self, connection)


def read_request(server: RawServer, connection: socket.socket) -> bytes:
    """Return the whole request, kept in the server's ``requests``."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += (piece := connection.recv(65536))
        if not piece:
            return data
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length and (piece := connection.recv(65536)):
        body += piece
    server.requests.append(head + b"\r\n\r\n" + body)
    return head + b"\r\n\r\n" + body


def reset(connection: socket.socket) -> None:
    """Close with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


def answer(body: bytes, *lines: str, status: str = "200 OK", kind: str = "application/json") -> bytes:
    return head(f"Content-Type: {kind}", f"Content-Length: {len(body)}", *lines, status=status) + body


def says(*pieces: bytes, pause: float = 0.0, delay: float = 0.0, end: str = "fin") -> Script:
    """Read the request, wait ``delay``, send ``pieces`` with ``pause`` between, then fin, rst, or keep it open."""

    def script(server: RawServer, connection: socket.socket) -> None:
        read_request(server, connection)
        time.sleep(delay)
        for piece in pieces:
            connection.sendall(piece)
            if pause:
                time.sleep(pause)
        finish(connection, end)

    return script


def finish(connection: socket.socket, end: str) -> None:
    if end == "rst":
        time.sleep(0.05)  # let what was sent be read first
        reset(connection)
    elif end == "keep":
        with contextlib.suppress(OSError):
            while connection.recv(65536):
                pass
    else:
        connection.close()


def reads(size: int, *, end: str) -> Script:
    """Read ``size`` bytes of the request, then fin, rst, or keep it open."""

    def script(server: RawServer, connection: socket.socket) -> None:
        if size:
            connection.recv(size)
        finish(connection, end)

    return script


def byte_by_byte(data: bytes) -> Iterator[bytes]:
    return (data[i : i + 1] for i in range(len(data)))


def gzip_bomb(megabytes: int) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9, mtime=0) as file:
        for _ in range(megabytes):
            file.write(bytes(1024 * 1024))
    return packed.getvalue()
