"""Parsers are total: for any answer they return what they promise or raise one of our errors."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orders.rules.state_machine import Progress
from providers.errors import OutcomeUnknown, Refused, UnreadableAnswer
from providers.panels.balance import read_balance
from providers.panels.bodies import is_order_number
from providers.panels.dialect import Balance
from providers.panels.dialects import DIALECTS
from providers.panels.placing import read_add
from providers.panels.refills_and_cancellations import (
    CancelAccepted,
    RefillReport,
    read_cancel,
    read_refill,
    read_refill_status,
)
from providers.panels.status import read_status
from tests.providers.panels.answers import answer

_NAMES = """
    status error errors message msg data order orders order_id id result success remains start_count charge
    currency balance refill refund cancel response detail 7 8 Error loc quantity link code
    """
NAMES = st.sampled_from(_NAMES.split())
WORDS = st.sampled_from(
    ["success", "error", "Completed", "Canceled", "Fail", "In progress", "7", "0", "true", "12,50", "1,234", "USD", "₹",
     "Invalid API key", "Order not found", "Not enough funds", "Server error", "Order placed",
     "cannot be cancelled", ""]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS
BODIES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(NAMES, inner, max_size=6)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=15,
)
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 301, 400, 401, 402, 403, 404, 422, 429, 500, 503])
DIALECT = st.sampled_from(list(DIALECTS.values()))


def check(body: Any, status: int, dialect: Any) -> None:
    try:
        balance = read_balance(answer(body, status), dialect)
        assert isinstance(balance, Balance)
        assert balance.amount.is_finite()
        assert 200 <= status < 300
    except (Refused, UnreadableAnswer):
        pass
    try:
        assert is_order_number(read_add(answer(body, status), dialect))
        assert 200 <= status < 300
    except (Refused, OutcomeUnknown):
        pass
    for ids in (["7"], ["7", "8"]):
        try:
            for report in read_status(answer(body, status), dialect, ids).values():
                assert isinstance(report, (Progress, str))
                assert report
                assert isinstance(report, str) or 200 <= status < 300
        except (Refused, UnreadableAnswer):
            pass
        try:
            for number in read_refill(answer(body, status), dialect, ids).values():
                assert isinstance(number, (str, Refused))
        except (Refused, OutcomeUnknown):
            pass
        try:
            for taken in read_cancel(answer(body, status), dialect, ids).values():
                assert isinstance(taken, (CancelAccepted, Refused))
                refund = taken.refund if isinstance(taken, CancelAccepted) else None
                assert refund is None or (isinstance(refund, Decimal) and refund >= 0)
        except (Refused, OutcomeUnknown):
            pass
        try:
            for stage in read_refill_status(answer(body, status), dialect, ids).values():
                assert isinstance(stage, (RefillReport, str))
        except (Refused, UnreadableAnswer):
            pass


@settings(max_examples=400, deadline=None)
@given(body=BODIES, status=STATUSES, dialect=DIALECT)
def test_any_json_is_read_or_refused(body: Any, status: int, dialect: Any) -> None:
    check(body, status, dialect)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=200), status=STATUSES, dialect=DIALECT)
def test_any_text_is_read_or_refused(text: str, status: int, dialect: Any) -> None:
    check(text, status, dialect)


def test_deep_and_long_bodies_are_read_or_refused() -> None:
    deep: Any = {"status": "Completed"}
    for name in ("data", "status", "result", "order", "errors") * 30:
        deep = {name: deep, "status": deep} if name == "result" and len(json.dumps(deep)) < 10_000 else {name: deep}
    for body in (
        deep,
        {"errors": [["x"] * 1000] * 1000},
        {str(number): "x" for number in range(20_000)},
        "[" * 100_000,
    ):
        check(body, 200, DIALECTS["v2"])


@settings(max_examples=300, deadline=None)
@given(body=st.dictionaries(NAMES, BODIES, max_size=5), number=st.integers(1, 10**9), status=STATUSES)
def test_a_body_that_names_an_order_is_never_a_rejection(body: Any, number: int, status: int) -> None:
    for named in ({**body, "order": number}, {"data": {**body, "order_id": number}, "error": "Not enough funds"}):
        try:
            read_add(answer(named, status), DIALECTS["v2"])
        except OutcomeUnknown:
            pass
