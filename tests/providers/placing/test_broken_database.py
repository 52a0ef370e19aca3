"""The database goes away during a pass: the answers of the panel are still recorded."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection, connections

from orders.ledger import audit
from orders.models import Order, Service
from providers.models import Placement, Provider
from providers.panels.simulators import Panel
from providers.placing import submission
from tests.providers.conftest import buy, customer, provider_at

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def panel(start_panel: Callable[..., Panel]) -> Panel:
    panel = start_panel("v2", latency=0.05)
    provider_at(panel, "v2")
    buyer, service = customer(), Service.objects.filter(service_type="default")[0]
    for number in range(60):
        buy(buyer, service, link=f"https://x.example.com/p/{number}", quantity=str(100 + number))
    return panel


@contextmanager
def repeating(act: Callable[[], object], every: float, times: int = 6) -> Iterator[None]:
    """Do ``act`` some times in another thread while the block runs."""
    is_over = threading.Event()

    def run() -> None:
        for _ in range(times):
            if is_over.wait(every):
                return
            act()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def cut_connections() -> Callable[[], object]:
    """Close all our connections, as a restart of PostgreSQL, a failover or a firewall does."""
    settings = connections["default"].get_connection_params()
    own = {name: settings[name] for name in ("host", "port", "user", "password") if settings.get(name)}
    name = settings["dbname"]
    admin = psycopg.connect(dbname="postgres", autocommit=True, **own)

    def cut() -> None:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            [name],
        )

    return cut


def lock_file(seconds: float) -> Callable[[], object]:
    """Another program holds SQLite's write lock for longer than we wait for it."""
    path = str(connections["default"].settings_dict["NAME"])

    def lock() -> None:
        with closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)
            other.execute("ROLLBACK")

    return lock


@pytest.fixture
def short_wait(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """SQLite's patience with a locked file, a tenth of a second instead of twenty."""
    if connection.vendor == "sqlite":
        connection.close()
        with monkeypatch.context() as patch:
            patch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.1)
            yield
        connection.close()
    else:
        yield


@pytest.mark.usefixtures("short_wait")
def test_every_answer_is_recorded_although_the_database_goes_away(panel: Panel) -> None:
    is_postgres = connection.vendor == "postgresql"
    provider = Provider.objects.get()
    with repeating(cut_connections(), 0.15) if is_postgres else repeating(lock_file(0.6), 0.3):
        counts = submission.submit_due(provider, is_now=True)
    connection.close()
    assert counts == {"accepted": 60}
    assert Order.objects.filter(status="pending").count() == 60
    assert sorted(Placement.objects.values_list("upstream_id", flat=True)) == sorted(panel.orders)
    assert len({order.params["link"] for order in panel.orders.values()}) == len(panel.orders) == 60
    assert list(audit.findings()) == []


def test_an_answer_that_is_not_recorded_within_the_lease_is_logged(
    panel: Panel, monkeypatch: pytest.MonkeyPatch, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def unreachable(*args: object) -> None:
        raise submission.UNREACHABLE[0]("the database is gone")

    monkeypatch.setattr(submission, "_lease_seconds", lambda: 0.5)
    monkeypatch.setattr(submission.recording, "record_accepted", unreachable)
    with pytest.raises(submission.UNREACHABLE):
        submission.submit_due(Provider.objects.get())
    assert 1 <= len(panel.orders) <= 3, "nothing more is claimed while an answer is not recorded"
    assert all(f"was not recorded: accepted as {number}" in caplog.text for number in panel.orders)
    states = set(Placement.objects.values_list("state", flat=True))
    assert states == {"submitting"}, "they count as unknown when their lease is over"
