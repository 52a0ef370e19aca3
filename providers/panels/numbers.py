"""Read the numbers and flags in a panel's answer. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from orders import money
from orders.errors import InvalidAmount


def read_amount(value: Any) -> Decimal | None:
    try:
        return money.parse_wire(value)
    except InvalidAmount:
        return None


def read_whole(value: Any) -> int | None:
    if isinstance(value, str) and len(value) < 19 and value.isascii() and value.isdigit():
        return int(value)  # nearly always: a hundred statuses have two hundred of them
    amount = read_amount(value)
    return int(amount) if amount is not None and amount == amount.to_integral_value() and abs(amount) < 2**62 else None


def read_flag(value: Any) -> bool:
    return value is True or str(value).strip().lower() in ("1", "true", "yes")
