"""The tests and events that docs/security.md names exist."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

TEXT = (Path(settings.BASE_DIR) / "docs" / "security.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", TEXT))
    assert named
    assert [path for path in sorted(named) if not (Path(settings.BASE_DIR) / path).is_file()] == []


def test_every_chapter_of_the_standard_is_answered() -> None:
    assert [int(number) for number in re.findall(r"^### V(\d+) ", TEXT, re.MULTILINE)] == list(range(1, 18))


def test_the_page_lists_exactly_the_logged_events() -> None:
    table = TEXT.partition("## The security log")[2].partition("## Encryption keys")[0]
    named = set(re.findall(r"`(\w+_\w+)`", table)) - {"code_used_before"}
    sources = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("accounts", "webhooks", "api")
        for path in (Path(settings.BASE_DIR) / "storefront" / folder).rglob("*.py")
    )
    logged = set(re.findall(r'security_log\.(?:note|warn)\(\s*"(\w+)"', sources))
    logged |= set(re.findall(r'_notify_owner\(\w+, "(\w+)"', sources))
    assert named == logged
