"""What is around every page is known before each test, as it is in a shop that runs: no page pays queries for it."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.cache import cache

from storefront.brand import theme
from storefront.currencies import display
from storefront.support import site_notices


def cache_default_look() -> None:
    cache.set(theme._NAME, theme.Look(), 3600)


def cache_empty_site_notices() -> None:
    cache_default_look()
    cache.set(display._NAME, {}, 3600)
    for language, _name in settings.LANGUAGES:
        cache.set(site_notices._key(language), site_notices.SiteNotices((), ()), 3600)


@pytest.fixture(autouse=True)
def _frame() -> None:
    cache_empty_site_notices()
