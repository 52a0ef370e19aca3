"""The watchdog of the task cluster: starts `qcluster`, and replaces it when it ends or stops finishing tasks.

django-q2 can stop without a message: an idle worker or the monitor that is killed with SIGKILL keeps the lock of a
shared queue, new processes start, and nothing runs any more. So only finished tasks prove that the cluster is alive.
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

TICK = "providers.tasks.tick"  # looks for due work; the watchdog only queues it, so it is not imported
TASK_LIMIT: int = Conf.TIMEOUT or 60  # seconds a task may run
BOOT_GRACE = 30  # additional seconds until the first beat, because a loaded machine starts slowly
STOP_PATIENCE = TASK_LIMIT + 15  # seconds a stop waits for the tasks in progress
BEAT_FILE, WATCHDOG_PID = "VITRINE_BEAT_FILE", "VITRINE_WATCHDOG_PID"  # passed to the cluster in its environment
WORK_IS_SAFE = "No order is lost or placed twice: the order table is the queue, and the next tick finds what is due."
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # bound before any fork


def _prctl(option: int, value: int) -> None:
    """Let the kernel end orphaned processes. Only on Linux; elsewhere orphans may go on, which claims make harmless."""
    if _LIBC is not None:
        _LIBC.prctl(option, ctypes.c_ulong(value), 0, 0, 0)


def report_beats() -> None:
    """In a cluster under a watchdog, beat after every finished task, and end with the parent and the watchdog.

    Without a watchdog it does nothing. No file of process ids is needed for the next start: the kernel signals the
    main process when the watchdog dies, and kills what the main process or the sentinel forked when one of them dies.
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
    # The monitor sends this signal when a task was saved and acknowledged, so pusher, worker and monitor all work.
    post_execute.connect(partial(_beat, beat), weak=False, dispatch_uid="providers.worker.watchdog")


def _watchdog_died(number: int, frame: object) -> None:
    """Stop the main process gracefully, or by an alarm if that hangs."""
    signal.alarm(STOP_PATIENCE)
    os.kill(os.getpid(), signal.SIGTERM)


def _beat(path: str, **_: Any) -> None:
    """Set the file's modification time. Errors are ignored, because one would end the monitor."""
    with suppress(OSError):
        Path(path).touch()


class Watchdog:
    """Runs one cluster at a time.

    Args:
        prepare: Called before the first tick of each cluster.
        tick: Seconds between two ticks.
        silence: Seconds without a finished task after which the cluster is replaced.
    """

    def __init__(self, *, tick: float, silence: float, prepare: Callable[[], None]) -> None:
        self.tick, self.silence, self.prepare = tick, silence, prepare
        # The host is part of the name, because containers that share var/ have the same process ids.
        self.beat = Path(settings.VAR_DIR) / f"worker-{socket.gethostname()}-{os.getpid()}.beat"
        self.broker = get_broker()
        self.child: subprocess.Popen[bytes] | None = None
        self.is_stopping = self.is_cut_off = False

    def run(self) -> None:
        """Run until SIGTERM or SIGINT; no process of the cluster is left behind, whatever ends it."""
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)  # orphans of the cluster become our children, so that we can reap them
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
            raise SystemExit(128 + number)  # leaving run() kills the cluster at once
        self.is_stopping = True

    def _start(self) -> subprocess.Popen[bytes]:
        self.beat.parent.mkdir(parents=True, exist_ok=True)
        self.beat.unlink(missing_ok=True)
        self.last_beat, self.is_prepared = 0, False
        self.waiting_since: float | None = None
        # A new session: Ctrl-C in a terminal reaches only this process, and one killpg reaches the whole cluster.
        self.child = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"],
            env={**os.environ, BEAT_FILE: str(self.beat), WATCHDOG_PID: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        logger.info("The task cluster starts (pid %d).", self.child.pid)
        return self.child

    def _watch(self, child: subprocess.Popen[bytes]) -> str | None:
        """Send ticks; return why the cluster has to be replaced, or None when a stop was requested."""
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
        """Return the seconds for which work has waited and nothing was finished.

        Beats are compared for equality, not by their time, because clocks may be set.
        """
        with suppress(FileNotFoundError):  # no task has finished yet
            beat = self.beat.stat()
            if beat.st_mtime_ns != self.last_beat:
                self.last_beat, self.waiting_since = beat.st_mtime_ns, None
        return 0.0 if self.waiting_since is None else time.monotonic() - self.waiting_since

    def _send_tick(self) -> None:
        """Queue a tick unless one is waiting, so that they do not pile up while the cluster does nothing."""
        try:
            if not self.is_prepared:
                self.prepare()
                self.is_prepared = True
            enqueue_once(TICK, broker=self.broker)
            # A finished tick beats too, but it may wait behind long tasks, which is no reason for an alarm.
            if self.last_beat and self._silent_for() < heartbeat.LIMIT.total_seconds():
                heartbeat.beat()
        except Exception as error:  # an outage of the database or broker must not end the watchdog
            connections.close_all()
            if not self.is_cut_off:  # log it once, not with every tick
                logger.error("The queue cannot be reached, trying again: %s", str(error).strip())
            self.is_cut_off = True
            return  # without its queue, the cluster cannot be expected to finish anything
        self.waiting_since = self.waiting_since or time.monotonic()
        if self.is_cut_off:
            logger.info("The queue can be reached again.")
        self.is_cut_off = False

    def _pause(self, seconds: float) -> None:
        """Sleep until the time is over, a stop is requested, or the cluster ends."""
        until = time.monotonic() + seconds
        while not self.is_stopping and time.monotonic() < until and (not self.child or self.child.poll() is None):
            time.sleep(0.1)

    def _stop(self, child: subprocess.Popen[bytes]) -> None:
        """Let the cluster finish what it has taken from the queue."""
        logger.info("Stopping: tasks in progress have up to %d s. A second signal kills them.", STOP_PATIENCE)
        # Only to the main process: SIGTERM to the group would end workers during a task, and the main process would
        # wait for them forever.
        child.terminate()
        try:
            child.wait(STOP_PATIENCE)
            logger.info("Stopped.")
        except subprocess.TimeoutExpired:
            logger.warning("The task cluster did not stop in time and is killed. %s", WORK_IS_SAFE)

    def _kill(self) -> None:
        """Send SIGKILL to the whole group until no process of it is left."""
        child, self.child, until = self.child, None, time.monotonic() + 5
        with suppress(ProcessLookupError, PermissionError):  # no process left, or on macOS only zombies
            while child and time.monotonic() < until:
                os.killpg(child.pid, signal.SIGKILL)
                child.poll()
                with suppress(ChildProcessError):
                    os.waitpid(-child.pid, os.WNOHANG)
                time.sleep(0.02)
