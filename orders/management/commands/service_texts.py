"""Command that exports and imports translated service names and descriptions as CSV."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from orders.catalog import translations
from orders.management.operator import OperatorCommand
from orders.models import languages


class Command(OperatorCommand):
    help = "Export service names and descriptions as CSV for translation, and import the translations."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="export|import")
        out = actions.add_parser("export", help="print all services with their translations as CSV")
        out.add_argument("language", help="language code, for example ru")
        out.add_argument("--missing", action="store_true", help="only services that are not fully translated")
        back = actions.add_parser(
            "import", help="import a translated CSV file; if a line is invalid, nothing is imported"
        )
        back.add_argument("language", help="language code, for example ru")
        back.add_argument("file", help="CSV file in UTF-8 with the header that export writes")

    def handle(self, *args: Any, **options: Any) -> None:
        known = dict(languages.translation_languages())
        if options["language"] not in known:
            raise CommandError(f"Unknown language: {options['language']}. Choose one of: {', '.join(known)}.")
        getattr(self, f"_{options['action']}")(**options)

    def _export(self, *, language: str, missing: bool, **_: Any) -> None:
        # The byte order mark tells spreadsheets that the file is UTF-8.
        self.stdout.write("\ufeff", ending="")
        csv.writer(self.stdout).writerows(translations.export_rows(language, is_missing=missing))

    def _import(self, *, language: str, file: str, **_: Any) -> None:
        try:
            lines = translations.read_table(Path(file).read_bytes())
        except OSError as problem:
            raise CommandError(f"{file} cannot be read: {problem.strerror}.") from None
        except translations.UnreadableTable as problem:
            raise CommandError(f"{file}: {problem}") from None
        done = translations.import_lines(language, lines)
        if isinstance(done, list):
            for error in sorted(done, key=lambda error: error.number):
                self.stdout.write(f"Line {error.number}: {error.why}")
            raise CommandError(f"Invalid lines: {len(done)}. Nothing was changed.")
        self.stdout.write(
            f"{language}: {done.added} added, {done.changed} changed, {done.removed} removed, {done.same} unchanged."
        )
