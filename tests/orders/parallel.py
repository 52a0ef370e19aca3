"""Concurrent calls in real threads, each with a database connection, started at the same moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import OperationalError, connection


def together(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """Return what each call returned or raised, in the order of the calls."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            _connect()
            barrier.wait(60)
            return act()
        except Exception as problem:
            return problem
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def _connect() -> None:
    """Connect before the start, so that the calls overlap; retry while the server has no free connection."""
    for _ in range(100):
        try:
            return connection.ensure_connection()
        except OperationalError:
            time.sleep(0.2)
    raise TimeoutError("no connection to the database was free")
