"""What every test needs: a database of its own that threads and processes can share, and log-ins that cost nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management.commands import flush
from django.db import connections
from django.utils import translation

from orders.db import append_only


def pytest_configure() -> None:
    # Hundreds of calls a second by one customer: who tests the limits sets them.
    settings.API_CALLS_PER_MINUTE = settings.API_ADDRESS_CALLS_PER_MINUTE = 0
    # Accounts open at once: who tests that addresses are confirmed first sets it.
    settings.CONFIRM_SIGN_UPS, settings.ACCOUNT_EMAIL_VERIFICATION = False, "optional"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Each process of a run tests the log-in limits alone.
    settings.CACHES["default"] = {**settings.CACHES["default"], "LOCATION": tempfile.mkdtemp(prefix="vitrine-limits-")}


def pytest_unconfigure() -> None:
    shutil.rmtree(settings.CACHES["default"]["LOCATION"], ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Names the test database after this process: several runs, and the workers of one, can share a server.

    On SQLite it is a file. Django's default, one in memory, has no WAL and other processes cannot see it.
    """
    name = f"test_vitrine_{os.getpid()}"
    connection = connections["default"]
    if connection.vendor == "sqlite":
        name = str(Path(settings.VAR_DIR) / f"{name}.sqlite3")
    connection.settings_dict["TEST"]["NAME"] = name


@pytest.fixture(autouse=True)
def _in_the_shops_language() -> None:
    """A request leaves its language to the thread, and so to the next test."""
    translation.activate(settings.LANGUAGE_CODE)


#: What a browser, another program or an operator's command does is the same on every database, and how often a page
#: asks it.
ONCE = (
    "tests/browser/",
    "tests/clients/test_api_v3_docs.py",
    "tests/clients/test_generated_client.py",
    "tests/clients/test_programs.py",
    "tests/clients/test_published.py",
    "tests/journeys/test_operator.py",
    "tests/storefront/test_page_queries.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On the second database of a run: without what ``ONCE`` names, and without tests that need no database."""
    if not os.environ.get("SECOND_DATABASE"):
        return
    root = str(config.rootpath)

    def runs_once(item: pytest.Item) -> bool:
        path = str(item.path).removeprefix(root).lstrip("/")
        needs = {"db", "transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
        return path.startswith(ONCE) or not (needs or item.get_closest_marker("django_db"))

    once = [item for item in items if runs_once(item)]
    config.hook.pytest_deselected(items=once)
    items[:] = [item for item in items if item not in set(once)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    told = os.environ.get("TESTED_DATABASES")
    if told:
        terminalreporter.section("databases")
        terminalreporter.write_line(told)


# ------------------------------------------------------------------------------------------------ emptying the tables
# After a test with real transactions Django empties every table. The books refuse that, rightly; and the rows that data
# migrations made would be gone for the tests that follow. So around that one act the trigger is taken off and put back,
# and the house accounts are opened again. Models and permissions stay as they are: Django would take longer to write
# them again than most of these tests run.
KEPT = {"django_content_type", "auth_permission"}


@pytest.fixture(scope="session", autouse=True)
def _books_can_be_emptied_between_tests() -> Iterator[None]:
    operations = type(connections["default"].ops)
    empty = operations.execute_sql_flush
    sql_to_empty = operations.sql_flush
    reopen = import_module("orders.migrations.0001_initial").open_house_accounts

    def sql_flush(self: Any, style: Any, tables: list[str], **options: Any) -> Any:
        return sql_to_empty(self, style, [table for table in tables if table not in KEPT], **options)

    def execute_sql_flush(self: Any, sql_list: list[str]) -> None:
        with self.connection.schema_editor() as editor:
            append_only.remove(editor, "orders_transfer")
        try:
            empty(self, sql_list)
        finally:
            with self.connection.schema_editor() as editor:
                append_only.install(editor, "orders_transfer")
        reopen(apps)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "sql_flush", sql_flush)
        patch.setattr(operations, "execute_sql_flush", execute_sql_flush)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *args: None)
        yield
