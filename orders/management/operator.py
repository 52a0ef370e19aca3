"""Base class of operator commands, which work on a fresh checkout and report clearly what is missing."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection


class OperatorCommand(BaseCommand):
    """A command that migrates an empty SQLite database on first use; any other database must be migrated already."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            is_empty = "orders_account" not in connection.introspection.table_names()
        except DatabaseError as problem:
            raise CommandError(f"The database cannot be reached: {str(problem).strip()}") from None
        if is_empty and connection.vendor == "sqlite":
            call_command("migrate", verbosity=0)
        elif is_empty:
            raise CommandError("The database has no tables. Run: manage.py migrate")
        return super().execute(*args, **options)
