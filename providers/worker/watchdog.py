"""The watchdog over the task cluster: starts `qcluster`, keeps it ticking, replaces it when it ends or falls silent.

django-q2 can stop without a word: an idle worker or the monitor killed by -9 takes the lock of a shared queue with it,
new processes come up, nothing runs any more. So only finished tasks count as life. Nothing here knows what a task does.
"""

from __future__ import annotations

import ctypes
import logging
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.signals import post_execute

from providers.worker import heartbeat
from providers.worker.queue import enqueue_once

logger = logging.getLogger("vitrine.worker")

TICK = "providers.tasks.tick"  # looks for due work; named, not imported: the watchdog only puts it in the queue
TASK_LIMIT: int = Conf.TIMEOUT or 60  # seconds a task may run
BOOT_GRACE = 30  # seconds more until the first beat: a loaded machine is slow to start
STOP_PATIENCE = TASK_LIMIT + 15  # seconds a stop waits for the tasks in progress
BEAT_FILE, WATCHDOG_PID = "VITRINE_BEAT_FILE", "VITRINE_WATCHDOG_PID"  # what the cluster learns by its environment
WORK_IS_SAFE = "No order is lost or placed twice: the order table is the queue, and the next tick finds what is due."
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # bound before any fork


def _prctl(option: int, value: int) -> None:
    """The kernel cleans up behind a death. Elsewhere than on Linux orphans may work on: claims make that harmless."""
    if _LIBC is not None:
        _LIBC.prctl(option, ctypes.c_ulong(value), 0, 0, 0)


def report_beats() -> None:
    """In a cluster under a watchdog: beat after every finished task, and outlive neither parent nor watchdog.

    Without a watchdog it does nothing. The next start needs no file of pids to kill: the kernel tells the main process
    when the watchdog dies, and kills all that the main process or the sentinel had forked when one of those dies.
    """
    beat, watchdog = os.environ.pop(BEAT_FILE, ""), os.environ.pop(WATCHDOG_PID, "")
    if not beat:
        return
    signal.signal(signal.SIGUSR1, _watchdog_died)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGUSR1)
    if os.getppid() != int(watchdog):
        sys.exit("The watchdog ended while the task cluster was starting.")
    os.register_at_fork(after_in_child=partial(_prctl, _PR_SET_PDEATHSIG, signal.SIGKILL))
    # Clusters that look into one queue in step would leave every task to the same one; the other would seem silent.
    Conf.POLL *= random.uniform(0.8, 1.2)  # noqa: S311
    # Sent by the monitor once a task was saved and acknowledged: pusher, worker and monitor have all done their part.
    post_execute.connect(partial(_beat, beat), weak=False, dispatch_uid="providers.worker.watchdog")


def _watchdog_died(number: int, frame: object) -> None:
    """In the main process: stop gracefully, and end by the alarm if that hangs."""
    signal.alarm(STOP_PATIENCE)
    os.kill(os.getpid(), signal.SIGTERM)


def _beat(path: str, **_: Any) -> None:
    """Set the file's modification time. An error here would end the monitor."""
    with suppress(OSError):
        Path(path).touch()


