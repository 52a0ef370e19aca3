"""What gateways keep for a while, the times and fees they read, and which refusals are definite."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from storefront.payments.gateway import GatewayRejected, GatewayUnreachable
from storefront.payments.gateways.plisio import Plisio
from storefront.payments.wire import memory, reading
from storefront.payments.wire.http import GatewayAnswer


@pytest.fixture(autouse=True)
def _empty_memory() -> Iterator[None]:
    memory.clear()
    yield
    memory.clear()


def test_memory_forgets_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(memory.time, "monotonic", lambda: now)
    memory.keep("token", "paypal", "a", seconds=60)
    memory.keep("other", "paypal", "b", seconds=0)
    assert (memory.get("paypal", "a"), memory.get("paypal", "b"), memory.get("paypal")) == ("token", None, None)
    now = 1059.9
    assert memory.get("paypal", "a") == "token"
    now = 1060.0
    assert memory.get("paypal", "a") is None


def test_memory_is_bounded() -> None:
    for number in range(memory.ENTRIES_MAX * 3):
        memory.keep(number, str(number), seconds=60)
    assert len(memory._entries) <= memory.ENTRIES_MAX
    assert memory.get(str(number)) == number


@time_machine.travel("2026-11-28", tick=False)
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("1764322000", datetime(2025, 11, 28, 9, 26, 40, tzinfo=UTC)),
        (1_764_322_000, datetime(2025, 11, 28, 9, 26, 40, tzinfo=UTC)),
        ("2026-11-28T09:26:40.000Z", datetime(2026, 11, 28, 9, 26, 40, tzinfo=UTC)),
        ("2026-11-28T12:26:40+03:00", datetime(2026, 11, 28, 9, 26, 40, tzinfo=UTC)),
        ("2026-11-28T09:26:40", datetime(2026, 11, 28, 9, 26, 40, tzinfo=UTC)),
        ("", None),
        (None, None),
        (True, None),
        ("soon", None),
        ("9" * 30, None),
        ("٣٣", None),
        (["1"], None),
    ],
)
def test_times_are_read_or_left_out(given: Any, expected: datetime | None) -> None:
    assert reading.moment({"at": given}, "at") == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [("0.15", Decimal("0.15")), (2, Decimal(2)), ("-1", None), ("x", None), (None, None), ([], None)],
)
def test_an_invalid_fee_is_left_out(given: Any, expected: Decimal | None) -> None:
    assert reading.optional_amount({"fee": given}, "fee") == expected


@pytest.mark.parametrize(
    ("status", "is_definite", "error"),
    [
        (400, False, GatewayRejected),
        (401, False, GatewayRejected),
        (422, False, GatewayRejected),
        (200, True, GatewayRejected),
        (200, False, GatewayUnreachable),
        (302, False, GatewayUnreachable),
        (408, False, GatewayUnreachable),
        (409, False, GatewayUnreachable),
        (429, False, GatewayUnreachable),
        (500, False, GatewayUnreachable),
    ],
)
def test_only_a_refusal_is_definite(status: int, is_definite: bool, error: type[Exception]) -> None:
    gateway = Plisio({"secret_key": "a-secret/key"})
    problem = gateway.refusal(GatewayAnswer(status, ""), "key a-secret/key or a-secret%2Fkey", is_definite=is_definite)
    assert type(problem) is error
    assert str(problem) == f"plisio answered {status}: key [key] or [key]"
