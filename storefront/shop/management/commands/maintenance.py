"""Closes the shop for a while, and opens it again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from storefront.web import maintenance


class Command(BaseCommand):
    help = "Closes the shop for customers and programs (on), opens it again (off), or says how it stands."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("state", nargs="?", choices=["on", "off"])
        parser.add_argument("--words", default="", help="what customers are told")

    def handle(self, *args: Any, state: str | None, words: str, **options: Any) -> None:
        if state == "on":
            maintenance.flag().write_text(words, encoding="utf-8")
        elif state == "off":
            maintenance.flag().unlink(missing_ok=True)
        told = maintenance.words()
        self.stdout.write("The shop is open." if told is None else f"The shop is closed. {told}".strip())
