"""A customer who calls the panel API, and functions that send raw requests over a socket."""

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
        """Send a form by POST, as most clients do, and return the JSON of the response."""
        response = self.client.post("/api/v2", {"key": self.key, **params})
        assert response.status_code == 200, response.content
        return response.json()

    @property
    def balance(self) -> Decimal:
        balance = Account.objects.get(user=self.user).balance
        assert balance is not None
        return balance


def reseller(amount: str = "100.84292", **details: Any) -> Reseller:
    """Return a customer with this balance and a key that was just used, so that a call does not update its last use."""
    user = factories.customer(amount, **details)
    row, key = ApiKey.objects.issue(user)
    ApiKey.objects.filter(pk=row.pk).update(last_used_at=timezone.now())
    return Reseller(user, key)


def send(raw: bytes) -> tuple[int, dict[str, str], Any]:
    """Send ``raw`` to the shop over a socket; return status, headers with lower-case names, and JSON.

    The server runs in this thread, so that it sees the rows of the test's open transaction.
    """
    server = WSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.set_app(WSGIHandler())
    try:
        with connection_kept(), socket.create_connection(server.server_address, timeout=10) as client:
            client.sendall(raw)
            client.shutdown(socket.SHUT_WR)
            server.handle_request()
            return read_response(client, raw.split(maxsplit=1)[0].decode())
    finally:
        server.server_close()


@contextmanager
def connection_kept() -> Iterator[None]:
    """Keep the database connection: Django closes it after a request, and with it the test's transaction."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    try:
        yield
    finally:
        request_started.connect(close_old_connections)
        request_finished.connect(close_old_connections)


def read_response(client: socket.socket, method: str = "POST") -> tuple[int, dict[str, str], Any]:
    """Read a response: status, headers with lower-case names, and JSON, decompressed if necessary."""
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
    """Return the bytes of a request. An empty content type sends no such header."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [f"Content-Type: {content_type}"] if content_type else []
    lines += [f"Content-Length: {len(body)}"] if body or method == "POST" else []
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
