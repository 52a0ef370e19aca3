"""Orders here wake nobody; the alarm keeps count of the calls instead."""

from __future__ import annotations

from typing import Any

import pytest

from tests.orders import alarm


@pytest.fixture(autouse=True)
def rung(settings: Any) -> list[int]:
    """The ids of the orders whose wake-up was called, in order."""
    settings.ORDERS_WAKE = "tests.orders.alarm.ring"
    alarm.rung.clear()
    return alarm.rung
