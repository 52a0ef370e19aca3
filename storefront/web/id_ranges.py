"""Ranges of ids for ranges of time, in tables whose ids and creation times increase together."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, models

#: The first step of the search in ``first_since``: above the number of ids in any of these tables.
LONGEST_STEP = 2**40


def first_since(model: type[models.Model], moment: datetime) -> int:
    """Return the id from which on all rows of ``model`` were created at ``moment`` or later.

    Ids and creation times increase together, so these tables need no index on the time: one statement finds the id by
    binary search, with about forty look-ups in the primary key. Counting from that id on reads only the new rows.
    """
    table = connection.ops.quote_name(model._meta.db_table)
    query = f"""
        WITH RECURSIVE walk(low, step) AS (
            SELECT COALESCE(MIN(id), 0) - 1, {LONGEST_STEP} FROM {table}
            UNION ALL
            SELECT CASE WHEN (SELECT created_at FROM {table} WHERE id >= low + step ORDER BY id LIMIT 1) < %s
                        THEN low + step ELSE low END,
                   step / 2
            FROM walk WHERE step > 0
        )
        SELECT MAX(low) + 1 FROM walk"""  # noqa: S608  # the table's name is Django's own
    with connection.cursor() as cursor:
        cursor.execute(query, [connection.ops.adapt_datetimefield_value(moment)])
        return int(cursor.fetchone()[0])
