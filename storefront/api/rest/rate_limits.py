"""Limits of calls per minute, and the header fields that tell clients of them.

The counters are those of the panel API: a key has one quota for both. The fields are those of
draft-ietf-httpapi-ratelimit-headers-10.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from storefront.api import throttling
from storefront.api.rest.problems import Code, Problem
from storefront.api.throttling import TooManyCalls


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A quota of calls per window, and what is left of it. ``reset`` is in seconds."""

    quota: int
    remaining: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Policy": f'"key";q={self.quota};w={throttling.WINDOW}',
            "RateLimit": f'"key";r={self.remaining};t={self.reset}',
        }


def count(name: str, quota: int) -> RateLimit | None:
    """Count a call of ``name``; return what is left of its quota, or None if there is no limit.

    Raises:
        Problem: The quota is used up.
    """
    if not quota:
        return None
    try:
        calls = throttling.count(name, quota)
    except TooManyCalls as pause:
        used_up = RateLimit(quota, 0, pause.wait)
        raise Problem(Code.RATE_LIMITED, headers={"Retry-After": str(pause.wait), **used_up.headers}) from None
    reset = throttling.WINDOW - int(time.time() % throttling.WINDOW)
    return RateLimit(quota, max(quota - calls, 0), reset)
