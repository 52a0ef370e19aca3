"""A customer's program: an HTTP server on loopback that stores requests and gives configured responses."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    def is_signed_by(self, secret: str, *, within: float = 300.0) -> bool:
        """Check the signature as documented; written from the documentation alone."""
        parts = [part.split("=", 1) for part in self.headers["X-Vitrine-Signature"].split(",")]
        at = next(value for name, value in parts if name == "t")
        if abs(time.time() - int(at)) > within:
            return False
        expected = hmac.new(secret.encode(), at.encode() + b"." + self.body, hashlib.sha256).hexdigest()
        return any(name == "v1" and hmac.compare_digest(value, expected) for name, value in parts)


class Receiver:
    """``status`` is a number or a function of the request; ``delay`` is in seconds before the response."""

    def __init__(self, status: int | Callable[[Received], int] = 200, *, text: str = "ok", delay: float = 0.0) -> None:
        self.status, self.text, self.delay = status, text, delay
        self.headers: dict[str, str] = {}
        self.received: list[Received] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.take(Received(self.path, dict(self.headers.items()), body))
                text = receiver.text.encode()
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
                receiver.left()

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            # As many as come at once: Python's five would let a connection wait for a second.
            request_queue_size = 128

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])

    def take(self, received: Received) -> int:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.received.append(received)
        time.sleep(self.delay)
        return self.status(received) if callable(self.status) else self.status

    def left(self) -> None:
        with self._lock:
            self.at_once -= 1

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/vitrine"

    @property
    def events(self) -> list[dict[str, Any]]:
        return [received.event for received in self.received]

    def __enter__(self) -> Receiver:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
