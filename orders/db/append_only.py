"""Database triggers, for PostgreSQL and SQLite, that prevent rows of a table from being changed or deleted."""

from __future__ import annotations

from typing import Any


def install(schema_editor: Any, table: str, *, may_delete: bool = False) -> None:
    """Make ``table`` append-only; corrections are new rows.

    Args:
        may_delete: Whether rows can be deleted, for tables whose old rows are removed after a time.
    """
    for statement in _install(schema_editor.connection.vendor, table, may_delete):
        schema_editor.execute(statement)


def remove(schema_editor: Any, table: str) -> None:
    """Remove the triggers that ``install`` created."""
    for statement in _remove(schema_editor.connection.vendor, table):
        schema_editor.execute(statement)


def _install(vendor: str, table: str, may_delete: bool = False) -> list[str]:
    refusal = f"{table} is append-only"
    if vendor == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
            for verb in (("update",) if may_delete else ("update", "delete"))
        ]
    verbs = "UPDATE" if may_delete else "UPDATE OR DELETE OR TRUNCATE"
    return [
        f"CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{refusal}'; END $$",
        f"CREATE TRIGGER {table}_append_only BEFORE {verbs} ON {table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()",
    ]


def _remove(vendor: str, table: str) -> list[str]:
    if vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {table}_no_{verb}" for verb in ("update", "delete")]
    return [f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}", f"DROP FUNCTION IF EXISTS {table}_refuse()"]
