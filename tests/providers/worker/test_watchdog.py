"""`manage.py worker` with real processes on a separate database, and SIGKILL for each of them."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.processes import other_database

MANAGE = Path(__file__).resolve().parents[3] / "manage.py"
SILENCE = 4
# What a replacement takes beyond the silence: a tick, the pause before the restart, two starts on a busy machine.
SLACK = 10

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="watches processes through /proc")


def wait_for(what: Callable[[], Any], limit: float = 30) -> Any:
    until = time.monotonic() + limit
    while not (found := what()):
        assert time.monotonic() < until, f"waited {limit} s in vain"
        time.sleep(0.05)
    return found


# ------------------------------------------------------------------------------------------------ processes
def status_of(pid: int) -> tuple[str, int, int]:
    """State, parent and start time; a process that is gone is a Z, as one that waits to be reaped."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "Z", 0, 0
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[1]), int(fields[19])


def is_alive(pid: int) -> bool:
    return status_of(pid)[0] != "Z"


@dataclass(frozen=True)
class Cluster:
    """The pids of one task cluster; the sentinel starts its children in this order."""

    main: int
    sentinel: int
    workers: list[int]
    monitor: int
    pusher: int

    @property
    def pids(self) -> list[int]:
        return [self.main, self.sentinel, *self.workers, self.monitor, self.pusher]


@dataclass
class Shop:
    """A project with a database and a var/ of its own, which its processes carry in their environment."""

    var: Path
    url: str
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environ(self) -> dict[str, str]:
        ours = {"VAR_DIR": str(self.var), "DATABASE_URL": self.url, "REDIS_URL": "", "TASKS_SYNC": "false"}
        return {**os.environ, **ours, "WORKERS": "2", "TASKS_LOG_LEVEL": "INFO", "DEBUG": "true"}

    @property
    def log(self) -> str:
        return (self.var / "worker.log").read_text()

    def manage(self, *arguments: str) -> None:
        subprocess.run([sys.executable, str(MANAGE), *arguments], env=self.environ, check=True)

    def start(self) -> subprocess.Popen[bytes]:
        with (self.var / "worker.log").open("ab") as log:
            command = [sys.executable, str(MANAGE), "worker", "--tick", "0.5", "--silence", str(SILENCE)]
            worker = subprocess.Popen(command, env=self.environ, stdout=log, stderr=log, start_new_session=True)
        self.started.append(worker)
        return worker

    def processes(self) -> list[int]:
        mark = f"VAR_DIR={self.var}\0".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                found += [int(path.parent.name)] if mark in path.read_bytes() else []
            except OSError:  # gone meanwhile, or someone else's
                continue
        return [pid for pid in found if is_alive(pid)]

    def cluster_of(self, worker: subprocess.Popen[bytes]) -> Cluster | None:
        """Return the cluster under ``worker`` once it has finished a task; None while there is none."""
        assert worker.poll() is None, "the worker has ended"
        family = sorted(self.processes(), key=lambda pid: (status_of(pid)[2], pid))

        def children(parent: int) -> list[int]:
            return [pid for pid in family if status_of(pid)[1] == parent]

        match [(main, sentinel) for main in children(worker.pid) for sentinel in children(main)]:
            case [(main, sentinel)] if list(self.var.glob("*.beat")):
                match children(sentinel):
                    case [*workers, monitor, pusher] if len(workers) == 2:
                        return Cluster(main, sentinel, workers, monitor, pusher)
        return None

    def replaced(self, worker: subprocess.Popen[bytes], former: Cluster, limit: float) -> Cluster:
        """Return the next cluster, after it has finished a task."""

        def look() -> Cluster | None:
            cluster = self.cluster_of(worker)
            return cluster if cluster and cluster.main != former.main else None

        found: Cluster = wait_for(look, limit)
        return found

    def execute(self, sql: str) -> list[Any]:
        if self.url.startswith("sqlite"):
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"), timeout=20)) as lite, lite:
                return lite.execute(sql).fetchall()
        with psycopg.connect(self.url) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def has_succeeded(self, task: str) -> bool:
        return bool(self.execute(f"SELECT 1 FROM django_q_task WHERE func = '{task}' AND success"))


