"""Fixtures of the support tests: a customer and staff, with clients signed in as them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from storefront.accounts.models import User
from tests import factories
from tests.storefront.conftest import cache_default_look


@pytest.fixture(autouse=True)
def _fresh_shop(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.ORDERS_WAKE = "tests.orders.alarm.ring"
    settings.PRIVATE_DIR = tmp_path / "private"
    cache.clear()
    cache_default_look()
    yield
    cache.clear()


@pytest.fixture
def nadia(db: None) -> User:
    return factories.customer("100", email="nadia@example.com", name="Nadia")


@pytest.fixture
def agent(db: None) -> User:
    """A superuser."""
    return User.objects.create_superuser("agent@example.com", "x")


@pytest.fixture
def desk(agent: User) -> Client:
    return factories.signed_in(agent)


@pytest.fixture
def staff(db: None) -> Callable[..., Client]:
    """Return a function that signs in a staff user with the given permissions only."""

    def log_in(*permissions: str) -> Client:
        return factories.signed_in(factories.staff(*permissions))

    return log_in
