"""Fixtures: a source on loopback and the currencies that it serves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from storefront.currencies.models import Currency, RateSource
from tests.storefront.currencies.rate_server import RateServer


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Any) -> None:
    settings.ALLOW_PRIVATE_PANELS = True
    settings.STORE_CURRENCY = "USD"


@pytest.fixture
def server() -> Iterator[RateServer]:
    with RateServer() as listening:
        yield listening


@pytest.fixture
def source(db: None, server: RateServer) -> RateSource:
    due = datetime(2026, 1, 1, tzinfo=UTC)
    row = RateSource.objects.create(name="Rates", url=server.url, stale_after=48, max_change=20, next_fetch_at=due)
    return RateSource.objects.get(pk=row.pk)


@pytest.fixture
def add(source: RateSource) -> Callable[..., Currency]:
    """Return a function that adds a currency of the source."""

    def make(code: str = "EUR", rate: str | None = "0.90", **columns: Any) -> Currency:
        columns = {"source": source, **columns}
        return Currency.objects.create(code=code, rate=None if rate is None else Decimal(rate), **columns)

    return make
