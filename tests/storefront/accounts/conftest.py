"""Who looks at the pages of an account."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from storefront.accounts.models import User
from tests import factories
from tests.storefront.conftest import cache_empty_site_notices


@pytest.fixture(autouse=True)
def _fresh_limits() -> Iterator[None]:
    """Nothing that the test before counted against guessing."""
    cache.clear()
    cache_empty_site_notices()
    yield
    cache.clear()


@pytest.fixture
def nadia(db: None) -> User:
    return factories.customer("100")


@pytest.fixture
def page(nadia: User) -> Client:
    """A browser in which Nadia is logged in."""
    client = Client()
    client.force_login(nadia)
    return client
