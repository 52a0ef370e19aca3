"""A Redis server for tests: TEST_REDIS_URL, the one on this machine, or one that is started for the run."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis

LOCAL = "redis://127.0.0.1:6379/0"


def _answers(url: str) -> bool:
    try:
        return bool(redis.from_url(url, socket_timeout=2).ping())
    except redis.RedisError:
        return False


@contextmanager
def redis_url() -> Iterator[str]:
    """Yield the address of a Redis server; the caller uses unique keys and removes them."""
    url = os.environ.get("TEST_REDIS_URL", LOCAL)
    if _answers(url):
        yield url
        return
    command = shutil.which("redis-server")
    assert command, "The tests need Redis: install redis-server, or set TEST_REDIS_URL."
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    url = f"redis://127.0.0.1:{port}/0"
    server = subprocess.Popen([command, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
    try:
        end = time.monotonic() + 10
        while not _answers(url):
            assert time.monotonic() < end, "Redis did not start"
            time.sleep(0.05)
        yield url
    finally:
        server.terminate()
        server.wait(10)
