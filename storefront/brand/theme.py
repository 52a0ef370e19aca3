"""What pages need to know of the shop's look, kept for a moment so that they need not ask."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache

from storefront.brand.models import ONLY, Brand

KEPT = 30  # seconds
_NAME = "brand.look"


@dataclass(frozen=True, slots=True)
class Look:
    """``version`` changes with the look and is part of the addresses below; "" where nothing was set."""

    version: str = ""
    has_accent: bool = False
    has_logo: bool = False


def current() -> Look:
    """One query at most once in half a minute for each process."""
    found = cache.get(_NAME)
    if not isinstance(found, Look):
        found = _read()
        cache.set(_NAME, found, KEPT)
    return found


def forget() -> None:
    """The look has changed: this process shows it at once, the others within half a minute."""
    cache.delete(_NAME)


def _read() -> Look:
    row = Brand.objects.filter(pk=ONLY).values_list("accent", "logo_type", "changed_at").first()
    if row is None:
        return Look()
    accent, logo_type, changed_at = row
    return Look(f"{changed_at.timestamp():.0f}", bool(accent), bool(logo_type))
