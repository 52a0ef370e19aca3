"""Reading with a cursor that is kept, for the few statements that most calls of the APIs run.

A new cursor costs several times the CPU time of the statement itself: Django and the driver check the connection, copy
adapters and wrap each method, on every call.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper

# One for each thread, because a cursor holds the result of its last statement. Tests share a connection among threads.
_kept = threading.local()


def fetch_rows(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run ``statement``, which returns rows, on the default database and return all rows.

    Values are neither adapted nor converted by Django's fields: the rows are those of the database driver. Errors and
    the logging of queries are the same as with ``connection.cursor()``.
    """
    database = connections[DEFAULT_DB_ALIAS]
    database.close_if_health_check_failed()
    database.ensure_connection()
    cursor: CursorWrapper | None = getattr(_kept, "cursor", None)
    if database.queries_logged:
        cursor = database.cursor()
    elif cursor is None or cursor.cursor.connection is not database.connection:
        cursor = _kept.cursor = database.cursor()
    cursor.execute(statement, values)
    # All rows at once: SQLite would keep its read lock until the last one is read.
    with database.wrap_database_errors:
        rows: list[tuple[Any, ...]] = cursor.cursor.fetchall()
    return rows
