"""The counter cache: numbers that all processes of a machine share."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import time_machine

from storefront.web.counters import _SLOTS, CounterCache


@pytest.fixture
def counters(tmp_path: Path) -> CounterCache:
    return CounterCache(str(tmp_path / "counters"), {})


def test_numbers_are_kept_until_they_expire(counters: CounterCache) -> None:
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False) as clock:
        assert counters.get("a") is None
        assert counters.add("a", 5, 60)
        assert not counters.add("a", 9, 60)
        assert (counters.incr("a"), counters.incr("a", 4), counters.decr("a")) == (6, 10, 9)
        clock.shift(59)
        assert counters.get("a") == 9
        clock.shift(2)
        assert counters.get("a", "gone") == "gone"
        with pytest.raises(ValueError, match="not found"):
            counters.incr("a")
        counters.set("a", 1, None)
        assert counters.delete("a")
        assert not counters.delete("a")


def test_concurrent_threads_lose_no_count(counters: CounterCache) -> None:
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


def test_concurrent_processes_lose_no_count(tmp_path: Path, counters: CounterCache) -> None:
    counters.add("a", 0, 60)
    program = (
        "import sys, django; from django.conf import settings; settings.configure(); "
        "from storefront.web.counters import CounterCache; c = CounterCache(sys.argv[1], {}); "
        "[c.incr('a') for _ in range(2000)]"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "counters")]) for _ in range(3)]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    assert counters.get("a") == 6000


def test_a_full_table_drops_the_entry_that_expires_next(counters: CounterCache) -> None:
    assert counters.add("kept", 7, 86_400)
    for number in range(_SLOTS + 1000):
        counters.add(f"n{number}", 1, 60)
    assert counters.get("kept") == 7
    assert sum(counters.get(f"n{number}") is not None for number in range(0, _SLOTS, 97)) > 100


def test_a_forked_child_shares_counts_with_its_parent(tmp_path: Path, counters: CounterCache) -> None:
    program: Any = (
        "import os, sys; from django.conf import settings; settings.configure(); "
        "from storefront.web.counters import CounterCache; c = CounterCache(sys.argv[1], {}); c.add('b', 0, 60)\n"
        "pid = os.fork()\n"
        "for _ in range(2000): c.incr('b')\n"
        "if pid: os.waitpid(pid, 0)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "counters")], check=True, timeout=60)
    assert counters.get("b") == 4000


def test_a_deleted_replaced_or_truncated_file_is_used_again(tmp_path: Path) -> None:
    """Run in a separate process, because reading a truncated mapped file would kill it."""
    program = (
        "import os, sys; from pathlib import Path; from django.conf import settings; settings.configure(); "
        "from storefront.web.counters import CounterCache; path = Path(sys.argv[1]); c = CounterCache(str(path), {})\n"
        "def cut(): os.truncate(path, 0)\n"
        "def halve(): os.truncate(path, path.stat().st_size // 2 + 1)\n"
        "def delete(): path.unlink()\n"
        "def replace(): path.with_suffix('.new').touch(); path.with_suffix('.new').rename(path)\n"
        "for act in (cut, halve, delete, replace):\n"
        "    c.add('a', 0, 60); c.incr('a'); act()\n"
        "    c.set('a', 5, 60); assert c.incr('a') == 6, act\n"
        "    other = CounterCache(f'{path.parent}/./{path.name}', {}); assert other.get('a') == 6, act\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "counters")], capture_output=True, text=True, timeout=60
    )
    assert (found.returncode, found.stderr) == (0, "")


def test_a_full_disk_raises_oserror_and_keeps_the_process_alive(tmp_path: Path) -> None:
    program = (
        "import resource, sys; from django.conf import settings; settings.configure(); "
        "from storefront.web.counters import CounterCache; c = CounterCache(sys.argv[1], {})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "for _ in range(2):\n"
        "    try: c.add('a', 0, 60)\n"
        "    except OSError: print('told')\n"
        "assert c.get('a') is None\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "counters")], capture_output=True, text=True, timeout=60
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "told\ntold\n", "")
