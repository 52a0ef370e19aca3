"""Limit how often a key or an address calls, counted over all processes."""

from __future__ import annotations

import logging
import time

from django.core.cache import caches

log = logging.getLogger(__name__)

#: Seconds in which calls are counted, unless the caller says otherwise.
WINDOW = 60
#: The minute of the last warning that calls cannot be counted.
_told = -1


class TooManyCalls(Exception):
    """There were too many calls. ``wait`` is the number of seconds until the next window."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"wait {wait} s")
        self.wait = wait


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
    calls = _called(f"api.{name}.{int(now // window)}", 2 * window)
    if calls > most:
        raise TooManyCalls(window - int(now % window))
    return calls


def _called(counter: str, kept_seconds: int) -> int:
    """Return the number of calls, including this one; 0 if they cannot be counted, so that the shop still sells."""
    counters = caches["counters"]
    try:
        counters.add(counter, 0, kept_seconds)
        return counters.incr(counter)
    except ValueError:  # evicted between the two statements by many other keys
        return 0
    except Exception as failure:  # the file cache and Redis raise different errors
        _tell(failure)
        return 0


def _tell(failure: Exception) -> None:
    """Log the failure at most once a minute, because every call fails."""
    global _told
    minute = int(time.monotonic() // WINDOW)
    if minute != _told:
        _told = minute
        log.warning("Calls cannot be counted, there are no limits now: %s", failure)
