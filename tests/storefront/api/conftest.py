"""Fixtures of the API's tests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.storefront.api import reseller as people
from tests.storefront.api.watched import Watched


@pytest.fixture
def reseller(db: Any) -> people.Reseller:
    """A customer with a key and 100.84292 in the wallet."""
    return people.reseller()


@pytest.fixture
def stranger(db: Any) -> people.Reseller:
    return people.reseller()


@pytest.fixture
def watched(db: Any, settings: Any) -> Watched:
    """A customer whose every request is watched. Nobody delivers what they order."""
    settings.ORDERS_WAKE = "builtins.id"
    settings.API_CALLS_PER_MINUTE = settings.API_ADDRESS_CALLS_PER_MINUTE = 0
    return Watched.set_up()
