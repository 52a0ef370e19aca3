"""The ``dialects`` command: update the generated table in docs/dialects.md."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from providers.panels.dialects import matrix


class Command(BaseCommand):
    help = "Update the table of dialects in docs/dialects.md."

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.BASE_DIR / "docs" / "dialects.md"
        path.write_text(matrix.fill(path.read_text()))
        self.stdout.write(f"{path.name} is up to date.")
