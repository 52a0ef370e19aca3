"""What is around every page is known before each test, as it is in a shop that runs: no page pays queries for it."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.cache import cache

from storefront.brand import theme
from storefront.currencies import display
from storefront.support import site_notices


def know_the_look() -> None:
    cache.set(theme._NAME, theme.Look(), 3600)


def know_the_frame() -> None:
    know_the_look()
    cache.set(display._NAME, {}, 3600)
    for language, _name in settings.LANGUAGES:
        cache.set(site_notices._key(language), site_notices.Frame((), ()), 3600)


@pytest.fixture(autouse=True)
def _frame() -> None:
    know_the_frame()
