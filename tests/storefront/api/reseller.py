"""A customer of the shop who calls its API, and a way to send bytes. The fixtures are in conftest."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.client import HTTPResponse
from typing import Any
from wsgiref.simple_server import WSGIServer

from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import WSGIRequestHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from django.utils import timezone

from orders.models import Account
from storefront.accounts.models import ApiKey, User
from tests import factories


@dataclass
class Reseller:
    user: User
    key: str
    client: Client = field(default_factory=Client)

    def call(self, **params: Any) -> Any:
        """What a plain client gets: a form by POST, HTTP 200, JSON."""
        response = self.client.post("/api/v2", {"key": self.key, **params})
        assert response.status_code == 200, response.content
        return response.json()

    @property
    def balance(self) -> Decimal:
        held = Account.objects.get(user=self.user).balance
        assert held is not None
        return held


def reseller(amount: str = "100.84292", **details: Any) -> Reseller:
    """A customer with ``amount`` in the wallet and a key that was used a moment ago, so that it is not marked again."""
    user = factories.customer(amount, **details)
    row, key = ApiKey.objects.issue(user)
    ApiKey.objects.filter(pk=row.pk).update(last_used_at=timezone.now())
    return Reseller(user, key)


def send(raw: bytes) -> tuple[int, dict[str, str], Any]:
    """Sends ``raw`` over a socket to the shop; returns the status, the headers in lower case, and the JSON.

    The server answers in this thread, so it sees what the test wrote.
    """
    server = WSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.set_app(WSGIHandler())
    try:
        with connection_kept(), socket.create_connection(server.server_address, timeout=10) as client:
            client.sendall(raw)
            client.shutdown(socket.SHUT_WR)
            server.handle_request()
            return answered(client, raw.split(maxsplit=1)[0].decode())
    finally:
        server.server_close()


@contextmanager
def connection_kept() -> Iterator[None]:
    """A request that is answered in this thread would close the connection that holds the test's transaction."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    try:
        yield
    finally:
        request_started.connect(close_old_connections)
        request_finished.connect(close_old_connections)


def answered(client: socket.socket, method: str = "POST") -> tuple[int, dict[str, str], Any]:
    """What the server sends: the status, the headers in lower case, and the JSON, unpacked if it was packed."""
    answer = HTTPResponse(client, method=method)
    answer.begin()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    body = answer.read()
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return answer.status, headers, json.loads(body) if body else None


def request(
    body: bytes = b"", *, method: str = "POST", path: str = "/api/v2", content_type: str = "", **headers: str
) -> bytes:
    """A request as the bytes on the wire. An empty content type sends no such header."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [f"Content-Type: {content_type}"] if content_type else []
    lines += [f"Content-Length: {len(body)}"] if body or method == "POST" else []
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
