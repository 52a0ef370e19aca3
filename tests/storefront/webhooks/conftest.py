"""Fixtures: customers, their endpoints, and programs that receive webhooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django_q.models import OrmQ

from storefront.accounts.models import User
from storefront.mail.models import Email
from storefront.webhooks import endpoints
from storefront.webhooks.models import Endpoint
from tests import factories
from tests.storefront.conftest import cache_empty_site_notices
from tests.storefront.webhooks.receiver import Receiver

EVERYTHING = {"has_orders": True, "has_refills": True, "has_balance": True, "has_prices": True}


@pytest.fixture(autouse=True)
def _quiet(settings: Any) -> Iterator[None]:
    """Turn off wake-ups of providers and clear the cache."""
    settings.ORDERS_WAKE = "tests.orders.alarm.ring"
    settings.ALLOW_PRIVATE_WEBHOOKS = True
    cache.clear()
    cache_empty_site_notices()
    yield
    cache.clear()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


@pytest.fixture
def nadia(db: Any) -> User:
    return factories.customer("100")


@pytest.fixture
def listen() -> Callable[..., Endpoint]:
    """Return a function that creates an endpoint for all events at ``url``."""

    def make(user: User, url: str = "https://shop.example/vitrine", **flags: bool) -> Endpoint:
        endpoint, _secret = endpoints.add(user, url=url, **{**EVERYTHING, **flags})
        # These tests do not look at the email that notifies the owner.
        Email.objects.all().delete()
        OrmQ.objects.all().delete()
        cache.delete("outbox.wake.storefront.mail.tasks.deliver")
        return endpoint

    return make
