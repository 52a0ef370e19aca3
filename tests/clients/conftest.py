"""Fixtures: the shop behind a real web server, and a customer with an API key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.stage import Stage, set_up
from tests.processes import web


@pytest.fixture(scope="session")
def server(django_db_setup: Any) -> Iterator[tuple[int, Path]]:
    """One gunicorn for all tests of this folder: it asks the database what there is, as any of its processes must."""
    with web(API_CALLS_PER_MINUTE="0", API_ADDRESS_CALLS_PER_MINUTE="0", LOG_LEVEL="ERROR") as (port, log):
        yield port, log
    # What clients send is never our fault; and if it were, nobody would see it in the answers alone.
    assert "Traceback" not in log.read_text(), log.read_text()[-5000:]


@pytest.fixture
def stage(transactional_db: None, server: tuple[int, Path]) -> Stage:
    """A price list, two customers, and orders of theirs in every state."""
    return set_up(server[0])


@pytest.fixture
def log_of_the_server(server: tuple[int, Path]) -> Callable[[], str]:
    return server[1].read_text
