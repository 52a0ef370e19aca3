"""Rules of the code base that no linter checks. Each test lists the places that break its rule."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("orders", "providers", "storefront")
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
OURS = [path for path in MODULES if "migrations" not in path.parts]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SIGNAL_MODULES = {"django.dispatch", "django.db.models.signals", "django.core.signals", "django.contrib.auth.signals"}
#: "services" is allowed, because that is what the API calls a price list.
BANNED_NAMES = {"utils", "helpers", "common", "core", "managers"}
WRITES = {
    "create", "acreate", "bulk_create", "abulk_create", "update", "aupdate", "bulk_update", "abulk_update",
    "get_or_create", "aget_or_create", "update_or_create", "aupdate_or_create", "delete", "adelete", "save", "asave",
}  # fmt: skip


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def place_of(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def nodes(*paths: Path) -> Iterator[tuple[Path, ast.AST]]:
    for path in paths:
        for node in ast.walk(parse(path)):
            yield path, node


# ------------------------------------------------------------------------------------------------ code
def test_signals_are_only_wired_in_apps() -> None:
    broken = [
        place_of(path, node.lineno)
        for path, node in nodes(*(path for path in OURS if path.name != "apps.py"))
        if isinstance(node, ast.ImportFrom) and node.module in SIGNAL_MODULES
    ]
    assert broken == []


def test_no_model_overrides_save_or_delete() -> None:
    models = [path for path in OURS if path.name == "models.py" or path.parent.name == "models"]
    broken = [
        place_of(path, item.lineno)
        for path, node in nodes(*models)
        if isinstance(node, ast.ClassDef)
        for item in node.body
        if isinstance(item, ast.FunctionDef) and item.name in {"save", "delete"}
    ]
    assert broken == []


def test_nothing_is_imported_inside_a_function_without_a_reason() -> None:
    broken = []
    for path, function in nodes(*OURS):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        lines = path.read_text().splitlines()
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                if not lines[node.lineno - 1].partition("# imported here:")[2].strip():
                    broken.append(place_of(path, node.lineno))
    assert broken == []


def test_no_module_has_a_meaningless_name() -> None:
    names = {path: {path.stem, *path.relative_to(ROOT).parent.parts} for path in MODULES}
    assert [str(path.relative_to(ROOT)) for path, parts in names.items() if parts & BANNED_NAMES] == []


def test_simulators_import_nothing_of_ours() -> None:
    broken = []
    for path, node in nodes(
        *(path for path in OURS if path.is_relative_to(ROOT / "providers" / "panels" / "simulators"))
    ):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        ours = [name for name in names if name.split(".")[0] in PACKAGES]
        if any(not name.startswith("providers.panels.simulators") for name in ours) or getattr(node, "level", 0) > 1:
            broken.append(place_of(path, getattr(node, "lineno", 0)))
    assert broken == []


# ------------------------------------------------------------------------------------------------ money
SQL_WRITES = re.compile(r'\b(INTO|UPDATE|DELETE FROM|TRUNCATE|TABLE)\s+"?orders_(transfer|account)\b', re.IGNORECASE)


def ledger_writes(tree: ast.AST) -> Iterator[int]:
    """The lines that make or change a Transfer or an Account: `Transfer.objects.create()`, `Account()`, raw SQL."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if re.search(r"\b(Transfer|Account)\.objects\b", called) and called.rpartition(".")[2] in WRITES:
                yield node.lineno
            if re.fullmatch(r"(\w+\.)*(Transfer|Account)", called):
                yield node.lineno
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if SQL_WRITES.search(node.value):
                yield node.lineno


def test_only_the_ledger_writes_money() -> None:
    elsewhere = [path for path in OURS if path != ROOT / "orders" / "ledger" / "transfers.py"]
    assert [place_of(path, line) for path in elsewhere for line in ledger_writes(parse(path))] == []


def test_the_ledger_check_finds_every_way_to_write() -> None:
    writes = (
        "Transfer.objects.create(amount=1)",
        "models.Account.objects.filter(pk=1).update(balance=F('balance') - 1)",
        "ledger.Transfer(amount=1).save()",
        "cursor.execute('UPDATE orders_account SET balance = 0')",
    )
    assert [line for line in writes if not list(ledger_writes(ast.parse(line)))] == []
    assert list(ledger_writes(ast.parse("Transfer.objects.filter(source=wallet).order_by('-id')[:20]"))) == []


# ------------------------------------------------------------------------------------------------ pages
def test_templates_carry_no_style_and_no_script() -> None:
    pattern = re.compile(r"<style\b|\sstyle=|<script(?![^>]*\bsrc=)|\son[a-z]+=|javascript:", re.IGNORECASE)
    broken = [
        place_of(path, number)
        for path in TEMPLATES
        # An email cannot link to a style sheet, and no content security policy applies to it.
        if path.relative_to(ROOT).as_posix() != "templates/mail/email.html"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(line)
    ]
    assert broken == []


# ------------------------------------------------------------------------------------------------ the repository
def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_folder_of_one_machine_or_a_package_host() -> None:
    # The names are concatenated so that this file passes its own test.
    hosts = "|".join(
        ["py" + r"pi\.org", "python" + "hosted", "npm" + r"js\.(org|com)", "registry" + r"\.[a-z]+\.[a-z]"]
    )
    pattern = re.compile(rf"(?<![\w.}}])/{'work'}(?=/|\s|$)|{hosts}")
    broken = []
    for path in tracked_files():
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        broken += [place_of(path, number) for number, line in enumerate(lines, 1) if pattern.search(line)]
    assert broken == []


def read_from_the_environment(path: Path) -> set[str]:
    """The names in `env.str("NAME", ...)` and `_secret("NAME", ...)`."""
    names = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Call) and re.fullmatch(r"env(\.\w+)?|_secret", ast.unparse(node.func)):
            if node.args and isinstance(node.args[0], ast.Constant) and str(node.args[0].value).isupper():
                names.add(str(node.args[0].value))
    return names


def test_the_example_environment_lists_exactly_what_is_read() -> None:
    read = read_from_the_environment(ROOT / "storefront" / "settings.py")
    read |= read_from_the_environment(ROOT / "storefront" / "demo" / "management" / "commands" / "run.py")
    listed = re.findall(r"^# ?([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(read)


def test_the_development_lock_contains_the_production_lock() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([a-z][\w.-]*==[^ ;\\]+)", (ROOT / name).read_text(), re.MULTILINE))

    assert pins("requirements.lock") - pins("requirements-dev.lock") == set()
