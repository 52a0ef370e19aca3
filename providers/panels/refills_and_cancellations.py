"""Read the answers to ``refill``, ``refill_status`` and ``cancel``, by id. Pure.

A request counts as accepted or refused only if the panel clearly says so. Ids without a clear answer are left out of
the result, and the caller treats their outcome as unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from providers.errors import OutcomeUnknown, Refused, UnreadableAnswer
from providers.http.messages import Answer
from providers.panels.bodies import is_order_number, parse_or_text, scalar, shorten, whole_id
from providers.panels.dialect import Dialect
from providers.panels.envelopes import find_error, find_texts, flag_of, layers, raise_error_in_read
from providers.panels.error_texts import ACCOUNT_REASONS, REFUSING, normalize, refusal_reason
from providers.panels.numbers import read_amount

T = TypeVar("T")


class Stage(StrEnum):
    """The status of a refill at the panel. ``UNCLEAR`` has ended in a way that an operator has to check."""

    SENT = "sent"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    REJECTED = "rejected"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class RefillReport:
    """One report about a refill; ``stage`` is None for an unknown status word."""

    stage: Stage | None
    panel_status: str


@dataclass(frozen=True, slots=True)
class CancelAccepted:
    """The panel accepted a cancellation request; ``refund`` is the amount it says it returned, in its currency."""

    refund: Decimal | None = None


#: Status words of refills, compared normalized and without blanks. "Partial" is not what was promised, and "error" may
#: be a fault of the panel, so neither is passed on to the customer.
_WORDS: Mapping[Stage, str] = {
    Stage.SENT: """
        pending awaiting queued queue inqueue new waiting processing created accepted requested
        ожидание вожидании вобработке beklemede bekliyor isleniyor pendente pendiente aguardando menunggu diproses
        قيدالانتظار قيدالمعالجه लंबित
        """,
    Stage.IN_PROGRESS: """
        inprogress refilling active running started вработе впроцессе выполняется devamediyor قيدالتنفيذ emandamento
        enprogreso berjalan
        """,
    Stage.COMPLETED: """
        completed complete success done refilled finished выполнен выполнено завершен tamamlandi مكتمل concluido
        completado selesai पूर्ण
        """,
    Stage.REJECTED: """
        rejected canceled cancelled canelled declined denied refused отклонен отклонено отменен отменено reddedildi
        iptal iptaledildi مرفوض ملغي rejeitado recusado cancelado rechazado ditolak dibatalkan अस्वीकृत
        """,
    Stage.UNCLEAR: "partial partiallycompleted error fail failed ошибка hata erro gagal",
}
REFILL_WORDS: Mapping[str, Stage] = {normalize(word): stage for stage, text in _WORDS.items() for word in text.split()}
_YES_WORDS = """
    1 true ok yes success requested accepted pending canceling cancelling canceled cancelled processing done
    """
_YES = frozenset(_YES_WORDS.split())
_NEGATIONS = re.compile(
    r"(?<!\S)(?:not|no|cannot|cant|couldnt|unable|fail\S*|error\S*|already|impossible|denied|rejected|refused|invalid|"
    r"не|нельзя|невозможно|уже|ошибка|degil|yok|zaten|\S*emez|\S*amaz|لا|غير|لم|nao|ya|ja|tidak|sudah|gagal|नहीं)(?!\S)"
)


def read_refill(answer: Answer, dialect: Dialect, ids: list[str]) -> dict[str, str | Refused]:
    """Return by order id the number of its refill at the panel, or the Refused error.

    Raises:
        Refused: the panel refused all of them.
        OutcomeUnknown: there is no clear answer.
    """
    return _read_write(answer, dialect, ids, "refill", _refill_number)


def read_cancel(answer: Answer, dialect: Dialect, ids: list[str]) -> dict[str, CancelAccepted | Refused]:
    """Return by order id CancelAccepted, or the Refused error.

    An accepted request is not yet a cancellation; the order's status shows the result.

    Raises:
        Refused: the panel refused all of them.
        OutcomeUnknown: there is no clear answer.
    """
    return _read_write(answer, dialect, ids, "cancel", _cancel_accepted)


def read_refill_status(answer: Answer, dialect: Dialect, ids: list[str]) -> dict[str, RefillReport | str]:
    """Return by refill id its report, or the panel's error text.

    Raises:
        Refused: the panel refuses to answer at all.
        UnreadableAnswer: the answer says nothing about these refills.
    """
    if answer.status == 429:
        raise Refused(f"HTTP 429: {shorten(answer.text)}", reason="busy")
    body = parse_or_text(answer, dialect)
    words = find_error(body, answer.status)
    if words and len(ids) == 1 and answer.status < 500:
        if _is_bare_status(body):  # {"status": "Error"} may be the status of the refill
            words = ""
        elif refusal_reason(words) not in ("key", "busy", "funds") and answer.status not in REFUSING:
            return {ids[0]: words}
    if words:
        raise_error_in_read(answer, body)
    if not 200 <= answer.status < 300:
        raise UnreadableAnswer(f"HTTP {answer.status}: {shorten(answer.text)}")
    rows = _rows_by_id(body, ids, "refill") or _row_of_one(body, ids, "status")
    reports = {asked: report for asked, row in rows.items() if (report := _refill_report(row)) is not None}
    if not reports and layers(body)[-1:] not in ([{}], [[]]):
        raise UnreadableAnswer(f"nothing about these refills in: {shorten(answer.text)}")
    return reports


# ------------------------------------------------------------------------------------------------ writes


def _read_write(
    answer: Answer, dialect: Dialect, ids: list[str], name: str, read: Callable[[Any], T | Refused | None]
) -> dict[str, T | Refused]:
    """Return what ``read`` makes of the row about each id; ``name`` is where a row's own answer stands."""
    if answer.status == 429:
        raise Refused(f"HTTP 429: {shorten(answer.text)}", reason="busy")
    try:
        body = parse_or_text(answer, dialect)
    except UnreadableAnswer as unreadable:
        raise OutcomeUnknown(unreadable.message) from None
    texts = find_texts(body, answer.status)
    rows = _rows_by_id(body, ids, "order")
    if not rows:
        if texts.is_failed or (texts.note and refusal_reason(texts.note) in ACCOUNT_REASONS):
            _raise_refusal(answer, body, texts.error or texts.note, name)
        rows = _row_of_one(body, ids, name)
    results: dict[str, T | Refused] = {}
    if 200 <= answer.status < 500:
        for asked, row in rows.items():
            result = read(row)
            if isinstance(result, Refused) or (result is not None and answer.status < 300):
                results[asked] = result
    if results:
        return results
    if not rows and not texts.is_failed and (reason := refusal_reason(texts.note)) != "other":
        raise Refused(texts.note, reason=reason)
    raise OutcomeUnknown(f"HTTP {answer.status}, no plain answer: {shorten(answer.text)}")


