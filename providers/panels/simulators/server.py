"""The HTTP server of a panel simulator: sockets, replies, and the ways to end a connection."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER with no time to linger: close() sends RST, not FIN


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: object, status: int = 200) -> Self:
        """Return the answer with this value as JSON."""
        return cls(json.dumps(value, ensure_ascii=False).encode(), status)

    @classmethod
    def page(cls, title: str, text: str = "", status: int = 200) -> Self:
        """Return an HTML page, as a proxy or a broken panel would show it."""
        html = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1>{text}</body></html>"
        return cls(html.encode(), status, "text/html; charset=UTF-8")

    def head(self, length: int | None = None) -> bytes:
        """Return the status line and headers, announcing ``length`` bytes, or as many as there are."""
        reasons = {status.value: status.phrase for status in HTTPStatus}
        lines = [f"HTTP/1.1 {self.status} {reasons.get(self.status, 'Unknown')}"]
        lines += [f"Content-Type: {self.content_type}"]
        lines += [f"Content-Length: {len(self.body) if length is None else length}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()


class Incoming(BaseHTTPRequestHandler):
    """One connection. For each request the server's ``serve`` is called, and answers through the methods below."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server
    body: bytes = b""

    @property
    def target(self) -> tuple[str, str]:
        """The path and the query of the request."""
        parts = urlsplit(self.path)
        return parts.path, parts.query

    def send(self, reply: Reply) -> None:
        self.write(reply.head() + reply.body)

    def write(self, data: bytes) -> None:
        self.wfile.write(data)

    def hang_up(self) -> None:
        """Close the connection normally after this request."""
        self.close_connection = True

    def reset(self) -> None:
        """End the connection with RST, without an answer."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.rfile.close()  # the socket is only closed once nothing reads from it
        self.connection.close()

    def _serve(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.serve(self)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # the client went away, or stop() ended the connection under us
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing, because the panel records requests itself."""


class Server(ThreadingHTTPServer):
    """A threaded HTTP/1.1 server that ends kept-alive connections when it stops: a stopped panel answers nobody."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], serve: Callable[[Incoming], None]) -> None:
        self.serve = serve
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, Incoming)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        assert isinstance(request, socket.socket)
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        assert isinstance(request, socket.socket)
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        with self._lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # closed already
