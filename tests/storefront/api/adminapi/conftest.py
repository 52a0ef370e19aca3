"""Fixtures of the Admin API's tests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.storefront.api.adminapi.program import Program


@pytest.fixture(autouse=True)
def _as_often_as_it_likes(settings: Any) -> None:
    """Who tests the limit sets it. Nobody delivers what is ordered."""
    settings.ADMIN_API_CALLS_PER_SECOND = 0
    settings.ORDERS_WAKE = "builtins.id"


@pytest.fixture
def program(db: Any) -> Program:
    return Program()