# ------------------------------------------------------------------------------------------------ fixtures
@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a database for these processes only."""
    with other_database(tmp_path_factory.mktemp("watchdog")) as url:
        yield url


@pytest.fixture
def shop(migrated: str, tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path, migrated)
    for table in ("django_q_ormq", "django_q_task", "django_q_schedule"):
        shop.execute(f"DELETE FROM {table}")
    yield shop
    for pid in shop.processes():
        os.kill(pid, signal.SIGKILL)
    for worker in shop.started:
        worker.wait()
    print(shop.log)  # pytest shows it when the test has failed


@pytest.fixture
def worker(shop: Shop) -> subprocess.Popen[bytes]:
    return shop.start()


@pytest.fixture
def cluster(shop: Shop, worker: subprocess.Popen[bytes]) -> Cluster:
    found: Cluster = wait_for(lambda: shop.cluster_of(worker))
    return found


# ------------------------------------------------------------------------------------------------ kill -9
@pytest.mark.prove
@pytest.mark.parametrize("victims", ["workers", "monitor"])
def test_a_cluster_that_falls_silent_is_replaced(
    shop: Shop, worker: subprocess.Popen[bytes], cluster: Cluster, victims: str
) -> None:
    # Killed while idle, they take the lock of a queue with them; those that come after them wait for it for ever.
    for pid in cluster.workers if victims == "workers" else [cluster.monitor]:
        os.kill(pid, signal.SIGKILL)
    shop.replaced(worker, cluster, SILENCE + SLACK)
    assert not [pid for pid in cluster.pids if is_alive(pid)]
    assert "finished nothing for" in shop.log
    assert worker.poll() is None


@pytest.mark.prove
@pytest.mark.parametrize("victim", ["main", "sentinel"])
def test_a_cluster_that_loses_its_main_process_is_replaced_whole(
    shop: Shop, worker: subprocess.Popen[bytes], cluster: Cluster, victim: str
) -> None:
    os.kill(getattr(cluster, victim), signal.SIGKILL)
    shop.replaced(worker, cluster, SLACK)
    assert not [pid for pid in cluster.pids if is_alive(pid)]
    assert "ended by itself" in shop.log


@pytest.mark.prove
@pytest.mark.parametrize("with_main", [False, True])
def test_a_killed_watchdog_leaves_no_process(
    shop: Shop, worker: subprocess.Popen[bytes], cluster: Cluster, with_main: bool
) -> None:
    worker.kill()
    if with_main:
        os.kill(cluster.main, signal.SIGKILL)
    worker.wait()
    wait_for(lambda: not shop.processes(), SLACK)


# ------------------------------------------------------------------------------------------------ stops
@pytest.mark.usefixtures("cluster")
def test_a_stop_lets_the_task_in_progress_finish_and_leaves_no_process(
    shop: Shop, worker: subprocess.Popen[bytes]
) -> None:
    shop.manage("shell", "-v", "0", "-c", "from django_q.tasks import async_task; async_task('time.sleep', 2)")
    wait_for(lambda: "'time.sleep'" in shop.log)
    worker.terminate()
    assert worker.wait(SLACK) == 0
    assert shop.processes() == []
    assert shop.has_succeeded("time.sleep")
    assert not list(shop.var.glob("*.beat"))


@pytest.mark.prove
@pytest.mark.usefixtures("cluster")
def test_a_second_signal_kills_at_once(shop: Shop, worker: subprocess.Popen[bytes]) -> None:
    shop.manage("shell", "-v", "0", "-c", "from django_q.tasks import async_task; async_task('time.sleep', 50)")
    wait_for(lambda: "'time.sleep'" in shop.log)
    worker.send_signal(signal.SIGINT)
    wait_for(lambda: "Stopping" in shop.log)
    worker.send_signal(signal.SIGINT)
    assert worker.wait(SLACK) == 128 + signal.SIGINT
    assert shop.processes() == []
    assert not shop.has_succeeded("time.sleep")


# ------------------------------------------------------------------------------------------------ ticks and schedules
@pytest.mark.prove
def test_ticks_do_not_pile_up_while_the_cluster_stands_still(shop: Shop, cluster: Cluster) -> None:
    os.killpg(cluster.main, signal.SIGSTOP)
    most, until = 0, time.monotonic() + SILENCE - 1
    while time.monotonic() < until:
        most = max(most, shop.execute("SELECT count(*) FROM django_q_ormq")[0][0])
        time.sleep(0.2)
    assert 1 <= most <= 2  # one unread, and one if the standstill came in the middle of a tick


def test_a_malformed_schedule_does_not_stop_the_others(shop: Shop) -> None:
    for name in ("'broken'", "NULL"):
        shop.execute(
            "INSERT INTO django_q_schedule (name, func, args, schedule_type, repeats, next_run)"
            f" VALUES ({name}, 'print', 'foo(1)', 'I', -1, '2020-01-01 00:00:00')"
        )
    worker = shop.start()
    wait_for(lambda: shop.cluster_of(worker))
    worker.terminate()
    assert worker.wait(SLACK) == 0
    assert "not declared in the code: 'broken' runs 'print'" in shop.log

    shop.manage("shell", "-v", "0", "-c", "from django_q.scheduler import scheduler; scheduler()")
    rows = shop.execute("SELECT name, func, task FROM django_q_schedule")
    assert rows
    assert not [func for _, func, _ in rows if func == "print"]
    assert not [name for name, _, task in rows if task is None]  # each has been put in the queue
