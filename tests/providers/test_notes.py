"""Notes for operators are stored as codes and read in the reader's language."""

from __future__ import annotations

import re

import pytest
from django.utils.translation import override

from orders.admin import formatting
from orders.models import OrderEvent
from orders.models.order import EventKind
from providers import note_texts, notes
from providers.notes import LONGEST, Note


def test_a_note_is_read_with_its_data() -> None:
    stored = notes.encode(Note.UNCLEAR, count=1234, message="HTTP 500")
    assert "1,234" in note_texts.describe(stored)
    assert "HTTP 500" in note_texts.describe(stored)


def test_a_note_inside_a_note_is_read_too() -> None:
    stored = notes.encode(Note.NO_CLEAR_ANSWER, message=notes.encode(Note.LEFT_OUT))
    assert note_texts.describe(stored) == "No clear answer: The provider left it out of its answer."


def test_the_timeline_tells_our_own_reason_from_a_message_of_the_provider() -> None:
    def described(panel_error: str) -> str:
        event = OrderEvent(kind=EventKind.IN_DOUBT, data={"panel_error": panel_error})
        return formatting.describe_event(event, {}, describe_note=note_texts.describe)

    assert (
        described(notes.encode(Note.NO_ANSWER, seconds="30")) == "Reason: No answer within 30 s. The request was sent."
    )
    assert described("Try again later") == "Provider message: “Try again later”"


def test_what_a_provider_said_is_shown_as_it_is() -> None:
    for text in (
        "",
        "Low balance",
        "100 % wrong",
        '{"error": "x"}',
        '{"note": "nonsense"}',
        '{"note": [1]}',
        '{"note":',
    ):
        assert note_texts.describe(text) == text


def test_a_provider_cannot_break_a_page_with_a_text_that_looks_like_a_note() -> None:
    assert "API key" in note_texts.describe('{"note": "key_rejected"}')
    assert "[1]" in note_texts.describe('{"note": "key_rejected", "message": [1]}')


@pytest.mark.parametrize("message", ["x" * 2000, '"\\' * 1000, "\n" * 700, "я" * 600])
def test_a_long_message_is_shortened_until_the_column_holds_the_note(message: str) -> None:
    stored = notes.encode(Note.UNCLEAR, count=3, message=message)
    assert len(stored) <= LONGEST
    decoded = notes.decode(stored)
    assert decoded is not None
    assert message.startswith(str(decoded[1]["message"]))
    assert decoded[1]["message"]


@pytest.mark.parametrize("language", ["en", "ru", "tr", "ar"])
def test_every_text_names_only_data_and_no_bare_percent_sign(language: str) -> None:
    with override(language):
        for text in note_texts.TEXTS.values():
            assert "%" not in re.sub(r"%\([a-z]+\)s", "", str(text))
