"""The clock that keeps running while a process is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import time_machine

from providers.worker import clock
from providers.worker.clock import Deadline


def test_deadline_passes_and_counts_down() -> None:
    deadline = Deadline.after(0.05)
    assert 0 < deadline.remaining <= 0.05
    assert not deadline.has_passed
    time.sleep(0.06)
    assert deadline.has_passed
    assert deadline.remaining < 0


def test_deadline_does_not_follow_the_wall_clock() -> None:
    deadline = Deadline.after(60)
    with time_machine.travel("2001-01-01"):
        assert not deadline.has_passed
    with time_machine.travel("2101-01-01"):
        assert not deadline.has_passed


def test_clock_counts_the_sleep_of_the_machine() -> None:
    """CLOCK_MONOTONIC does so on macOS, which has no CLOCK_BOOTTIME, but not on Linux."""
    assert getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC) == clock._CLOCK


def test_deadline_passes_while_the_process_is_stopped() -> None:
    program = (
        "import sys; from providers.worker.clock import Deadline\n"
        "deadline = Deadline.after(0.5); print('ready', flush=True)\n"
        "sys.stdin.readline(); print(deadline.has_passed, flush=True)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=os.getcwd()
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.6)
    process.send_signal(signal.SIGCONT)
    assert process.communicate("\n", timeout=20)[0] == "True\n"
