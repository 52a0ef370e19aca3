"""Fixtures: customers with API keys."""

from __future__ import annotations

from typing import Any

import pytest

from tests.storefront.api import reseller as people
from tests.storefront.api.isolation import IsolationCheck


@pytest.fixture
def reseller(db: Any) -> people.Reseller:
    """Return a customer with an API key and a balance of 100.84292."""
    return people.reseller()


@pytest.fixture
def stranger(db: Any) -> people.Reseller:
    return people.reseller()


@pytest.fixture
def isolation(db: Any, settings: Any) -> IsolationCheck:
    """Return a customer whose requests are all checked. New orders do not wake the worker."""
    settings.ORDERS_WAKE = "builtins.id"
    settings.API_CALLS_PER_MINUTE = settings.API_ADDRESS_CALLS_PER_MINUTE = 0
    return IsolationCheck.set_up()
