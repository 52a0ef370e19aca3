"""Reads what panels answer to refill, refill_status and cancel: every form seen in the field, by id. Pure.

A request was taken or refused only where the panel plainly says so; an id that its answer leaves out, or says nothing
plain about, is missing from the result, and whoever asked treats that as in doubt.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from providers.dialect import Answer, Dialect
from providers.errors import OutcomeUnknown, Refused, UnreadableAnswer
from providers.panels.bodies import parse, scalar, shorten
from providers.panels.error_texts import REFUSING, error_of, reason_of
from providers.panels.numbers import read_amount

T = TypeVar("T")


class Stage(StrEnum):
    """Where a panel says that a refill stands. ``UNCLEAR`` ended in a way that a person has to look at."""

    SENT = "sent"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    REJECTED = "rejected"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class RefillReport:
    """One report about a refill; ``stage`` is None for a word we do not know."""

    stage: Stage | None
    word: str


@dataclass(frozen=True, slots=True)
class CancelAccepted:
    """The panel took a cancellation request. ``refund`` is what it says it gave back, in its own currency."""

    refund: Decimal | None = None


#: Compared in lower case without blanks, dashes and underscores. A "partial" refill is not what was promised, and an
#: "error" may be the panel's own: neither is passed on as an answer.
REFILL_WORDS: Mapping[str, Stage] = {
    **dict.fromkeys(("pending", "awaiting", "queued", "new", "waiting", "processing"), Stage.SENT),
    **dict.fromkeys(("inprogress", "refilling", "active", "running"), Stage.IN_PROGRESS),
    **dict.fromkeys(("completed", "complete", "success", "done", "refilled"), Stage.COMPLETED),
    **dict.fromkeys(("rejected", "canceled", "cancelled", "canelled", "declined"), Stage.REJECTED),
    **dict.fromkeys(("partial", "partiallycompleted", "error", "fail", "failed"), Stage.UNCLEAR),
}
#: What a refusal means, by its words: "early" may be asked again, "final" is the panel's answer to the customer's wish;
#: the others are ours to look into.
REFUSALS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("early", ("less than 24 hours", "too early", "try again")),
    (
        "final",
        (
            "refill days", "refill period", "not eligible", "not allowed", "not completed", "cannot be cancel",
            "can't be cancel", "can not be cancel", "cannot cancel", "can't cancel", "already completed",
            "already cancel",
        ),
    ),
    ("service", ("is disabled", "not available", "not supported")),
    ("order", ("incorrect order", "invalid order", "order not found", "refill not found", "unauthorized access to")),
)  # fmt: skip
_YES = frozenset({"1", "true", "ok", "yes", "success", "requested", "accepted", "pending", "canceling", "cancelling"})


def read_refill(answer: Answer, dialect: Dialect, ids: list[str]) -> dict[str, str | Refused]:
    """By order id: the number of its refill at the panel, or the Refused. Raises Refused (of all) or OutcomeUnknown."""
    return _read_write(answer, dialect, ids, _refill_number)


def read_cancel(answer: Answer, dialect: Dialect, ids: list[str]) -> dict[str, CancelAccepted | Refused]:
    """By order id: CancelAccepted where the request was taken, or the Refused. Raises Refused (of all) or
    OutcomeUnknown.

    A taken request is no cancellation yet: what came of it is seen in the order's status.
    """
    return _read_write(answer, dialect, ids, _cancel_accepted)


def read_refill_status(answer: Answer, dialect: Dialect, ids: list[str]) -> dict[str, RefillReport | str]:
    """By refill id: its report, or the panel's error text. Raises Refused or UnreadableAnswer where nothing is said."""
    body = parse(answer, dialect)
    words = error_of(body)
    if words and (len(ids) > 1 or refusal_of(words) in ("key", "busy", "funds")):
        raise Refused(words, reason=refusal_of(words))
    found = {asked: _report(row) for asked, row in _rows(body, ids, "refill").items()}
    reports = {asked: report for asked, report in found.items() if report is not None}
    if not reports and body not in ({}, []):
        raise UnreadableAnswer(f"nothing about these refills in: {shorten(answer.text)}")
    return reports


