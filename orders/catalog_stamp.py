"""Database triggers that change the catalogue's stamp with every change of the price list, whoever makes it.

So a rendered price list can be kept for as long as its stamp is the one in the database, and no writer can forget to
say so. SQLite drops triggers with a table that a later migration rebuilds: such a migration installs them again.
"""

from __future__ import annotations

from typing import Any

#: What the price list is made of.
TABLES = ("orders_service", "orders_category", "orders_pricelevel")
VERBS = ("insert", "update", "delete")
# The stamp is random, not counted: a table that was emptied and filled again never comes back to an old one.
_FOR_SQLITE = "INSERT OR REPLACE INTO orders_catalogstamp (id, stamp) VALUES (1, random())"
_FOR_POSTGRES = """
CREATE OR REPLACE FUNCTION orders_catalog_stamped() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO orders_catalogstamp (id, stamp)
        VALUES (1, ('x' || substr(md5(random()::text || clock_timestamp()::text), 1, 16))::bit(64)::bigint)
        ON CONFLICT (id) DO UPDATE SET stamp = EXCLUDED.stamp;
    RETURN NULL;
END $$
"""


def install(schema_editor: Any) -> None:
    for statement in _install(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def remove(schema_editor: Any) -> None:
    for statement in _remove(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def _install(vendor: str) -> list[str]:
    if vendor == "sqlite":
        return [
            f"CREATE TRIGGER {table}_stamp_{verb} AFTER {verb.upper()} ON {table} BEGIN {_FOR_SQLITE}; END"
            for table in TABLES
            for verb in VERBS
        ]
    return [
        _FOR_POSTGRES,
        *(
            f"CREATE TRIGGER {table}_stamp AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION orders_catalog_stamped()"
            for table in TABLES
        ),
    ]


def _remove(vendor: str) -> list[str]:
    if vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {table}_stamp_{verb}" for table in TABLES for verb in VERBS]
    triggers = [f"DROP TRIGGER IF EXISTS {table}_stamp ON {table}" for table in TABLES]
    return [*triggers, "DROP FUNCTION IF EXISTS orders_catalog_stamped()"]
