"""Read the services list of a panel. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from orders import kinds, money
from providers.dialect import Answer, Dialect, Listed
from providers.errors import Refused, UnreadableAnswer
from providers.panels.bodies import UNPRINTABLE, one_line, parse, scalar, shorten
from providers.panels.error_texts import error_of, reason_of
from providers.panels.numbers import read_amount, read_flag, read_whole

#: A rate from here on is how panels say "not for sale" (99999999, 1e12); it may still be a price in dong.
ABSURD_RATE = 10_000_000


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


def _listed(row: Mapping[str, Any], dialect: Dialect) -> Listed:
    """One row, cleaned, with the first reason why it cannot be sold."""
    upstream_id, name = scalar(row.get("service")), one_line(row.get("name"), 255)
    type_name = one_line(row.get("type"), 64) or "Default"
    kind = kinds.from_wire(type_name)
    rate, low, high = read_amount(row.get("rate")), read_whole(row.get("min")), read_whole(row.get("max"))
    problem = _not_a_service(upstream_id, name) or _problem(kind, dialect, type_name, rate, low, high)
    low = min(max(low or 1, 1), 2**62)
    return Listed(
        upstream_id=upstream_id,
        name=name,
        category=one_line(row.get("category"), 200),
        type_name=type_name,
        kind=kind.code if kind else "",
        rate=money.round_up(rate, money.RATE_QUANTUM) if rate is not None and not problem else Decimal(0),
        is_flat=bool(kind and kind.is_flat),
        min_quantity=low,
        max_quantity=max(high or low, low),
        has_refill=read_flag(row.get("refill")),
        has_cancel=read_flag(row.get("cancel")),
        has_dripfeed=read_flag(row["dripfeed"] if "dripfeed" in row else _runs_unsaid(kind, dialect)),
        description=UNPRINTABLE.sub("", str(row.get("desc") or row.get("description") or "").strip()[:5000]),
        currency=one_line(row.get("currency"), 3).upper(),
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
