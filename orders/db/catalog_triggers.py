"""Database triggers that change the catalog version whenever services, prices or costs change.

Values read from these tables can be cached as long as the catalog version in the database stays the same, and no writer
can forget to change it. Read the version before the rows: the cached rows can then be newer than the version, never
older. SQLite drops the triggers of a table that a later migration rebuilds, so such a migration must install them
again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: The tables that prices depend on, with the columns that matter; an empty tuple means all columns.
TABLES: Mapping[str, tuple[str, ...]] = {"orders_service": (), "orders_category": (), "orders_pricelevel": ()}
# The version is random, not a counter: a counter would return to an old value after the table is emptied and refilled.
# No "OR REPLACE" on SQLite: the conflict clause of the outer statement overrides the one in a trigger, so an outer
# INSERT OR IGNORE would leave the version unchanged.
_FOR_SQLITE = """
INSERT INTO orders_catalogversion (id, version) SELECT 1, 0 WHERE NOT EXISTS (SELECT 1 FROM orders_catalogversion);
UPDATE orders_catalogversion SET version = random() WHERE id = 1
"""
_FOR_POSTGRES = """
CREATE OR REPLACE FUNCTION orders_change_catalog_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO orders_catalogversion (id, version)
        VALUES (1, ('x' || substr(md5(random()::text || clock_timestamp()::text), 1, 16))::bit(64)::bigint)
        ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version;
    RETURN NULL;
END $$
"""


def install(schema_editor: Any, tables: Mapping[str, tuple[str, ...]] = TABLES) -> None:
    """Create the triggers, so that every change of ``tables`` changes the catalog version, made by any process."""
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    if not is_sqlite:
        schema_editor.execute(_FOR_POSTGRES)
    for table, columns in tables.items():
        update = f"UPDATE OF {', '.join(columns)}" if columns else "UPDATE"
        if is_sqlite:
            for name, event in (("insert", "INSERT"), ("update", update), ("delete", "DELETE")):
                trigger = f"CREATE TRIGGER {table}_version_{name} AFTER {event} ON {table}"
                schema_editor.execute(f"{trigger} BEGIN {_FOR_SQLITE}; END")
        else:
            # BEFORE makes a writer wait for the version's row before it locks rows of the table. A writer that waited
            # while holding rows would deadlock with one that holds the version's row and needs those rows next.
            schema_editor.execute(
                f"CREATE TRIGGER {table}_version BEFORE INSERT OR {update} OR DELETE OR TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION orders_change_catalog_version()"
            )


def remove(schema_editor: Any, tables: Mapping[str, tuple[str, ...]] = TABLES) -> None:
    """Remove the triggers that ``install`` created; the PostgreSQL function stays."""
    for table in tables:
        if schema_editor.connection.vendor == "sqlite":
            for name in ("insert", "update", "delete"):
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_version_{name}")
        else:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_version ON {table}")
