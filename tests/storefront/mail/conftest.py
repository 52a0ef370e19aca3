"""Fixtures: a mail server and a customer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from storefront.accounts.models import User
from tests import factories
from tests.storefront.conftest import cache_empty_site_notices
from tests.storefront.mail.mail_server import MailServer


@pytest.fixture(autouse=True)
def _shop(settings: Any) -> Iterator[None]:
    settings.ORDERS_WAKE = "tests.orders.alarm.ring"
    settings.SHOP_URL, settings.SHOP_NAME = "https://shop.example", "Corner Shop"
    cache.clear()
    cache_empty_site_notices()
    yield
    cache.clear()


@pytest.fixture
def post(settings: Any) -> Iterator[MailServer]:
    """Start a mail server and let the shop use it."""
    server = MailServer()
    settings.EMAIL_BACKEND = "storefront.mail.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 2
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def nadia(db: None) -> User:
    return factories.customer("100", email="nadia@example.com")
