"""Reads what panels answer: tolerant of every form seen in the field, total, and never guessing about money. Pure.

Reads (balance, services, status) raise Refused or UnreadableAnswer and change nothing. ``read_add`` alone decides
whether something was bought; everything that is not plainly "yes" or "no" is OutcomeUnknown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from orders import kinds, money
from orders.errors import InvalidAmount
from orders.lifecycle import Progress, Status
from providers.dialect import Answer, Balance, Dialect, Listed
from providers.errors import OutcomeUnknown, Refused, UnreadableAnswer

MAX_ID = 64
MAX_WORDS = 500
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
#: Refusals by what they say: the first fragment found decides. All mean that nothing was bought.
REFUSALS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("duplicate", ("active order with this link", "link_duplicate", "same link", "wait until order")),
    ("funds", ("not enough funds", "not_enough_funds", "insufficient", "sufficient balance")),
    ("busy", ("too many requests", "rate limit", "maintenance")),
    ("key", ("api key", "api is disable", "unauthorized", "account is inactive", "suspended", "account_banned")),
    ("service", ("service id", "incorrect_service", "service is inactive", "disabled service", "service not found")),
    ("quantity", ("quantity", "minimum number", "maximum number")),
    ("link", ("bad link", "neworder.error.link", "invalid link")),
    ("request", ("incorrect request", "required", "action is invalid", "invalid action", "does not support")),
)
#: HTTP statuses that, together with a readable error in words we do not know, still say why nothing was done.
REFUSING: Mapping[int, str] = {401: "key", 402: "funds", 403: "key"}
#: HTTP statuses of walls in front of a panel: where a page comes instead of JSON, the next order gets it too.
_WALLS = frozenset({*range(300, 400), 403, 404, 405, 503})
#: What panels say about an order that is not ours, or that does not exist.
_FOREIGN = ("incorrect order", "invalid order", "order not found", "not exist", "unauthorized access to order")
#: An order's number as a panel writes it: whole, or letters and digits with at least one digit, and nothing around it.
_NUMBER = re.compile(r"(?=\D*\d)[0-9A-Za-z][0-9A-Za-z_-]{0,63}", re.ASCII)
#: A rate from here on is how panels say "not for sale" (99999999, 1e12); it may still be a price in dong.
ABSURD_RATE = 10_000_000
_UNKEPT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")


def parse(answer: Answer, dialect: Dialect, *, is_lenient: bool = False) -> Any:
    """The JSON in ``answer``, numbers exact. Raises UnreadableAnswer for anything else.

    Lenient: a number that we would not accept (NaN, a hundred digits) becomes a text: it spoils one row, not the list.
    """
    constant, whole = (str, _short_int_or_text) if is_lenient else (_no_constant, _short_int)
    pairs = None if is_lenient else _no_twins
    for text in (answer.text, dialect.repair(answer.text) if dialect.repair else ""):
        try:
            return json.loads(
                text, parse_float=Decimal, parse_constant=constant, parse_int=whole, object_pairs_hook=pairs
            )
        except (ValueError, RecursionError):
            continue
    raise UnreadableAnswer(f"HTTP {answer.status}, not JSON: {shorten(answer.text)}")


def error_of(body: Any) -> str:
    """The error text in a parsed body, "" if it carries none; ``error`` and ``errors`` count whatever else is there."""
    if not isinstance(body, dict):
        return ""
    for name in ("error", "errors"):
        if body.get(name):
            return shorten(_flat_text(body[name]))
    return ""


def reason_of(words: str) -> str:
    """Why a panel refused, by its words; "" for a text we do not know."""
    text = words.lower()
    for reason, fragments in REFUSALS:
        if any(fragment in text for fragment in fragments):
            return reason
    return ""


def shorten(text: str) -> str:
    """``text`` on one line and short enough to keep."""
    line = _line(str(text), None)
    return line if len(line) <= MAX_WORDS else line[:MAX_WORDS] + "…"


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


def read_services(answer: Answer, dialect: Dialect) -> list[Listed]:
    """The price list, one Listed for every row; ``problem`` says why a row cannot be sold.

    A row without a usable number has ``upstream_id`` "". Raises Refused or UnreadableAnswer if the list is broken.
    """
    body = parse(answer, dialect, is_lenient=True)
    if isinstance(body, str):  # a list that was turned into JSON twice
        body = parse(Answer(status=answer.status, text=body), dialect, is_lenient=True)
    if error_of(body):
        raise Refused(error_of(body), reason=reason_of(error_of(body)) or "other")
    if isinstance(body, dict):
        body = next((body[name] for name in ("services", "data") if isinstance(body.get(name), list)), body)
    if not isinstance(body, list):
        raise UnreadableAnswer(f"not a list of services: {shorten(answer.text)}")
    seen: set[str] = set()
    rows = []
    for raw in body:
        row = _listed(raw if isinstance(raw, dict) else {}, dialect)
        if row.upstream_id in seen:
            row = replace(row, problem="the number was in the list before; the first row counts")
        elif row.upstream_id:
            seen.add(row.upstream_id)
        rows.append(row)
    return rows


# ------------------------------------------------------------------------------------------------ pieces


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number we accept")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name that stands twice: one of the two is not true")
    return found


def _short_int(digits: str) -> int:
    if len(digits) > 40:
        raise ValueError("a number of more than 40 digits")
    return int(digits)


def _short_int_or_text(digits: str) -> int | str:
    return int(digits) if len(digits) <= 40 else digits


def _line(value: Any, most: int | None) -> str:
    """``value`` as one line of at most ``most`` characters. A NUL or half a character no database would take."""
    if not isinstance(value, (str, int, Decimal)) or isinstance(value, bool):
        return ""
    return _UNKEPT.sub("", " ".join(str(value).split()))[:most].rstrip()


def _object(answer: Answer, dialect: Dialect) -> dict[str, Any]:
    body = parse(answer, dialect)
    if error_of(body):
        raise Refused(error_of(body), reason=reason_of(error_of(body)) or "other")
    if not isinstance(body, dict):
        raise UnreadableAnswer(f"not an object: {shorten(answer.text)}")
    return body


def _flat_text(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(_flat_text(item) for item in value.values())
    if isinstance(value, list):
        return "; ".join(_flat_text(item) for item in value)
    return str(value)


def scalar(value: Any) -> str:
    """An id as text, "" for what cannot be one: nothing, yes/no, zero and below, numbers with decimals, long texts."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return ""
    text = str(value).strip()
    is_fine = 0 < len(text) <= MAX_ID and text.isprintable() and not text.startswith("-") and text.strip("0")
    return text if is_fine else ""


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
        start_count=_whole(row.get("start_count")),
        remains=_whole(row.get("remains")),
        charge=_amount(row.get("charge")),
        currency=str(row.get("currency") or "").strip().upper()[:3],
        posts=_whole(row.get("posts")),
    )


