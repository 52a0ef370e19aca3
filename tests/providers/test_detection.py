"""`--dialect auto`: every panel is told by reading alone, and the operator reads why it was none of the others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from providers import detection
from providers.dialects import DIALECTS
from providers.simulators import Panel
from tests.providers.conftest import ALL_DIALECTS

READS = {"balance", "services", "status"}


@ALL_DIALECTS
def test_every_panel_is_told_by_reading_alone(dialect: str, start_panel: Callable[..., Panel]) -> None:
    panel = start_panel(dialect)
    found = detection.detect(panel.url, panel.key)
    assert found.dialect is DIALECTS[dialect], found.lines
    assert found.currency == panel.currency
    assert {request.verb for request in panel.requests} <= READS | {""}
    assert len(panel.orders) == 0


@ALL_DIALECTS
def test_a_sentence_for_each_dialect_says_why_it_was_not_that_one(
    dialect: str, start_panel: Callable[..., Panel]
) -> None:
    panel = start_panel(dialect, key="s3cr3t-and-l0ng-key")
    lines = dict(line.split(": ", 1) for line in detection.detect(panel.url, panel.key).lines)
    assert set(lines) == set(DIALECTS)
    assert lines.pop(dialect).startswith("answers, ")
    assert all(line.startswith("not this one, ") and len(line) > 25 for line in lines.values()), lines
    assert panel.key not in str(lines)


def test_tmsmm_is_told_also_where_it_answers_in_json(start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("tmsmm", malformed_multi=False)
    assert detection.detect(panel.url, panel.key).dialect is DIALECTS["tmsmm"]


def test_a_standard_panel_that_sells_what_a_special_one_cannot_order_stays_standard(
    start_panel: Callable[..., Panel], monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = start_panel("v2")
    rows = panel.service_row
    monkeypatch.setattr(panel, "service_row", lambda service: {k: v for k, v in rows(service).items() if k != "cancel"})
    assert detection.detect(panel.url, panel.key).dialect is DIALECTS["v2"]


def test_a_wrong_key_fits_no_dialect_and_says_so(start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("v2")
    found = detection.detect(panel.url, "wrong")
    assert found.dialect is None
    assert any("API key" in line for line in found.lines)