def _raise_refusal(answer: Answer, body: Any, words: str, name: str) -> None:
    """Raise Refused if the panel plainly refused everything, OutcomeUnknown if it failed in any other way."""
    reason = refusal_reason(words)
    if reason == "other":
        reason = REFUSING.get(answer.status, reason)
    # A refusal together with the number of a refill is not clear.
    is_accepted = any(isinstance(layer, dict) and is_order_number(layer.get(name)) for layer in layers(body))
    if reason != "other" and not is_accepted and (200 <= answer.status < 300 or 400 <= answer.status < 500):
        raise Refused(words or f"HTTP {answer.status}", reason=reason)
    raise OutcomeUnknown(f"HTTP {answer.status}: {words or shorten(answer.text)}")


def _refusal_in(row: Any, name: str) -> Refused | None:
    """Return the refusal in a row: ``{"error": ..}``, the same under ``name``, or a text that is one."""
    value = row.get(name) if isinstance(row, dict) else row
    words = find_error(row) if isinstance(row, dict) else ""
    words = words or (find_error(value) if isinstance(value, (dict, list)) else "")
    texts = [value] if isinstance(value, str) else []
    texts += [find_texts(row).note] if isinstance(row, dict) else []
    words = words or next((shorten(text) for text in texts if text and refusal_reason(text) != "other"), "")
    return Refused(words, reason=refusal_reason(words)) if words else None


