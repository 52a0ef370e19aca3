"""Cache branding, currencies and site notices before each test, so that no page needs queries for them."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from storefront.accounts.models import User
from storefront.brand import theme
from storefront.currencies import display
from storefront.promotions import affiliates
from storefront.support import site_notices
from tests import factories


def cache_default_look() -> None:
    cache.set(theme._NAME, theme.Look(), 3600)


def cache_empty_site_notices() -> None:
    cache_default_look()
    cache.set(display._NAME, {}, 3600)
    cache.set(affiliates._NAME, False, 3600)
    for language, _name in settings.LANGUAGES:
        cache.set(site_notices._key(language), site_notices.SiteNotices((), ()), 3600)


@pytest.fixture(autouse=True)
def _cached_site_notices() -> None:
    cache_empty_site_notices()


@pytest.fixture
def page(nadia: User) -> Client:
    """Return a browser in which Nadia is signed in. Each folder of tests has its own ``nadia``."""
    return factories.signed_in(nadia)
