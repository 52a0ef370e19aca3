"""Every code that is stored for operators has a label in every language, and operators read the label."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import pytest
from django.utils.functional import Promise
from django.utils.translation import override

from orders.admin import formatting
from orders.models import OrderEvent, event_codes
from orders.models.order import EventKind
from orders.rules import state_machine
from providers import note_texts
from providers.models import CallOutcome, OfferChange, PlacementState, RefusalReason
from providers.panels import error_phrases, error_texts
from providers.reconciling import evidence
from tests.test_translations import LANGUAGES, entries


def labels_of(codes: Any) -> Mapping[Any, Any]:
    return {code: code.label for code in codes}


#: The label of each code, one mapping for each enum.
LABELS: tuple[Mapping[Any, Any], ...] = (
    labels_of(EventKind),
    labels_of(event_codes.Oddity),
    labels_of(event_codes.EventDecision),
    labels_of(event_codes.DecidedBy),
    labels_of(event_codes.EventStep),
    labels_of(event_codes.RejectionReason),
    labels_of(PlacementState),
    labels_of(RefusalReason),
    labels_of(CallOutcome),
    labels_of(OfferChange.What),
    evidence.WHY_OPEN,
    note_texts.TEXTS,
)
EVERY_CODE = [pytest.param(code, text, id=str(code)) for labels in LABELS for code, text in labels.items()]


def test_every_code_has_an_entry_in_its_mapping() -> None:
    for labels in LABELS:
        enum: type[Enum] = type(next(iter(labels)))
        assert set(labels) == set(enum), enum


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("code", "text"), EVERY_CODE)
def test_every_code_has_a_label_in_every_language(code: Any, text: Any, language: str) -> None:
    assert isinstance(text, Promise), "the label does not go through gettext"
    with override("en"):
        english = str(text)
    entry = entries(language).get((None, english))
    assert entry is not None, f"“{english}” has no translation"
    assert not entry.fuzzy
    assert str(entry.string).strip()


@pytest.mark.parametrize("name", formatting.CODES)
def test_the_timeline_shows_labels_instead_of_codes(name: str) -> None:
    for codes in formatting.CODES[name]:
        for code in codes:
            event = OrderEvent(kind=EventKind.NOTE, data={name: code.value})
            assert str(code.label) in formatting.describe_event(event, {})


def test_every_unexpected_report_has_a_label() -> None:
    assert {code.value for code in state_machine.Oddity} <= set(event_codes.Oddity.values)


def test_every_reason_that_a_panel_can_have_has_a_label() -> None:
    phrases = {*error_phrases.REJECTIONS, *error_phrases.REQUEST_REFUSALS} - {"availability"}  # read as "service"
    reasons = {*phrases, *error_texts.REFUSING.values(), *error_texts.ACCOUNT_REASONS, "order", "other"}
    assert reasons == set(RefusalReason.values)