class Watchdog:
    """One cluster at a time. ``prepare`` is called before the first tick of each; ``tick``, ``silence`` in seconds."""

    def __init__(self, *, tick: float, silence: float, prepare: Callable[[], None]) -> None:
        self.tick, self.silence, self.prepare = tick, silence, prepare
        # The host is part of the name: containers share var/ and count their pids alike.
        self.beat = Path(settings.VAR_DIR) / f"worker-{socket.gethostname()}-{os.getpid()}.beat"
        self.broker = get_broker()
        self.child: subprocess.Popen[bytes] | None = None
        self.is_stopping = self.is_cut_off = False

    def run(self) -> None:
        """Until SIGTERM or SIGINT; whatever ends it, no process of the cluster is left behind."""
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)  # orphans of the cluster become ours, to be reaped
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        delay = 0
        try:
            while not self.is_stopping:
                child, started = self._start(), time.monotonic()
                ending = self._watch(child)
                if ending is None:
                    return self._stop(child)
                self._kill()
                delay = 1 if time.monotonic() - started > self.silence else min(max(2 * delay, 1), 30)
                logger.error("%s Killed what was left of it; starts again in %d s. %s", ending, delay, WORK_IS_SAFE)
                self._pause(delay)
        finally:
            self._kill()
            self.beat.unlink(missing_ok=True)

    def _on_signal(self, number: int, frame: object) -> None:
        if self.is_stopping:
            raise SystemExit(128 + number)  # the way out kills the cluster at once
        self.is_stopping = True

    def _start(self) -> subprocess.Popen[bytes]:
        self.beat.parent.mkdir(parents=True, exist_ok=True)
        self.beat.unlink(missing_ok=True)
        self.last_beat, self.is_prepared = 0, False
        self.waiting_since: float | None = None
        # A session of its own: Ctrl-C in a terminal reaches only us, and one killpg reaches all of the cluster.
        self.child = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"],
            env={**os.environ, BEAT_FILE: str(self.beat), WATCHDOG_PID: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        logger.info("The task cluster starts (pid %d).", self.child.pid)
        return self.child

    def _watch(self, child: subprocess.Popen[bytes]) -> str | None:
        """Keep the cluster ticking. Returns why it has to be replaced, or None when a stop was asked for."""
        while not self.is_stopping:
            self._send_tick()
            self._pause(self.tick * random.uniform(0.8, 1.2))  # noqa: S311 (for the same reason as the poll)
            if child.poll() is not None:
                return f"The task cluster (pid {child.pid}) ended by itself (exit code {child.returncode})."
            silent = self._silent_for()
            if silent > self.silence + (0 if self.last_beat else BOOT_GRACE):
                return f"The task cluster (pid {child.pid}) finished nothing for {silent:.0f} s while work was waiting."
        return None

    def _silent_for(self) -> float:
        """Seconds for which work waits and nothing was finished. Beats are told apart, not timed: clocks jump."""
        with suppress(FileNotFoundError):  # nothing finished so far
            beat = self.beat.stat()
            if beat.st_mtime_ns != self.last_beat:
                self.last_beat, self.waiting_since = beat.st_mtime_ns, None
        return 0.0 if self.waiting_since is None else time.monotonic() - self.waiting_since

    def _send_tick(self) -> None:
        """Put a tick into the queue unless one is waiting there: they must not pile up while the cluster stands."""
        try:
            if not self.is_prepared:
                self.prepare()
                self.is_prepared = True
            enqueue_once(TICK, broker=self.broker)
            # A finished tick says so, too, but it may wait behind long tasks: that is no reason for an alarm.
            if self.last_beat and self._silent_for() < heartbeat.LIMIT.total_seconds():
                heartbeat.beat()
        except Exception as error:  # whatever the database or broker raises, its outage must not end the watchdog
            connections.close_all()
            if not self.is_cut_off:  # once, not with every tick
                logger.error("The queue cannot be reached, trying again: %s", str(error).strip())
            self.is_cut_off = True
            return  # and no clock starts: without its queue the cluster is not expected to finish anything
        self.waiting_since = self.waiting_since or time.monotonic()
        if self.is_cut_off:
            logger.info("The queue can be reached again.")
        self.is_cut_off = False

    def _pause(self, seconds: float) -> None:
        """Sleep, unless a stop is asked for or the cluster ends."""
        until = time.monotonic() + seconds
        while not self.is_stopping and time.monotonic() < until and (not self.child or self.child.poll() is None):
            time.sleep(0.1)

    def _stop(self, child: subprocess.Popen[bytes]) -> None:
        """Let the cluster finish what it has taken from the queue."""
        logger.info("Stopping: tasks in progress have up to %d s. A second signal kills them.", STOP_PATIENCE)
        # The main process only: SIGTERM to the group would end workers in mid-task, and main waits for them for ever.
        child.terminate()
        try:
            child.wait(STOP_PATIENCE)
            logger.info("Stopped.")
        except subprocess.TimeoutExpired:
            logger.warning("The task cluster did not stop in time and is killed. %s", WORK_IS_SAFE)

    def _kill(self) -> None:
        """SIGKILL to the whole group, until nothing of it is left."""
        child, self.child, until = self.child, None, time.monotonic() + 5
        with suppress(ProcessLookupError, PermissionError):  # nobody left; on macOS: only zombies left
            while child and time.monotonic() < until:
                os.killpg(child.pid, signal.SIGKILL)
                child.poll()
                with suppress(ChildProcessError):
                    os.waitpid(-child.pid, os.WNOHANG)
                time.sleep(0.02)