def _amount(value: Any) -> Decimal | None:
    try:
        return money.parse_wire(value)
    except InvalidAmount:
        return None


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and len(value) < 19 and value.isascii() and value.isdigit():
        return int(value)  # nearly always: a hundred statuses have two hundred of them
    amount = _amount(value)
    return int(amount) if amount is not None and amount == amount.to_integral_value() and abs(amount) < 2**62 else None


def _flag(value: Any) -> bool:
    return value is True or str(value).strip().lower() in ("1", "true", "yes")


def _listed(row: Mapping[str, Any], dialect: Dialect) -> Listed:
    """One row, cleaned, with the first reason why it cannot be sold."""
    upstream_id, name = scalar(row.get("service")), _line(row.get("name"), 255)
    type_name = _line(row.get("type"), 64) or "Default"
    kind = kinds.from_wire(type_name)
    rate, low, high = _amount(row.get("rate")), _whole(row.get("min")), _whole(row.get("max"))
    problem = _not_a_service(upstream_id, name) or _problem(kind, dialect, type_name, rate, low, high)
    low = min(max(low or 1, 1), 2**62)
    return Listed(
        upstream_id=upstream_id,
        name=name,
        category=_line(row.get("category"), 200),
        type_name=type_name,
        kind=kind.code if kind else "",
        rate=money.round_up(rate, money.RATE_QUANTUM) if rate is not None and not problem else Decimal(0),
        is_flat=bool(kind and kind.is_flat),
        min_quantity=low,
        max_quantity=max(high or low, low),
        has_refill=_flag(row.get("refill")),
        has_cancel=_flag(row.get("cancel")),
        has_dripfeed=_flag(row["dripfeed"] if "dripfeed" in row else _runs_unsaid(kind, dialect)),
        description=_UNKEPT.sub("", str(row.get("desc") or row.get("description") or "").strip()[:5000]),
        currency=_line(row.get("currency"), 3).upper(),
        problem=problem,
    )


def _runs_unsaid(kind: kinds.Kind | None, dialect: Dialect) -> bool:
    """Whether an offer has drip-feed of which the list does not say."""
    return dialect.has_runs_unsaid and kind is not None and kind.code in dialect.runs


def _not_a_service(upstream_id: str, name: str) -> str:
    if not upstream_id:
        return "not a service: it has no number"
    if not name:
        return "it has no name"
    if not any(character.isalnum() for character in name):
        return "a separator, not a service: its name has no letter or digit"
    return ""


def _problem(
    kind: kinds.Kind | None, dialect: Dialect, type_name: str, rate: Decimal | None, low: int | None, high: int | None
) -> str:
    if kind is None:
        return f"unknown type {type_name!r}"
    if kind.code not in dialect.kinds:
        return f"this panel's API cannot order the type {kind.wire}"
    if rate is None:
        return "no readable rate"
    if rate <= 0:
        return "the rate is zero or below"
    if rate >= ABSURD_RATE:
        return f"the rate is absurd: {ABSURD_RATE:,} or more"
    if kind.count is not kinds.Count.ONE and (low is None or high is None):
        return "no readable limits"
    if low is not None and high is not None and high < max(low, 1):
        return "the greatest quantity is below the least"
    return ""
