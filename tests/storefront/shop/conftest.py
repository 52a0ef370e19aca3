"""Who looks at the pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from storefront.accounts.models import User
from storefront.support import frame
from tests import factories


@pytest.fixture(autouse=True)
def _fresh_shop(db: None, settings) -> Iterator[None]:
    """Nothing kept from the test before, and nobody upstream to wake. What is around every page is known, as it is
    in a shop that runs."""
    settings.ORDERS_WAKE = "tests.orders.alarm.ring"
    cache.clear()
    frame.pages()
    yield
    cache.clear()


@pytest.fixture
def nadia() -> User:
    return factories.customer("100")


@pytest.fixture
def page(nadia: User) -> Client:
    """A browser in which Nadia is logged in."""
    client = Client()
    client.force_login(nadia)
    return client
