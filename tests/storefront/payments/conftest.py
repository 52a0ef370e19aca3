"""Fixtures of the payment tests: a customer, and a private folder for proofs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from storefront.accounts.models import User
from tests import factories
from tests.storefront.conftest import cache_empty_site_notices
from tests.storefront.payments import payments


@pytest.fixture(autouse=True)
def _demo_shop(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.ORDERS_WAKE = "tests.orders.alarm.ring"
    settings.DEMO_GATEWAY, settings.DEMO_GATEWAY_SECRET = True, payments.SECRET
    settings.VAR_DIR = tmp_path
    settings.PRIVATE_DIR = tmp_path / "private"
    cache.clear()
    cache_empty_site_notices()
    yield
    cache.clear()


@pytest.fixture
def nadia(db: None) -> User:
    payments.demo_method()
    return factories.customer("0")
