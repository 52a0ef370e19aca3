"""Start programs as child processes, watch them and end every one.

It uses the standard library only, without Django.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import http.client
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Self

# Environment variable of every child, which its own children inherit. It finds those that have changed their session.
MARK = "VITRINE_RUN"
PR_SET_PDEATHSIG = 1
KILL_ROUNDS = 100
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Program:
    """A child process. ``name`` also names its log; ``is_ready`` gets its pid and returns whether it answers."""

    name: str
    process: subprocess.Popen[bytes]
    is_ready: Callable[[int], bool]


class ProgramFailed(Exception):
    """A program ended by itself or did not answer in time. The text is for the person at the terminal."""


def die_with_parent(parent: int) -> None:
    """Ask the kernel to end this process with SIGTERM when its parent dies. Runs between fork and exec.

    A supervisor that is killed with SIGKILL cannot stop anything; without this its children would run on and hold their
    ports. Only Linux supports it. A parent that died before the request is detected by its changed id.
    """
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)


def answers(host: str, port: int, path: str = "/") -> bool:
    """Return whether a web server answers there with anything but a server error."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class Supervisor:
    """Context manager that ends every program started inside it, however the block is left.

    Children run in their own sessions, so Ctrl-C at the terminal reaches only the supervisor, which controls the order:
    SIGTERM to each main process alone (a task cluster hangs if its whole group gets the signal; each main process ends
    its own helpers), then, after ``grace`` seconds or a second Ctrl-C, SIGKILL to everything that is left.
    """

    def __init__(
        self, *, logs: Path, cwd: Path, environ: Mapping[str, str], say: Callable[[str], Any], grace: float = 10
    ) -> None:
        self.logs = logs
        self.cwd = cwd
        self.say = say
        self.grace = grace
        self.run_id = uuid.uuid4().hex
        self.environ = {**environ, MARK: self.run_id}
        self.programs: list[Program] = []
        self.interrupts = 0
        self.previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Under nohup, SIGHUP stays ignored.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self.previous[number] = signal.signal(number, self._interrupted)
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self.stop()
        finally:
            for number, handler in self.previous.items():
                signal.signal(number, handler)

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        self.interrupts += 1

    @property
    def is_stopping(self) -> bool:
        return self.interrupts > 0

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def start(self, name: str, argv: Sequence[str], is_ready: Callable[[int], bool]) -> None:
        with self.log(name).open("wb") as log:
            process = subprocess.Popen(
                argv,
                cwd=self.cwd,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=functools.partial(die_with_parent, os.getpid()),
            )
        self.programs.append(Program(name, process, is_ready))

    def wait_until_ready(self, limit: float) -> None:
        """Wait until all programs answer or a stop is requested.

        Raises:
            ProgramFailed: A program ended, or ``limit`` seconds have passed.
        """
        deadline = time.monotonic() + limit
        waiting = list(self.programs)
        while waiting and not self.is_stopping:
            self._check_alive()
            waiting = [program for program in waiting if not program.is_ready(program.process.pid)]
            if waiting and time.monotonic() > deadline:
                raise ProgramFailed(self._report(waiting[0], f"did not answer within {limit:.0f} seconds"))
            time.sleep(0.25)

    def watch(self) -> None:
        """Wait until a stop is requested.

        Raises:
            ProgramFailed: A program ended by itself.
        """
        while not self.is_stopping:
            self._check_alive()
            time.sleep(0.2)

    def stop(self) -> None:
        """End every program and everything it started."""
        if not self.programs:
            return
        self.say("Stopping ...")
        before = self.interrupts
        for program in self.programs:
            if program.process.poll() is None:
                program.process.terminate()
            else:
                # The main process is dead, so nobody else ends its helpers.
                _kill_group(program.process.pid)
        deadline = time.monotonic() + self.grace
        while self._remaining() and time.monotonic() < deadline and self.interrupts <= before:
            time.sleep(0.1)
        for program in self.programs:
            _kill_group(program.process.pid)
        # A helper may have started another one since the last check, so repeat until none is left.
        for _ in range(KILL_ROUNDS):
            if not (left := self._remaining()):
                break
            for pid in left:
                _kill(pid)
            time.sleep(0.05)
        left = self._remaining()
        self.say(f"These processes could not be ended: {sorted(left)}" if left else "Stopped.")
        self.programs.clear()

    def _remaining(self) -> set[int]:
        alive = {program.process.pid for program in self.programs if program.process.poll() is None}
        return alive | set(marked(self.run_id))

    def _check_alive(self) -> None:
        for program in self.programs:
            code = program.process.poll()
            if code is not None and not self.is_stopping:
                raise ProgramFailed(self._report(program, f"exited unexpectedly (exit code {code})"))

    def _report(self, program: Program, what: str) -> str:
        log = self.log(program.name)
        lines = log.read_text(errors="replace").splitlines()[-15:]
        return "\n".join([f"{program.name} {what}. Last lines of {log}:", *(f"  {line}" for line in lines)])


def marked(run_id: str) -> list[int]:
    """Return the running processes of one run, by the variable they inherited; none on systems without /proc."""
    needle = f"{MARK}={run_id}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if needle in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:  # it ended in the meantime, or belongs to another user
            continue
    return found


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _kill_group(pgid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pgid, signal.SIGKILL)
