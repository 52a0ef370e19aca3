"""Fixtures of the sandbox's tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.storefront.api.reseller import Reseller
from tests.storefront.api.sandbox import playing


@pytest.fixture(autouse=True)
def nobody_upstream(settings: Any) -> None:
    settings.ORDERS_WAKE = "builtins.id"


@pytest.fixture
def reseller(db: Any) -> Reseller:
    return playing.sandbox_customer()


@pytest.fixture
def start() -> datetime:
    return datetime(2027, 3, 1, 12, tzinfo=UTC)
