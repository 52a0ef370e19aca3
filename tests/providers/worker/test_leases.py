"""Leases: their length, on whose clock, and the last moment for a first byte."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from providers.panels.dialects import DIALECTS
from providers.transport import conversation
from providers.worker import leases
from providers.worker.leases import Lease, database_now

pytestmark = pytest.mark.django_db


def test_database_time_has_a_time_zone_and_fractions_of_a_second() -> None:
    times = [database_now() for _ in range(20)]
    assert all(abs(value - timezone.now()) < timedelta(seconds=5) for value in times)
    assert any(value.microsecond for value in times)
    assert times == sorted(times)


def test_database_time_moves_on_within_a_transaction(transactional_db: None) -> None:
    """PostgreSQL's NOW() is the start of the transaction: a lease would begin in the past."""
    first = database_now()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_sleep(0.02)")
        else:
            while database_now() <= first:
                pass
    assert database_now() > first


def test_lease_ends_by_the_clock_of_the_database() -> None:
    for local_clock in ("2001-01-01", "2101-01-01"):
        before = database_now()
        with time_machine.travel(local_clock):
            lease = Lease.begin(longest_call=10, grace=5)
        assert before + timedelta(seconds=15) <= lease.until <= database_now() + timedelta(seconds=15)


def test_call_that_begins_in_time_ends_within_the_lease() -> None:
    lease = Lease.begin(longest_call=10, grace=5)
    left = (lease.until - database_now()).total_seconds()
    assert 4 < lease.send_by.remaining <= 5
    assert lease.send_by.remaining + 10 <= left + 0.05


def test_slow_claim_shortens_the_time_to_send_not_the_lease_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process stopped while it claims: the time to send is counted from before."""

    def after_a_stop() -> datetime:
        monkeypatch.setattr("providers.worker.clock.boottime", lambda: started + 100)
        return now

    started, now = leases.Deadline.after(0).at, database_now()
    monkeypatch.setattr(leases, "database_now", after_a_stop)
    assert Lease.begin(longest_call=10, grace=30).send_by.has_passed


def test_grace_is_a_setting(settings: Any) -> None:
    settings.LEASE_GRACE = 7.0
    assert 6 < Lease.begin(longest_call=10).send_by.remaining <= 7


def test_call_that_does_something_needs_the_lease_of_its_claim() -> None:
    """Forgotten once, it would be sent whenever the process goes on."""
    call = DIALECTS["v2"].call("cancel", "http://127.0.0.1:1/", "k", orders="1")
    with pytest.raises(ValueError, match="lease"):
        conversation.exchange(call)
