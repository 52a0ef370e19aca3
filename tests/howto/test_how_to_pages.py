"""Each how-to page works: its edits are made in a copy of the project, and the copy does what the page promises."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from tests.howto.instructions import edits_of
from tests.test_house_rules import ROOT

PAGES = sorted((ROOT / "docs" / "how-to").glob("*.md"))
COPIED = ("orders", "providers", "storefront", "templates", "static", "locale", "tests", "docs", "manage.py",
          "pyproject.toml")  # fmt: skip


def copy_project(root: Path) -> None:
    """Copy the project to ``root`` and make the edits of all pages, which do not depend on one another."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root / name)
    for page in PAGES:
        for edit in edits_of(page):
            edit.apply(root)
    catalog = root / "locale" / "de" / "LC_MESSAGES" / "django.po"
    with catalog.open("rb") as source_file, catalog.with_suffix(".mo").open("wb") as compiled:
        write_mo(compiled, read_po(source_file))


def run(root: Path, *command: str) -> str:
    """Run a program of the copy, with a database and files of its own; return what it prints."""
    # The copy has models of its own, so the database that was migrated for this run does not fit it.
    own = {"DATABASE_URL": f"sqlite:///{root / 'db.sqlite3'}", "VAR_DIR": str(root / "var"), "DATABASE_IS_TEMPLATE": ""}
    environ = {**os.environ, **own}
    (root / "var" / "static").mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, *command], cwd=root, env=environ, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    return done.stdout


def test_every_page_has_a_scenario() -> None:
    scenarios = {path.stem.removeprefix("scenario_").replace("_", "-") for path in _scenarios(ROOT)}
    assert {page.stem for page in PAGES} == scenarios


def test_a_copy_in_which_the_pages_were_followed_does_what_they_promise(tmp_path: Path) -> None:
    copy_project(tmp_path)
    assert "0003_refill_emails.py" in run(tmp_path, "manage.py", "makemigrations", "mail", "-n", "refill_emails")
    assert "No changes detected" in run(tmp_path, "manage.py", "makemigrations", "--check", "--dry-run")
    run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, _scenarios(tmp_path)))


def _scenarios(root: Path) -> list[Path]:
    return sorted((root / "tests" / "howto" / "scenarios").glob("scenario_*.py"))
