"""Turns: one process at a time, on the database's clock, and the loss of a turn is noticed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import time_machine
from django.db import connection, transaction

from providers.worker import turns
from providers.worker.clock import Deadline
from providers.worker.leases import database_now
from providers.worker.models import Turn

pytestmark = pytest.mark.django_db(transaction=True)


def end_by_clock(name: str) -> None:
    """Let the turn expire."""
    Turn.objects.filter(name=name).update(until=database_now() - timedelta(seconds=1))


def test_turn_has_one_holder_until_it_is_given_back() -> None:
    held = turns.take("submit:1", seconds=60)
    assert held
    assert turns.is_taken("submit:1")
    assert turns.take("submit:1", seconds=60) is None
    assert turns.take("submit:2", seconds=60), "another name is another turn"
    held.end()
    assert not turns.is_taken("submit:1")
    assert turns.take("submit:1", seconds=60)


def test_turn_of_a_dead_process_ends_by_itself() -> None:
    assert turns.take("mail", seconds=60)
    end_by_clock("mail")
    assert not turns.is_taken("mail")
    assert turns.take("mail", seconds=60)


def test_process_that_lost_its_turn_notices_and_ends_nobody_elses() -> None:
    first = turns.take("mail", seconds=60)
    end_by_clock("mail")
    second = turns.take("mail", seconds=60)
    assert first
    assert second
    assert not first.keep()
    first.end()
    assert turns.is_taken("mail")
    assert second.keep()


def test_turn_that_ran_out_unnoticed_can_be_kept() -> None:
    held = turns.take("mail", seconds=60)
    end_by_clock("mail")
    assert held
    assert held.keep()
    assert turns.take("mail", seconds=60) is None


def test_keep_extends_the_turn() -> None:
    held = turns.take("mail", seconds=60)
    Turn.objects.update(until=database_now() + timedelta(seconds=1))
    assert held
    assert held.keep()
    assert Turn.objects.get().until > database_now() + timedelta(seconds=58)


def test_calls_of_a_turn_end_with_it() -> None:
    held = turns.take("sync:1", seconds=60)
    assert held
    assert 29 < held.send_by(longest_call=30).remaining <= 30
    held.ends = Deadline.after(0)
    assert held.keep()
    assert 29 < held.send_by(longest_call=30).remaining <= 30


@pytest.mark.parametrize("skew", [-120, 120])
def test_clock_of_the_machine_does_not_matter(skew: int) -> None:
    """Two minutes of difference between two machines gave both of them a turn of 80 seconds."""
    held = turns.take("submit:1", seconds=80)
    assert held
    with time_machine.travel(database_now() + timedelta(seconds=skew)):
        assert turns.is_taken("submit:1")
        assert turns.take("submit:1", seconds=80) is None
        other = turns.take("submit:2", seconds=80)
    assert other
    assert turns.take("submit:2", seconds=80) is None
    assert abs(Turn.objects.get(name="submit:2").until - database_now() - timedelta(seconds=80)) < timedelta(seconds=5)
    assert held.keep()


def test_turn_written_by_a_wrong_clock_is_free() -> None:
    assert turns.take("mail", seconds=60)
    Turn.objects.update(until=database_now() + timedelta(seconds=turns.LONGEST + 60))
    assert turns.take("mail", seconds=60)
    with pytest.raises(ValueError, match="longer"):
        turns.take("mail", seconds=turns.LONGEST + 1)


@pytest.mark.parametrize("is_new", [True, False])
def test_of_many_processes_one_gets_the_turn(is_new: bool) -> None:
    if not is_new:
        assert turns.take("mail", seconds=60)
        end_by_clock("mail")
    together = Barrier(8)

    def take() -> bool:
        together.wait()
        try:
            return turns.take("mail", seconds=60) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        results = [future.result() for future in [pool.submit(take) for _ in range(8)]]
    assert sorted(results) == [False] * 7 + [True]


def test_turn_cannot_change_hands_while_its_holder_claims() -> None:
    """The claim is committed, or it sees that the turn is lost: nothing in between."""
    held = turns.take("mail", seconds=60)
    end_by_clock("mail")

    def take() -> bool:
        try:
            return turns.take("mail", seconds=60) is not None
        finally:
            connection.close()

    assert held
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert held.keep()
            other = pool.submit(take)
            with pytest.raises(TimeoutError):
                other.result(0.3)
        assert other.result(10) is False
