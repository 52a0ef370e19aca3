"""Reads what panels answer: tolerant of every form seen in the field, total, and never guessing about money. Pure.

Reads (balance, status) raise Refused or UnreadableAnswer and change nothing. ``read_add`` alone decides
whether something was bought; everything that is not plainly "yes" or "no" is OutcomeUnknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from orders import money
from orders.errors import InvalidAmount
from orders.lifecycle import Progress, Status
from providers.dialect import Answer, Balance, Dialect
from providers.errors import OutcomeUnknown, Refused, UnreadableAnswer
from providers.panels.bodies import parse, scalar, shorten
from providers.panels.error_texts import REFUSING, error_of, reason_of
from providers.panels.numbers import read_amount, read_whole

#: What the panels' words mean, compared in lower case without blanks, dashes and underscores.
STATUS_WORDS: Mapping[str, Status] = {
    **dict.fromkeys(("pending", "awaiting", "queued", "new", "waiting"), Status.PENDING),
    "processing": Status.PROCESSING,
    # A subscription that rests: the least that a followed order can be, so nothing changes.
    "paused": Status.PENDING,
    "expired": Status.PARTIAL,
    **dict.fromkeys(("inprogress", "active", "running", "refilling"), Status.IN_PROGRESS),
    **dict.fromkeys(("completed", "complete", "success", "done"), Status.COMPLETED),
    **dict.fromkeys(("partial", "partiallycompleted"), Status.PARTIAL),
    **dict.fromkeys(("canceled", "cancelled", "canelled", "cancel", "refunded", "refund", "refunds"), Status.CANCELED),
    **dict.fromkeys(("failed", "fail", "error", "rejected"), Status.FAILED),
}
#: HTTP statuses of walls in front of a panel: where a page comes instead of JSON, the next order gets it too.
_WALLS = frozenset({*range(300, 400), 403, 404, 405, 503})
#: What panels say about an order that is not ours, or that does not exist.
_FOREIGN = ("incorrect order", "invalid order", "order not found", "not exist", "unauthorized access to order")
#: An order's number as a panel writes it: whole, or letters and digits with at least one digit, and nothing around it.
_NUMBER = re.compile(r"(?=\D*\d)[0-9A-Za-z][0-9A-Za-z_-]{0,63}", re.ASCII)


def read_balance(answer: Answer, dialect: Dialect) -> Balance:
    """The money left at the panel. Thousands separators and a currency behind the number are understood."""
    body = _object(answer, dialect)
    text = re.sub(r"[A-Za-z$€₽₺\s]", "", str(body.get("balance", "")).replace(",", ""))
    try:
        amount = money.parse_wire(text)
    except InvalidAmount:
        raise UnreadableAnswer(f"no balance in: {shorten(answer.text)}") from None
    return Balance(amount, str(body.get("currency") or "").strip().upper()[:3])


def read_add(answer: Answer, dialect: Dialect) -> str:
    """The new order's id at the panel, as text.

    Raises Refused when the panel says readably that it did not do it, OutcomeUnknown in every other case. Total: what
    is not named here is unknown.
    """
    try:
        body = parse(answer, dialect)
    except UnreadableAnswer as unreadable:
        if answer.status == 429:
            raise Refused(unreadable.words, reason="busy") from None
        raise OutcomeUnknown(unreadable.words, is_lasting=answer.status in _WALLS) from None
    words, named = error_of(body), _named(body)
    is_success = 200 <= answer.status < 300
    if answer.status == 429 and not named:
        raise Refused(f"HTTP 429: {words or shorten(answer.text)}", reason="busy")
    if words and not named and (is_success or 400 <= answer.status < 500):
        reason = reason_of(words) or REFUSING.get(answer.status, "")
        if reason:
            raise Refused(words, reason=reason)
        raise OutcomeUnknown(f"HTTP {answer.status}: {words}", said=words)
    if is_success and not words and named and is_number(named):
        return str(named)
    raise OutcomeUnknown(
        f"HTTP {answer.status}, no plain order id: {shorten(answer.text)}",
        upstream_id=scalar(named),
        is_lasting=bool(words and named) or answer.status in range(300, 400),
    )


def is_number(value: Any) -> bool:
    """Whether ``value`` is an order's number as panels write them: digits up to 2^63, or letters and digits."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return False
    text = str(value)
    return bool(_NUMBER.fullmatch(text) and text.strip("0")) and not (text.isdigit() and int(text) >= 2**63)


