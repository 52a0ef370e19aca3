"""Numbers that all processes of a machine share."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import time_machine

from storefront.counters import _SLOTS, CounterCache


@pytest.fixture
def counters(tmp_path: Path) -> CounterCache:
    return CounterCache(str(tmp_path / "counters"), {})


def test_it_keeps_numbers_until_they_expire(counters: CounterCache) -> None:
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False) as clock:
        assert counters.get("a") is None
        assert counters.add("a", 5, 60)
        assert not counters.add("a", 9, 60)
        assert (counters.incr("a"), counters.incr("a", 4), counters.decr("a")) == (6, 10, 9)
        clock.shift(59)
        assert counters.get("a") == 9
        clock.shift(2)
        assert counters.get("a", "gone") == "gone"
        with pytest.raises(ValueError, match="no number"):
            counters.incr("a")
        counters.set("a", 1, None)
        assert counters.delete("a")
        assert not counters.delete("a")


def test_threads_lose_no_count(counters: CounterCache) -> None:
    counters.add("a", 0, 60)

    def count() -> None:
        for _ in range(500):
            counters.incr("a")

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters.get("a") == 4000


def test_processes_lose_no_count(tmp_path: Path, counters: CounterCache) -> None:
    counters.add("a", 0, 60)
    program = (
        "import sys, django; from django.conf import settings; settings.configure(); "
        "from storefront.counters import CounterCache; c = CounterCache(sys.argv[1], {}); "
        "[c.incr('a') for _ in range(2000)]"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "counters")]) for _ in range(3)]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    assert counters.get("a") == 6000


def test_a_full_table_forgets_what_would_have_gone_next(counters: CounterCache) -> None:
    assert counters.add("kept", 7, 86_400)
    for number in range(_SLOTS + 1000):
        counters.add(f"n{number}", 1, 60)
    assert counters.get("kept") == 7
    assert sum(counters.get(f"n{number}") is not None for number in range(0, _SLOTS, 97)) > 100


def test_a_child_of_a_fork_counts_with_its_parent(tmp_path: Path, counters: CounterCache) -> None:
    program: Any = (
        "import os, sys; from django.conf import settings; settings.configure(); "
        "from storefront.counters import CounterCache; c = CounterCache(sys.argv[1], {}); c.add('b', 0, 60)\n"
        "pid = os.fork()\n"
        "for _ in range(2000): c.incr('b')\n"
        "if pid: os.waitpid(pid, 0)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "counters")], check=True, timeout=60)
    assert counters.get("b") == 4000
