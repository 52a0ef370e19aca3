"""Limit how often a key or an address calls, counted over all processes."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from typing import Any

from django.conf import settings
from django.core.cache import caches
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from storefront.accounts import ip_addresses

log = logging.getLogger(__name__)

#: Seconds in which calls are counted, unless the caller says otherwise.
WINDOW = 60
#: The minute of the last warning that calls cannot be counted.
_warned_in = -1


class TooManyCalls(Exception):
    """There were too many calls. ``wait`` is the number of seconds until the next window."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"wait {wait} s")
        self.wait = wait


class WindowThrottle(BaseThrottle, ABC):
    """A limit of calls in each window of ``window`` seconds; subclasses say what is counted."""

    window = WINDOW
    _wait = 0

    @abstractmethod
    def counter(self, request: Request) -> tuple[str, int]:
        """Return the name of the counter and the limit; 0 means no limit."""

    def allow_request(self, request: Request, view: Any) -> bool:
        name, limit = self.counter(request)
        try:
            count(name, limit, window=self.window)
        except TooManyCalls as refusal:
            self._wait = refusal.wait
            return False
        return True

    def wait(self) -> int:
        """Return the seconds until the next window."""
        return self._wait


class AddressThrottle(WindowThrottle):
    """Limit the calls from one address, whatever keys it tries. It comes before any key is looked up."""

    def counter(self, request: Request) -> tuple[str, int]:
        address = ip_addresses.rate_limit_address(ip_addresses.client_address(request._request))
        return f"address.{address}", settings.API_ADDRESS_CALLS_PER_MINUTE


class KeyThrottle(WindowThrottle):
    """Limit the calls with one key. ``request.auth`` is a Caller."""

    def counter(self, request: Request) -> tuple[str, int]:
        caller: Any = request.auth
        own = caller.calls_per_minute
        return f"key.{caller.key_id}", settings.API_CALLS_PER_MINUTE if own is None else own


def count(name: str, most: int, *, window: int = WINDOW) -> int:
    """Count a call of ``name`` in the current window of ``window`` seconds. ``most`` is the limit; 0 means no limit.

    Returns:
        The number of calls in the window, including this one; 0 if they are not counted.

    Raises:
        TooManyCalls: There were more than ``most`` calls in the window.
    """
    if not most:
        return 0
    now = time.time()
    calls = _increment(f"api.{name}.{int(now // window)}", 2 * window)
    if calls > most:
        raise TooManyCalls(window - int(now % window))
    return calls


def _increment(counter: str, kept_seconds: int) -> int:
    """Return the number of calls, including this one; 0 if they cannot be counted, so that the shop still sells."""
    counters = caches["counters"]
    try:
        try:
            return counters.incr(counter)
        except ValueError:  # the first call in the window
            counters.add(counter, 0, kept_seconds)
            return counters.incr(counter)
    except ValueError:  # evicted between the two statements by many other keys
        return 0
    except Exception as failure:  # the file cache and Redis raise different errors
        _warn(failure)
        return 0


def _warn(failure: Exception) -> None:
    """Log the failure at most once a minute, because every call fails."""
    global _warned_in
    minute = int(time.monotonic() // WINDOW)
    if minute != _warned_in:
        _warned_in = minute
        log.warning("Calls cannot be counted, there are no limits now: %s", failure)
