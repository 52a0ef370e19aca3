"""Settings and fixtures of all tests: a database that threads and processes can share, and fast password hashing."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management.commands import flush
from django.db import connections
from django.test import Client
from django.utils import translation
from xdist.scheduler import LoadScopeScheduling

from orders.db import append_only
from orders.models import Account
from tests import factories


def pytest_configure() -> None:
    # Tests make hundreds of calls per second. Tests of the rate limits set them.
    settings.API_CALLS_PER_MINUTE = settings.API_ADDRESS_CALLS_PER_MINUTE = 0
    # Accounts open at once. Tests of the confirmation of addresses turn it on.
    settings.CONFIRM_SIGN_UPS, settings.ACCOUNT_EMAIL_VERIFICATION = False, "optional"
    # Otherwise each test client's handler would look up every static file of the project first.
    settings.WHITENOISE_AUTOREFRESH = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Each process of a run has its own counters of sign-in attempts, wrong codes and calls.
    own = tempfile.mkdtemp(prefix="vitrine-limits-")
    for name in ("default", "counters"):
        settings.CACHES[name] = {**settings.CACHES[name], "LOCATION": f"{own}/{name}"}


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Keep the collected tests and modules out of the garbage collector, which would otherwise visit them all the time.

    They are a million objects that live until the end.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_unconfigure() -> None:
    shutil.rmtree(os.path.dirname(settings.CACHES["default"]["LOCATION"]), ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """Give this process a database, named after it so that several runs and workers can share a server.

    It is a copy of the database that ``tests.databases`` has migrated; without one it is migrated here. On SQLite it is
    a file: Django's in-memory default has no WAL, and other processes cannot open it.
    """
    connection = connections["default"]
    original = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        if os.environ.get("DATABASE_IS_TEMPLATE"):
            suffix = str(os.getpid())
            connection.creation.clone_test_db(suffix, verbosity=0)
            connection.settings_dict["NAME"] = connection.creation.get_test_db_clone_settings(suffix)["NAME"]
        else:
            name = f"test_vitrine_{os.getpid()}"
            is_sqlite = connection.vendor == "sqlite"
            connection.settings_dict["TEST"]["NAME"] = f"{settings.VAR_DIR}/{name}.sqlite3" if is_sqlite else name
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        house_accounts[:] = Account.objects.all()
    yield
    with django_db_blocker.unblock():
        connection.creation.destroy_test_db(original, verbosity=0)


@pytest.fixture(autouse=True)
def _activate_default_language() -> None:
    """Reset the language: a request leaves its language active in the thread, and so in the next test."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture
def boss(db: None) -> Client:
    """Return a browser in which a superuser is signed in."""
    return factories.signed_in(factories.user("boss@example.com", is_staff=True, is_superuser=True))


IS_SECOND = bool(os.environ.get("SECOND_DATABASE"))
#: Tests that run on the first database only, because the database does not affect their result. Tests that send odd
#: values stay on both: PostgreSQL refuses some that SQLite accepts.
RUN_ONCE = (
    "tests/browser/",
    "tests/clients/test_api_v3_docs.py",
    "tests/clients/test_generated_client.py",
    "tests/clients/test_programs.py",
    "tests/clients/test_published.py",
    "tests/journeys/test_operator.py",
    "tests/journeys/test_unknown_outcomes.py",
    "tests/providers/panels/",
    "tests/storefront/accounts/test_sign_in_limits.py",
    "tests/storefront/api/adminapi/test_docs_page.py",
    "tests/storefront/api/rest/test_reference_page.py",
    "tests/storefront/api/test_reference.py",
    "tests/storefront/api/test_v2_page.py",
    "tests/storefront/shop/test_languages.py",
    "tests/storefront/test_page_queries.py",
    "tests/storefront/test_transport_security.py",
)
#: Tests that take longest. They start first, so that no worker is left with one of them at the end.
FIRST = ("tests/storefront/test_production.py", "tests/howto/", "tests/journeys/", "tests/browser/")
#: Files whose tests go to any worker. The tests of another file stay together and share its server or database.
SPLIT = (
    "tests/browser/",
    "tests/journeys/test_chaos.py",
    "tests/journeys/test_kill.py",
    "tests/journeys/test_operator.py",
    "tests/journeys/test_stopped.py",
    "tests/providers/panels/test_field_faults.py",
)


class _Scheduling(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.startswith(SPLIT) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Send whole files to the workers, in the order of the collection, but the tests of ``SPLIT`` one by one."""
    config.option.loadscopereorder = False
    return _Scheduling(config, log)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Skip the files of ``RUN_ONCE`` on the second database of a run. Those named on the command line run anyway."""
    name = f"{collection_path.relative_to(config.rootpath).as_posix()}{'/' if collection_path.is_dir() else ''}"
    return True if IS_SECOND and name.startswith(RUN_ONCE) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest tests first. On the second database of a run, deselect the tests without a database."""
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))
    if not IS_SECOND:
        return

    def needs_database(item: pytest.Item) -> bool:
        fixtures = {"db", "transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
        return bool(fixtures or item.get_closest_marker("django_db"))

    config.hook.pytest_deselected(items=[item for item in items if not needs_database(item)])
    items[:] = [item for item in items if needs_database(item)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    databases = os.environ.get("TESTED_DATABASES")
    if databases:
        terminalreporter.section("databases")
        terminalreporter.write_line(databases)


# ------------------------------------------------------------------------------------------------ emptying the tables
# After a test with real transactions Django empties every table. The triggers of the ledger refuse that, and the
# rows of data migrations would be missing in later tests. So the trigger is removed meanwhile, and house accounts are
# opened again. Content types and permissions are kept, because creating them takes longer than most of these tests.
# Only tables with rows are emptied, and by DELETE: PostgreSQL takes seconds to TRUNCATE every table.
KEPT_TABLES = {"django_content_type", "auth_permission"}
LEDGER = "orders_transfer"
#: The accounts that the migrations opened.
house_accounts: list[Account] = []


@pytest.fixture(scope="session", autouse=True)
def _allow_emptying_the_ledger() -> Iterator[None]:
    operations = type(connections["default"].ops)
    empty = operations.execute_sql_flush

    def sql_flush(self: Any, style: Any, tables: list[str], **options: Any) -> list[str]:
        names = [table for table in tables if table not in KEPT_TABLES]
        with self.connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in names))
            return [f"DELETE FROM {name}" for (name,) in cursor.fetchall()]

    def execute_sql_flush(self: Any, sql_list: list[str]) -> None:
        is_ledger_used = any(LEDGER in sql for sql in sql_list)
        if is_ledger_used:
            with self.connection.schema_editor() as editor:
                append_only.remove(editor, LEDGER)
        try:
            empty(self, sql_list)
        finally:
            if is_ledger_used:
                with self.connection.schema_editor() as editor:
                    append_only.install(editor, LEDGER)
        Account.objects.bulk_create(house_accounts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "sql_flush", sql_flush)
        patch.setattr(operations, "execute_sql_flush", execute_sql_flush)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *args: None)
        yield