def _refill_number(row: Any) -> str | Refused | None:
    refused = _refusal_in(row, "refill")
    number = _number_of_refill(row) if isinstance(row, dict) else None
    if refused and number:
        return None  # a number together with a refusal is not clear
    return refused or number


def _number_of_refill(row: Mapping[str, Any]) -> str | None:
    value = row.get("refill")
    inner = value if isinstance(value, dict) else row
    names = ("refill", "refill_id", "id") if isinstance(value, dict) else ("refill", "refill_id")
    for name in names:
        number = inner.get(name)
        number = whole_id(number) if isinstance(number, Decimal) else number
        if is_order_number(number):
            return str(number)
    return None


def _cancel_accepted(row: Any) -> CancelAccepted | Refused | None:
    refused = _refusal_in(row, "cancel")
    if refused or not isinstance(row, dict):
        return refused
    # Where the row has an answer of its own, the envelope's "status": "success" says nothing.
    names = ("cancel",) if "cancel" in row else ("ok", "success", "status", "result")
    said = [row[name] for name in names if isinstance(row.get(name), (str, int))]
    if not said or not any(str(value).strip().lower() in _YES for value in said):
        return None
    if any(flag_of(value) is False for value in said) or _NEGATIONS.search(normalize(find_texts(row).note)):
        return None
    refund = read_amount(row.get("refund"))
    return CancelAccepted(refund if refund is not None and refund >= 0 else None)


# ------------------------------------------------------------------------------------------------ rows


def _rows_by_id(body: Any, ids: list[str], name: str) -> dict[str, Any]:
    """Return the row about each id, from an object keyed by id or a list of rows that name theirs."""
    for layer in layers(body):
        if isinstance(layer, dict):
            keyed = {str(key).strip(): row for key, row in layer.items()}
        else:
            keyed = {_first(row, name, f"{name}_id", "id"): row for row in layer if isinstance(row, dict)}
        rows = {asked: keyed[asked] for asked in ids if asked in keyed}
        if rows:
            return rows
    return {}


def _row_of_one(body: Any, ids: list[str], name: str) -> dict[str, Any]:
    """Return the one row there is, if one id was asked for: the innermost with ``name``, else the whole answer."""
    if len(ids) != 1:
        return {}
    found = layers(body)
    rows = [layer for layer in found if isinstance(layer, dict)]
    rows = [row for row in rows if not (other := _first(row, "order", "order_id")) or other == ids[0]]
    own = [row for row in rows if any(row.get(one) not in (None, []) for one in (name, f"{name}_id"))]
    if own:
        return {ids[0]: own[-1]}
    return {ids[0]: body} if rows and len(found) == 1 and rows[0] is body else {}


def _first(row: Mapping[str, Any], *names: str) -> str:
    return next((found for name in names if (found := scalar(row.get(name)))), "")


# ------------------------------------------------------------------------------------------------ refill_status


def _refill_report(row: Any) -> RefillReport | str | None:
    value = row.get("status") if isinstance(row, dict) else row
    if isinstance(row, dict) and not _is_bare_status(row) and (words := find_error(row)):
        return words
    if isinstance(value, (dict, list)) and (words := find_error(value)):
        return words
    if not isinstance(value, str) or not value.strip():
        return None
    word = shorten(value)
    stage = REFILL_WORDS.get("".join(normalize(word).split()))
    if isinstance(row, dict) and flag_of(word) is True and not _first(row, "refill", "refill_id", "id"):
        return None  # {"status": "success"}: the call's, not the refill's
    # A bare text instead of a row is a word of the list or an error.
    return RefillReport(stage, word) if stage or isinstance(row, dict) else word


def _is_bare_status(row: Any) -> bool:
    """Whether a row says "Error" as the status of a refill, and nothing that would make it an error of the call."""
    if isinstance(row, list) and len(row) == 1:
        row = row[0]
    return isinstance(row, dict) and isinstance(row.get("status"), str) and not row.keys() - {"status", "refill", "id"}
