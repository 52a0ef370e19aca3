"""The parts of every page of the shop: links to info pages in the footer, and pinned announcements.

They are cached for a minute, so that pages need no queries for them. The admin calls ``clear_cache`` after a change;
where the cache is not shared, other processes show the change within that minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from storefront.support.models import Announcement, InfoPage
from storefront.web import query_params

CACHE_SECONDS = 60
COOKIE = "dismissed"
#: Maximum number of pinned announcements, and of dismissed ones that the cookie remembers.
MAX_PINNED = 20


@dataclass(frozen=True, slots=True)
class Link:
    slug: str
    title: str


@dataclass(frozen=True, slots=True)
class Pinned:
    pk: int
    kind: str
    title: str
    has_text: bool
    starts_at: datetime
    ends_at: datetime | None

    def is_on(self, now: datetime) -> bool:
        return self.starts_at <= now and (self.ends_at is None or now < self.ends_at)


@dataclass(frozen=True, slots=True)
class SiteNotices:
    pages: tuple[Link, ...]
    pinned: tuple[Pinned, ...]


def support(request: HttpRequest) -> dict[str, Any]:
    """Context processor. The templates call these functions, so that responses without the page layout read nothing."""
    return {"foot_pages": pages, "pinned": partial(pinned, request)}


def pages() -> tuple[Link, ...]:
    return _notices().pages


def pinned(request: HttpRequest) -> list[Pinned]:
    """Return the pinned announcements that are on now and not dismissed by the reader, newest first."""
    hidden, now = dismissed(request), timezone.now()
    return [one for one in _notices().pinned if one.is_on(now) and one.pk not in hidden]


def dismissed(request: HttpRequest) -> list[int]:
    """Return the announcements that this browser has dismissed, from its cookie."""
    numbers = map(query_params.number, request.COOKIES.get(COOKIE, "").split(".")[:MAX_PINNED])
    return [number for number in numbers if number is not None]


def clear_cache() -> None:
    cache.delete_many([_key(code) for code, _name in settings.LANGUAGES])


def _notices() -> SiteNotices:
    language = get_language() or settings.LANGUAGE_CODE
    cached: SiteNotices | None = cache.get(_key(language))
    if cached is None:
        cached = _read(language)
        cache.set(_key(language), cached, CACHE_SECONDS)
    return cached


def _key(language: str) -> str:
    return f"support.site_notices.{language}"


def _read(language: str) -> SiteNotices:
    found: Any = InfoPage.objects.shown(language).defer("text", "title")
    to_come = Announcement.objects.filter(is_pinned=True).exclude(ends_at__lte=timezone.now())[:MAX_PINNED]
    return SiteNotices(
        tuple(Link(page.slug, page.heading) for page in found),
        tuple(Pinned(one.pk, one.kind, one.title, bool(one.text), one.starts_at, one.ends_at) for one in to_come),
    )
