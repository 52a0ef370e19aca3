"""What every test needs: a database of its own that threads and processes can share, and log-ins that cost nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections


def pytest_configure() -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    told = os.environ.get("TESTED_DATABASES")
    if told:
        terminalreporter.section("databases")
        terminalreporter.write_line(told)
