"""Answers have a Content-Length, because simple clients otherwise read until the server closes the connection."""

from __future__ import annotations

import json
import socket

import pytest

from tests.clients.stage import Stage
from tests.clients.test_replicas import post_request

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("action", ["balance", "services", "nothing"])
def test_a_client_that_reads_to_the_end_gets_only_the_json(stage: Stage, action: str) -> None:
    """PHP's fsockopen and its like split the head off and decode the rest; in chunks it would be no JSON."""
    with socket.create_connection(("127.0.0.1", stage.port), timeout=30) as client:
        client.sendall(post_request([("key", stage.key), ("action", action)]))
        head, _, body = b"".join(iter(lambda: client.recv(65536), b"")).partition(b"\r\n\r\n")
    assert f"\r\ncontent-length: {len(body)}".encode() in head.lower()
    json.loads(body)
