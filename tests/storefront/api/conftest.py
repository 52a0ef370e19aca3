"""Fixtures of the API's tests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.storefront.api import reseller as people


@pytest.fixture
def reseller(db: Any) -> people.Reseller:
    """A customer with a key and 100.84292 in the wallet."""
    return people.reseller()


@pytest.fixture
def stranger(db: Any) -> people.Reseller:
    return people.reseller()
