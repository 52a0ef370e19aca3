"""No module, view, task or function grows past its budget, unless its first line says why: `# budget: the reason`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = [
    path
    for package in ("orders", "providers", "storefront")
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts
]

Function = ast.FunctionDef | ast.AsyncFunctionDef


def has_reason(line: str) -> bool:
    return bool(line.partition("# budget:")[2].strip())


def module_budget(path: Path) -> int:
    if path == ROOT / "storefront" / "settings.py":
        return 300
    if path.parent == ROOT / "providers" / "dialects":
        return 120
    return 400


def function_budget(path: Path, function: Function, *, is_top: bool) -> int:
    if path == ROOT / "providers" / "tasks.py" and is_top and not function.name.startswith("_"):
        return 8
    names = {argument.arg for argument in function.args.args}
    return 30 if "request" in names else 40  # a view, or an admin action


def code_lines(function: Function, source: list[str]) -> int:
    """How many lines a function has without its decorators, docstring, comments and empty lines."""
    lines = set(range(function.lineno, (function.end_lineno or function.lineno) + 1))
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        lines -= set(range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1))
    return sum(bool(text) and not text.startswith("#") for text in (source[number - 1].strip() for number in lines))


def overdrawn(path: Path) -> Iterator[str]:
    source = path.read_text().splitlines()
    allowed = module_budget(path)
    if len(source) > allowed and not has_reason(source[0]):
        yield f"{path.relative_to(ROOT)} has {len(source)} lines, its budget is {allowed}"
    tree = ast.parse("\n".join(source))
    for function in ast.walk(tree):
        if not isinstance(function, Function) or has_reason(source[function.lineno - 1]):
            continue
        count = code_lines(function, source)
        allowed = function_budget(path, function, is_top=function in tree.body)
        if count > allowed:
            place = f"{path.relative_to(ROOT)}:{function.lineno}"
            yield f"{place} {function.name} has {count} lines, its budget is {allowed}"


def test_nothing_is_larger_than_its_budget() -> None:
    assert [line for path in MODULES for line in overdrawn(path)] == []


def test_an_exception_needs_a_reason() -> None:
    assert has_reason("def f():  # budget: one long table")
    assert not has_reason("def f():  # budget:")


def test_docstrings_and_comments_are_free() -> None:
    source = 'def f():\n    """One.\n\n    Two.\n    """\n    # why\n\n    return 1\n'
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert code_lines(function, source.splitlines()) == 2
