"""Orders in these tests wake no worker; ``woken_orders`` lists the calls."""

from __future__ import annotations

from typing import Any

import pytest

from tests.orders import alarm


@pytest.fixture(autouse=True)
def woken_orders(settings: Any) -> list[int]:
    """Return the ids of the orders whose wake-up was called, in order."""
    settings.ORDERS_WAKE = "tests.orders.alarm.ring"
    alarm.woken_orders.clear()
    return alarm.woken_orders
