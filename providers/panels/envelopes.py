"""Open the envelopes of an answer, and find the error in it. Pure.

Many panels wrap their data: ``{"status": "success", "data": {...}}``. The envelope's own ``status`` says whether the
call worked; it is never the status of an order. Errors come as ``{"error": ...}``, ``{"errors": {...}}``,
``{"status": "error", "message": ...}``, ``{"success": false, "msg": ...}``, ``{"error": true, "message": ...}``,
``{"message": ...}`` with HTTP 401, ``{"status": false, "data": "..."}``, and nested in ``data``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from providers.errors import Refused, UnreadableAnswer
from providers.http.messages import Answer
from providers.panels.bodies import shorten
from providers.panels.error_texts import ACCOUNT_REASONS, REFUSING, is_fault, is_foreign, rejection_reason

#: The names of an envelope's contents.
CONTENTS = ("data", "order", "orders", "result", "results", "response", "payload", "status")
#: The names of fields with an error, and with a text about it.
ERRORS = ("error", "errors", "err", "error_message", "errormessage", "error_msg", "exception")
MESSAGES = ("message", "msg", "messages", "detail", "details", "error_description", "reason", "title")
#: Names whose value tells whether the call worked.
FLAGS = ("status", "success", "ok", "result", "response")
CODE_NAMES = ("code", "error_code", "errorcode", "slug")
CODES = ("code", "statuscode", "status_code")
#: The words of an envelope for success and failure. None of them alone is the status of an order.
WORKED = frozenset({"success", "successful", "succeeded", "ok", "true", "yes"})
FAILED = frozenset({"error", "errors", "err", "fail", "failed", "failure", "false", "no", "ko", "nok", "exception"})
#: Values of ``error`` if there is no error, or if its text is in another field.
_NO_ERROR = frozenset({"", "0", "false", "no", "none", "null", "nil", "-", "no error", "no errors", "ok", "success"})
_ERROR_ELSEWHERE = frozenset({"1", "true", "yes", "error", "errors", "fail", "failed"})
#: Fields that only a report about an order has.
REPORT_FIELDS = ("remains", "start_count", "charge", "remain", "start_counter", "remaining")
_DEPTH, _MOST_TEXTS = 4, 20


@dataclass(frozen=True, slots=True)
class Texts:
    """What an answer says in words. ``error``: in a place that makes it an error. ``note``: without any such sign.

    ``is_failed``: the answer says that the call failed; ``is_done``: that it worked.
    """

    error: str
    note: str
    is_failed: bool
    is_done: bool


def layers(body: Any, names: Sequence[str] = CONTENTS) -> list[Any]:
    """Return the objects and lists in ``body``: itself, then what its envelopes hold, from the outside in.

    A list of one object holds that object.
    """
    found = [body] if isinstance(body, (dict, list)) else []
    for layer in found:  # grows while it is walked
        if len(found) >= _MOST_TEXTS:
            break
        if isinstance(layer, dict):
            found += [layer[name] for name in names if isinstance(layer.get(name), (dict, list))]
        elif len(layer) == 1 and isinstance(layer[0], dict):
            found.append(layer[0])
    return found[:_MOST_TEXTS]


def find_error(body: Any, http_status: int = 200) -> str:
    """Return the error text in ``body``, "" if it carries none."""
    return find_texts(body, http_status).error


def find_texts(body: Any, http_status: int = 200) -> Texts:
    """Return what ``body`` says in words, and whether it says that the call failed.

    With an HTTP status of 400 and above every text is an error.
    """
    if isinstance(body, str):
        is_failed = http_status >= 400
        return Texts(shorten(body) if is_failed else "", "" if is_failed else shorten(body), is_failed, False)
    if isinstance(body, list):
        return _texts_in_list(body, http_status)
    if not isinstance(body, dict):
        return Texts("", "", http_status >= 400, False)
    found = _Found()
    _look(body, found, depth=0)
    is_failed = found.is_failed or http_status >= 400
    said = _join(found.errors + found.notes)
    if not is_failed:
        return Texts("", _join(found.notes), False, found.is_done)
    if not said and found.is_failed:
        said = shorten(_join(_flatten(body)) or "an error without a text")
    return Texts(said, "", True, found.is_done)


def raise_error_in_read(answer: Answer, body: Any) -> None:
    """Raise Refused or UnreadableAnswer if ``body``, the answer to a read, is an error or came with an HTTP error."""
    words = find_error(body, answer.status)
    if words and answer.status < 500:
        raise Refused(words, reason=reason_in_read(words, answer.status))
    raise_unless_success(answer)


def raise_unless_success(answer: Answer) -> None:
    """Raise UnreadableAnswer for an HTTP status that is not 2xx: whatever the body looks like, it is no report."""
    if not 200 <= answer.status < 300:
        raise UnreadableAnswer(f"HTTP {answer.status}: {shorten(answer.text)}")


def reason_in_read(words: str, http_status: int) -> str:
    """Return why a panel refused a read: "key", "funds", "busy", or "other" for what may concern this one alone."""
    reason = rejection_reason(words)
    if reason in ACCOUNT_REASONS:
        return reason
    # A 403 about an order ("Unauthorized access to order status") says nothing about our key.
    return "other" if is_foreign(words) or reason else REFUSING.get(http_status, "other")


def has_report_fields(row: Mapping[str, Any]) -> bool:
    """Return whether ``row`` has a field that only a report about an order has."""
    return any(row.get(name) is not None for name in REPORT_FIELDS)


def flag_of(value: Any) -> bool | None:
    """Return whether an envelope's ``status``, ``success`` or the like says yes or no; None if it says neither."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, Decimal)):
        return _flag_of_code(int(value)) if -10_000 < value < 10_000 else None
    if not isinstance(value, str):
        return None
    word = value.strip().lower()
    if word in WORKED:
        return True
    if word in FAILED:
        return False
    return _flag_of_code(int(word)) if word.isascii() and word.isdigit() and len(word) < 5 else None


