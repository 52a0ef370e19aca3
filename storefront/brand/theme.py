"""The parts of the shop's look that every page needs, cached to save a query for each page."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache

from storefront.brand.models import ONLY, Brand

CACHE_SECONDS = 30  # seconds
_NAME = "brand.look"


@dataclass(frozen=True, slots=True)
class Look:
    """Which parts of the look are set; ``version`` changes with them and is part of their URLs ("" if none is set)."""

    version: str = ""
    has_accent: bool = False
    has_logo: bool = False


def current() -> Look:
    """Return the present look, cached for CACHE_SECONDS seconds in each process."""
    cached = cache.get(_NAME)
    if not isinstance(cached, Look):
        cached = _read()
        cache.set(_NAME, cached, CACHE_SECONDS)
    return cached


def clear_cache() -> None:
    """Clear the cached look after a change: this process shows it at once, the others within CACHE_SECONDS seconds."""
    cache.delete(_NAME)


def _read() -> Look:
    row = Brand.objects.filter(pk=ONLY).values_list("accent", "logo_type", "changed_at").first()
    if row is None:
        return Look()
    accent, logo_type, changed_at = row
    return Look(f"{changed_at.timestamp():.0f}", bool(accent), bool(logo_type))
