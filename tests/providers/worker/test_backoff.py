"""Waiting times after failures."""

from __future__ import annotations

from datetime import timedelta

from providers.worker.backoff import Doubling, Steps


def test_wait_doubles_up_to_the_last_and_never_ends() -> None:
    waits = Doubling(first=10, last=60)
    assert [waits.delay(failures).total_seconds() for failures in (1, 2, 3, 4, 5, 5000)] == [10, 20, 40, 60, 60, 60]


def test_steps_end_after_the_last() -> None:
    waits = Steps((30, 120))
    assert [waits.delay(failures) for failures in (1, 2, 3)] == [timedelta(seconds=30), timedelta(seconds=120), None]


def test_jitter_only_adds() -> None:
    waits = Steps((100,), jitter=0.2)
    seconds = [delay.total_seconds() for _ in range(200) if (delay := waits.delay(1))]
    assert 100 <= min(seconds) < max(seconds) <= 120
    assert len(set(seconds)) > 100
