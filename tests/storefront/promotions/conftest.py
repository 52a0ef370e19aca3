"""Fixtures of the promotion tests: a shop with the demo gateway, and customers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import caches

from orders.ledger import audit as books
from storefront.accounts.models import User
from storefront.promotions import audit
from tests import factories
from tests.storefront.payments.conftest import _demo_shop  # noqa: F401  # an autouse fixture


@pytest.fixture(autouse=True)
def _no_counted_attempts() -> None:
    caches["counters"].clear()


@pytest.fixture
def nadia(db: None) -> Iterator[User]:
    """A customer. After the test, the books agree with the bonuses."""
    yield factories.customer("0")
    assert [*books.findings(), *audit.findings()] == []
