"""The tutorial in docs/dialects.md: its two files make a dialect that passes the rules of the others."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from textwrap import dedent
from typing import Any

import pytest
from django.conf import settings

from providers.panels.dialects import DIALECTS, matrix
from providers.panels.simulators import SIMULATORS, Panel
from providers.transport import detection
from tests.providers.panels import test_conformance, test_field_faults
from tests.providers.panels.test_field_faults import scene_at
from tests.providers.transport import test_detection

NAME = "northpanel"


def cases(module: Any) -> list[Callable[..., None]]:
    """Return the tests of ``module`` that run at one panel of any dialect and need nothing else."""
    tests = (test for name, test in vars(module).items() if name.startswith("test_"))
    return [test for test in tests if set(inspect.signature(test).parameters) == {"dialect", "start_panel"}]


def scenes() -> list[Callable[..., None]]:
    tests = (test for name, test in vars(test_field_faults).items() if name.startswith("test_"))
    return [test for test in tests if list(inspect.signature(test).parameters) == ["waiting"]]


@pytest.fixture(autouse=True)
def northpanel(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two files of the document, and a line in each registry."""
    text = (settings.BASE_DIR / "docs" / "dialects.md").read_text()
    declaration, simulator = (dedent(code) for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    made: dict[str, Any] = {"__name__": NAME}
    exec(declaration, made)
    exec(simulator, made)
    monkeypatch.setitem(DIALECTS, NAME, made["NORTHPANEL"])  # type: ignore[arg-type]
    monkeypatch.setitem(SIMULATORS, NAME, made["Northpanel"])


@pytest.mark.django_db
@pytest.mark.parametrize("case", [*cases(test_conformance), *cases(test_detection)], ids=lambda case: case.__name__)
def test_it_keeps_the_rules_of_conformance(case: Callable[..., None], start_panel: Callable[..., Panel]) -> None:
    case(dialect=NAME, start_panel=start_panel)


@pytest.mark.django_db
@pytest.mark.usefixtures("quick_calls")
@pytest.mark.parametrize("case", scenes(), ids=lambda case: case.__name__)
def test_it_survives_what_panels_do_in_the_field(case: Callable[..., None], start_panel: Callable[..., Panel]) -> None:
    case(scene_at(NAME, start_panel))


@pytest.mark.django_db
@pytest.mark.usefixtures("quick_calls")
@pytest.mark.parametrize(("kind", "options"), test_field_faults.UNCLEAR, ids=lambda value: str(value)[:30])
def test_it_is_in_doubt_as_the_others_are(
    kind: str, options: dict[str, Any], start_panel: Callable[..., Panel]
) -> None:
    test_field_faults.test_an_add_without_a_clear_answer_is_in_doubt(scene_at(NAME, start_panel), kind, options)


def test_there_are_cases() -> None:
    assert len(cases(test_conformance)) >= 5
    assert len(scenes()) >= 4


def test_it_has_a_column_in_the_table() -> None:
    assert f"`{NAME}`" in matrix.table()


def test_the_other_panels_are_still_told(start_panel: Callable[..., Panel]) -> None:
    for name in DIALECTS:
        panel = start_panel(name)
        found = detection.detect(panel.url, panel.key)
        assert found.dialect is DIALECTS[name], found.lines
