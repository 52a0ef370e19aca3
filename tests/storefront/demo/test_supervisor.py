"""Nothing that the supervisor started outlives it, tested with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from storefront.demo.supervisor import ProgramFailed, Supervisor, marked

linux = pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc")

# Ignores SIGTERM, with one helper in its process group and one in a separate session.
STUBBORN = ["sh", "-c", "trap '' TERM; sleep 600 & setsid sleep 600 & while :; do sleep 1; done"]


def supervisor(folder: Path, *, grace: float = 0.5) -> Supervisor:
    return Supervisor(logs=folder / "log", cwd=folder, environ=os.environ, say=lambda text: None, grace=grace)


def becomes_true(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


@linux
def test_helpers_of_a_stubborn_program_end_with_the_block(tmp_path: Path) -> None:
    with supervisor(tmp_path) as running:
        running.start("stubborn", STUBBORN, lambda pid: len(marked(running.run_id)) >= 3)
        running.wait_until_ready(10)
    assert marked(running.run_id) == []


@linux
def test_helpers_of_a_program_that_died_end_with_the_block(tmp_path: Path) -> None:
    with supervisor(tmp_path) as running:
        running.start("brief", ["sh", "-c", "sleep 600 & setsid sleep 600 & sleep 0.2; exit 3"], lambda pid: True)
        with pytest.raises(ProgramFailed):
            running.watch()
    assert marked(running.run_id) == []


def test_a_program_that_dies_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    with supervisor(tmp_path) as running:
        running.start("web", ["sh", "-c", "echo no such table; exit 3"], lambda pid: False)
        with pytest.raises(ProgramFailed, match=r"web exited unexpectedly \(exit code 3\)(.|\n)*no such table"):
            running.wait_until_ready(10)


def test_a_program_that_does_not_answer_is_reported(tmp_path: Path) -> None:
    with supervisor(tmp_path) as running:
        running.start("web", ["sleep", "600"], lambda pid: False)
        with pytest.raises(ProgramFailed, match="web did not answer within 0 seconds"):
            running.wait_until_ready(0.1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_watch(tmp_path: Path, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with supervisor(tmp_path) as running:
        running.start("web", ["sleep", "600"], lambda pid: True)
        os.kill(os.getpid(), number)
        running.watch()
    assert signal.getsignal(number) == before


@linux
def test_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from storefront.demo.supervisor import Supervisor\n"
        "here = Path(sys.argv[1])\n"
        "with Supervisor(logs=here, cwd=here, environ=os.environ, say=print) as running:\n"
        "    running.start('web', ['sleep', '600'], lambda pid: True)\n"
        "    print(running.run_id, flush=True)\n"
        "    running.watch()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        run_id = killed.stdout.readline().strip()
        assert becomes_true(lambda: len(marked(run_id)) == 1)
        killed.kill()
    assert becomes_true(lambda: marked(run_id) == [])
