"""Command that puts the shop into maintenance mode and ends it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from storefront.web import maintenance


class Command(BaseCommand):
    help = "Start (on) or end (off) maintenance for customers and API clients, or show the current state."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("state", nargs="?", choices=["on", "off"])
        parser.add_argument("--message", default="", help="text shown to customers during maintenance")

    def handle(self, *args: Any, state: str | None, message: str, **options: Any) -> None:
        if state == "on":
            maintenance.flag().write_text(message, encoding="utf-8")
        elif state == "off":
            maintenance.flag().unlink(missing_ok=True)
        shown_message = maintenance.message()
        if shown_message is None:
            self.stdout.write("The shop is open.")
        else:
            self.stdout.write(f"The shop is closed for maintenance. {shown_message}".strip())
