"""Fixtures: a shop with empty caches, and a browser with a signed-in customer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from storefront.accounts.models import User
from tests import factories
from tests.storefront.conftest import cache_empty_site_notices


@pytest.fixture(autouse=True)
def _fresh_shop(db: None, settings) -> Iterator[None]:
    """Empty the caches, which tests share, and do not wake the worker for new orders."""
    settings.ORDERS_WAKE = "tests.orders.alarm.ring"
    cache.clear()
    cache_empty_site_notices()
    yield
    cache.clear()


@pytest.fixture
def nadia() -> User:
    return factories.customer("100")
