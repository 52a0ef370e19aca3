"""Each how-to page works: its edits are made in a copy of the project, and the copy does what the page promises."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from tests.howto.instructions import edits_of
from tests.test_house_rules import ROOT

PAGES = sorted((ROOT / "docs" / "how-to").glob("*.md"))
COPIED = ("orders", "providers", "storefront", "templates", "static", "locale", "tests", "docs", "manage.py",
          "pyproject.toml")  # fmt: skip


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with the edits of all pages, which do not depend on one another."""
    root = tmp_path_factory.mktemp("copy")
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
    return root


def run(root: Path, *command: str) -> str:
    """Run a program of the copy, with a database and files of its own; return what it prints."""
    environ = {**os.environ, "DATABASE_URL": f"sqlite:///{root / 'db.sqlite3'}", "VAR_DIR": str(root / "var")}
    (root / "var" / "static").mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, *command], cwd=root, env=environ, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    return done.stdout


def test_every_page_has_a_scenario() -> None:
    scenarios = {path.stem.removeprefix("scenario_").replace("_", "-") for path in _scenarios(ROOT)}
    assert {page.stem for page in PAGES} == scenarios


def test_only_the_email_needs_a_migration(copy: Path) -> None:
    made = run(copy, "manage.py", "makemigrations", "mail", "-n", "refill_emails")
    assert "0002_refill_emails.py" in made
    assert "No changes detected" in run(copy, "manage.py", "makemigrations", "--check", "--dry-run")


def test_the_copy_does_what_the_pages_promise(copy: Path) -> None:
    run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, _scenarios(copy)))


def _scenarios(root: Path) -> list[Path]:
    return sorted((root / "tests" / "howto" / "scenarios").glob("scenario_*.py"))