def refusal_of(words: str) -> str:
    """Why a panel refused: "early", "final", a reason of ``reading.REFUSALS``, or "other"."""
    text = words.lower()
    for reason, fragments in REFUSALS:
        if any(fragment in text for fragment in fragments):
            return reason
    return reason_of(words) or "other"


# ------------------------------------------------------------------------------------------------ pieces


def _read_write(
    answer: Answer, dialect: Dialect, ids: list[str], read: Callable[[Any], T | Refused | None]
) -> dict[str, T | Refused]:
    if answer.status == 429:
        raise Refused(f"HTTP 429: {shorten(answer.text)}", reason="busy")
    try:
        body = parse(answer, dialect)
    except UnreadableAnswer as unreadable:
        raise OutcomeUnknown(unreadable.words) from None
    words, is_success = error_of(body), 200 <= answer.status < 300
    if words:
        reason = refusal_of(words)
        reason = REFUSING.get(answer.status, reason) if reason == "other" else reason
        if reason != "other" and (is_success or 400 <= answer.status < 500):
            raise Refused(words, reason=reason)
        raise OutcomeUnknown(f"HTTP {answer.status}: {words}")
    read_rows = {asked: read(row) for asked, row in _rows(body, ids, "order").items()}
    results = {
        asked: result
        for asked, result in read_rows.items()
        if isinstance(result, Refused) or (is_success and result is not None)
    }
    if not results:
        raise OutcomeUnknown(f"HTTP {answer.status}, no plain answer: {shorten(answer.text)}")
    return results


def _rows(body: Any, ids: list[str], name: str) -> dict[str, Any]:
    """The row about each id: from an object keyed by id, a list of rows that name theirs, or one row for one id."""
    if isinstance(body, list):
        rows = [row for row in body if isinstance(row, dict)]
        named = {_first(row, name, f"{name}_id", "id"): row for row in rows}
        if len(ids) == len(rows) == 1 and not any(named):
            return {ids[0]: rows[0]}
        return {asked: named[asked] for asked in ids if asked in named}
    if not isinstance(body, dict):
        return {}
    keyed = {str(key).strip(): row for key, row in body.items()}
    if any(asked in keyed for asked in ids):
        return {asked: keyed[asked] for asked in ids if asked in keyed}
    return {ids[0]: body} if len(ids) == 1 else {}


def _first(row: Mapping[str, Any], *names: str) -> str:
    return next((found for name in names if (found := scalar(row.get(name)))), "")


def _refused(row: Any, name: str) -> Refused | None:
    """The refusal in a row: ``{"error": ..}``, the same under ``name``, or a bare text that is one."""
    value = row.get(name) if isinstance(row, dict) else row
    words = error_of(row) or error_of(value)
    if not words and isinstance(value, str) and refusal_of(value) != "other":
        words = shorten(value)
    return Refused(words, reason=refusal_of(words)) if words else None


def _refill_number(row: Any) -> str | Refused | None:
    refused = _refused(row, "refill")
    if refused or not isinstance(row, dict):
        return refused
    value = row.get("refill")
    if isinstance(value, dict):
        return _first(value, "refill", "id", "refill_id") or None
    return _first(row, "refill", "refill_id") or None


def _cancel_accepted(row: Any) -> CancelAccepted | Refused | None:
    refused = _refused(row, "cancel")
    if refused or not isinstance(row, dict):
        return refused
    values = [row.get(name) for name in ("cancel", "ok", "success", "status", "result")]
    if any(str(value).strip().lower() in _YES for value in values if isinstance(value, (str, int))):
        return CancelAccepted(read_amount(row.get("refund")))
    return None


def _report(row: Any) -> RefillReport | str | None:
    value = row.get("status") if isinstance(row, dict) else row
    words = error_of(row) or error_of(value)
    if words:
        return words
    if not isinstance(value, str) or not value.strip():
        return None
    word = shorten(value)
    stage = REFILL_WORDS.get(re.sub(r"[\s_-]+", "", word.lower()))
    # A bare text instead of a row is a word of the list or an error.
    return RefillReport(stage, word) if stage or isinstance(row, dict) else word
