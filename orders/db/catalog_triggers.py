"""Database triggers that change the catalogue's stamp with every change of what is sold, its price and its cost.

So what was read of these tables can be kept for as long as the stamp is the one in the database, and no writer can
forget to say so. Whoever reads the stamp first and the rows after it may keep newer rows than the stamp says, never
older ones. SQLite drops triggers with a table that a later migration rebuilds: such a migration installs them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: What the price list is made of, with the columns that matter where not all of them do.
TABLES: Mapping[str, tuple[str, ...]] = {"orders_service": (), "orders_category": (), "orders_pricelevel": ()}
# The stamp is random, not counted: a table that was emptied and filled again never comes back to an old one.
# No "OR REPLACE" on SQLite: in a trigger, INSERT OR IGNORE from outside would turn it into "or leave it as it is".
_FOR_SQLITE = """
INSERT INTO orders_catalogversion (id, stamp) SELECT 1, 0 WHERE NOT EXISTS (SELECT 1 FROM orders_catalogversion);
UPDATE orders_catalogversion SET stamp = random() WHERE id = 1
"""
_FOR_POSTGRES = """
CREATE OR REPLACE FUNCTION orders_catalog_stamped() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO orders_catalogversion (id, stamp)
        VALUES (1, ('x' || substr(md5(random()::text || clock_timestamp()::text), 1, 16))::bit(64)::bigint)
        ON CONFLICT (id) DO UPDATE SET stamp = EXCLUDED.stamp;
    RETURN NULL;
END $$
"""


def install(schema_editor: Any, tables: Mapping[str, tuple[str, ...]] = TABLES) -> None:
    """From now on every change of ``tables`` changes the stamp, whoever makes it."""
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    if not is_sqlite:
        schema_editor.execute(_FOR_POSTGRES)
    for table, columns in tables.items():
        update = f"UPDATE OF {', '.join(columns)}" if columns else "UPDATE"
        if is_sqlite:
            for name, event in (("insert", "INSERT"), ("update", update), ("delete", "DELETE")):
                trigger = f"CREATE TRIGGER {table}_stamp_{name} AFTER {event} ON {table}"
                schema_editor.execute(f"{trigger} BEGIN {_FOR_SQLITE}; END")
        else:
            # Before: who changes the catalogue waits for the stamp before rows are locked. Who waited for it with rows
            # in hand would be in a deadlock with whoever has the stamp and comes to these rows next.
            schema_editor.execute(
                f"CREATE TRIGGER {table}_stamp BEFORE INSERT OR {update} OR DELETE OR TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION orders_catalog_stamped()"
            )


def remove(schema_editor: Any, tables: Mapping[str, tuple[str, ...]] = TABLES) -> None:
    """The inverse of ``install``; the function stays."""
    for table in tables:
        if schema_editor.connection.vendor == "sqlite":
            for name in ("insert", "update", "delete"):
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_stamp_{name}")
        else:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_stamp ON {table}")
