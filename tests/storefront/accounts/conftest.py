"""Fixtures for the account pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from storefront.accounts.models import User
from tests import factories
from tests.storefront.conftest import cache_empty_site_notices


@pytest.fixture(autouse=True)
def _fresh_limits() -> Iterator[None]:
    """Clear the rate limits that an earlier test counted."""
    cache.clear()
    cache_empty_site_notices()
    yield
    cache.clear()


@pytest.fixture
def nadia(db: None) -> User:
    return factories.customer("100")
