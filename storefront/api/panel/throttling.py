"""How often a key, and an address, may call in a minute; counted over all processes."""

from __future__ import annotations

import logging
import time

from django.core.cache import caches

log = logging.getLogger(__name__)

WINDOW = 60
#: The minute in which it was last told that calls cannot be counted.
_told = -1


class TooManyCalls(Exception):
    """``wait``: seconds until the next window."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"wait {wait} s")
        self.wait = wait


def count(name: str, most: int) -> None:
    """Counts a call of ``name``; 0 is no limit. Raises TooMany beyond ``most`` in the window."""
    if not most:
        return
    now = time.time()
    if _called(f"api.{name}.{int(now // WINDOW)}") > most:
        raise TooManyCalls(WINDOW - int(now % WINDOW))


def _called(counter: str) -> int:
    """How often, this time included. 0 where nobody can say: a shop without its counters sells without limits."""
    counters = caches["counters"]
    try:
        counters.add(counter, 0, 2 * WINDOW)
        return counters.incr(counter)
    except ValueError:  # thrown out between the two, by many others
        return 0
    except Exception as failure:  # the file's, or whatever Redis raises
        _tell(failure)
        return 0


def _tell(failure: Exception) -> None:
    """Once a minute: every call fails so."""
    global _told
    minute = int(time.monotonic() // WINDOW)
    if minute != _told:
        _told = minute
        log.warning("Calls cannot be counted, there are no limits now: %s", failure)
