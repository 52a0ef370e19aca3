"""Fixtures of the promotion tests: a shop with the demo gateway, and customers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache, caches
from django.test import Client

from orders.ledger import audit as books
from storefront.accounts.models import User
from storefront.promotions import audit
from tests import factories
from tests.storefront.conftest import cache_empty_site_notices
from tests.storefront.payments import payments


@pytest.fixture(autouse=True)
def _shop(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.ORDERS_WAKE = "tests.orders.alarm.ring"
    settings.DEMO_GATEWAY, settings.DEMO_GATEWAY_SECRET = True, payments.SECRET
    settings.VAR_DIR = tmp_path
    settings.PRIVATE_DIR = tmp_path / "private"
    cache.clear()
    caches["counters"].clear()
    cache_empty_site_notices()
    yield
    cache.clear()


@pytest.fixture
def nadia(db: None) -> Iterator[User]:
    """A customer. After the test, the books agree with the bonuses."""
    yield factories.customer("0")
    assert [*books.findings(), *audit.findings()] == []


@pytest.fixture
def page(nadia: User) -> Client:
    """A client signed in as Nadia."""
    return payments.browser(nadia)