# ------------------------------------------------------------------------------------------------ pieces


class _Found:
    """The texts found so far while the layers of one body are read."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.notes: list[str] = []
        self.is_failed = self.is_done = False


def _look(body: Mapping[str, Any], found: _Found, *, depth: int) -> None:
    fields = _lower_names(body)
    for name in ERRORS:
        value = fields.get(name)
        if _is_no_error(value):
            continue
        found.is_failed = True
        texts = _flatten(value)
        found.errors += [text for text in texts if text.strip().lower() not in _ERROR_ELSEWHERE]
    notes = [text for name in MESSAGES for text in _flatten(fields.get(name))]
    if notes:
        notes += _codes(fields)
    found.notes += notes
    for name in FLAGS:
        flag = flag_of(fields.get(name))
        if flag is None or (name == "status" and _is_report_with_notes(fields, notes)):
            continue  # the status of an order, "Fail" for example
        found.is_done |= flag
        found.is_failed |= not flag
    for name in CODES:
        code = fields.get(name)
        found.is_failed |= flag_of(code) is False and str(code) not in ("0", "False")
    for name in CONTENTS:
        value = fields.get(name)
        if isinstance(value, dict) and depth < _DEPTH:
            _look(value, found, depth=depth + 1)
        elif isinstance(value, str) and name != "status" and " " in value.strip():
            found.notes.append(value)
        elif isinstance(value, list) and value and all(isinstance(item, str) and " " in item for item in value):
            found.notes += value[:_MOST_TEXTS]


def _is_report_with_notes(fields: Mapping[str, Any], notes: list[str]) -> bool:
    """Return whether this is a report about an order, whatever its ``message`` says about that order."""
    return has_report_fields(fields) and not any(
        is_fault(note) or is_foreign(note) or rejection_reason(note) in ACCOUNT_REASONS for note in notes
    )


def _texts_in_list(body: list[Any], http_status: int) -> Texts:
    """Return the texts in a list; it is an error if it contains only sentences, or one object that is an error."""
    if body and all(isinstance(item, str) for item in body):
        return find_texts(_join(body), http_status)
    if len(body) == 1 and isinstance(body[0], dict) and not _names_an_order(body[0]):
        return find_texts(body[0], http_status)
    return Texts("", "", http_status >= 400, False)


def _names_an_order(row: Mapping[str, Any]) -> bool:
    return any(row.get(name) for name in ("order", "order_id", "id", "refill"))


def _lower_names(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``body`` with names in lower case; one with many names is keyed by order and stays as it is."""
    if len(body) > 40 or all(name.islower() or name.isdigit() for name in body):
        return body
    return {name.strip().lower(): value for name, value in body.items()}


def _flag_of_code(code: int) -> bool | None:
    if code == 1 or code == 100 or 200 <= code < 300:
        return True
    return False if code == 0 or 400 <= code < 600 else None


def _is_no_error(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in _NO_ERROR
    return not value


def _flatten(value: Any, depth: int = 0) -> list[str]:
    """Return the texts in ``value``; of an object that has a message, that and its code."""
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, (str, int, Decimal)):
        return [text] if (text := str(value).strip()) else []
    if depth >= _DEPTH:
        return []
    if isinstance(value, dict):
        fields = _lower_names(value)
        messages = [text for name in (*ERRORS, *MESSAGES) for text in _flatten(fields.get(name), depth + 1)]
        if messages:
            return (messages + _codes(fields))[:_MOST_TEXTS]
        value = list(value.values())
    if not isinstance(value, list):
        return []
    return [text for item in value[:_MOST_TEXTS] for text in _flatten(item, depth + 1)][:_MOST_TEXTS]


def _codes(fields: Mapping[str, Any]) -> list[str]:
    """Return the code of an error if it is a word: "INSUFFICIENT_FUNDS" says more than a message in any language."""
    values = [fields.get(name) for name in CODE_NAMES]
    return [value for value in values if isinstance(value, str) and not value.strip().isdigit() and value.strip()]


def _join(texts: list[str]) -> str:
    return shorten("; ".join(dict.fromkeys(texts)))


def walk(body: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield every (name in lower case, value) in ``body``, at any depth, within limits."""
    if depth > 6:
        return
    if isinstance(body, dict):
        for name, value in body.items():
            yield str(name).strip().lower(), value
            yield from walk(value, depth + 1)
    elif isinstance(body, list):
        for value in body[:_MOST_TEXTS]:
            yield from walk(value, depth + 1)