def is_foreign(words: str) -> bool:
    """Whether a panel's words about a number say that no order of ours has it."""
    return any(fragment in words.lower() for fragment in _FOREIGN)


def read_status(answer: Answer, dialect: Dialect, ids: list[str]) -> dict[str, Progress | str]:
    """Reports by order id: a Progress, or the panel's error text for that order. Ids it left out are left out.

    Raises Refused or UnreadableAnswer when the answer as a whole says nothing about these orders.
    """
    if answer.status == 429:
        raise Refused(f"HTTP 429: {shorten(answer.text)}", reason="busy")
    body = parse(answer, dialect)
    if isinstance(body, dict) and len(ids) == 1 and "status" in body and ids[0] not in body:
        return {ids[0]: _progress(body, dialect)}
    words = error_of(body)
    if words and len(ids) == 1 and reason_of(words) in ("", "request"):
        return {ids[0]: words}
    if words:
        raise Refused(words, reason=reason_of(words) or "other")
    rows = dict(_rows(body))
    reports = {upstream_id: _report(rows[upstream_id], dialect) for upstream_id in ids if upstream_id in rows}
    if not reports and body not in ({}, []):
        raise UnreadableAnswer(f"nothing about these orders in: {shorten(answer.text)}")
    return reports


# ------------------------------------------------------------------------------------------------ pieces


def _object(answer: Answer, dialect: Dialect) -> dict[str, Any]:
    body = parse(answer, dialect)
    if error_of(body):
        raise Refused(error_of(body), reason=reason_of(error_of(body)) or "other")
    if not isinstance(body, dict):
        raise UnreadableAnswer(f"not an object: {shorten(answer.text)}")
    return body


def _named(body: Any) -> Any:
    """What stands where the order's number belongs, if it is anything; None for nothing, zero, "" and false."""
    if not isinstance(body, dict):
        return None
    return next((body[name] for name in ("order", "order_id", "id") if body.get(name) not in (None, "", 0, "0")), None)


def _id_in(body: Any) -> str:
    if not isinstance(body, dict):
        return ""
    return next((found for name in ("order", "order_id", "id") if (found := scalar(body.get(name)))), "")


def _rows(body: Any) -> Iterator[tuple[str, Any]]:
    """(id, row) of an answer to many: an object keyed by id, or a list of rows that name theirs."""
    if isinstance(body, dict):
        yield from ((str(name).strip(), row) for name, row in body.items() if isinstance(row, (dict, str)))
    elif isinstance(body, list):
        yield from ((_id_in(row), row) for row in body if isinstance(row, dict) and _id_in(row))


def _report(row: Any, dialect: Dialect) -> Progress | str:
    if isinstance(row, str):
        return shorten(row)
    return error_of(row) or _progress(row, dialect)


def _progress(row: Mapping[str, Any], dialect: Dialect) -> Progress:
    word = shorten(str(row.get("status") or ""))
    plain = re.sub(r"[\s_-]+", "", word.lower())
    return Progress(
        status=dialect.words.get(plain) or STATUS_WORDS.get(plain),
        word=word,
        start_count=read_whole(row.get("start_count")),
        remains=read_whole(row.get("remains")),
        charge=read_amount(row.get("charge")),
        currency=str(row.get("currency") or "").strip().upper()[:3],
        posts=read_whole(row.get("posts")),
    )
