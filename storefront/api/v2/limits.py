"""How often a key, and an address, may call in a minute; counted over all processes."""

from __future__ import annotations

import time

from django.core.cache import caches

WINDOW = 60


class TooMany(Exception):
    """``wait``: seconds until the next window."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"wait {wait} s")
        self.wait = wait


def count(name: str, most: int) -> None:
    """Counts a call of ``name``; 0 is no limit. Raises TooMany beyond ``most`` in the window."""
    if not most:
        return
    now = time.time()
    counters, counter = caches["counters"], f"api.{name}.{int(now // WINDOW)}"
    counters.add(counter, 0, 2 * WINDOW)
    try:
        called = counters.incr(counter)
    except ValueError:  # thrown out between the two, by many others
        return
    if called > most:
        raise TooMany(WINDOW - int(now % WINDOW))
