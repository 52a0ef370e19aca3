"""Let the garbage collector run rarely while a pass handles many rows."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: Objects made until the collector looks at the newest ones; Python's own 700 are made by 40 rows of a pass.
_THRESHOLD = 100_000


@contextmanager
def rare_collections() -> Iterator[None]:
    """Raise the collector's threshold for the process until the block ends.

    The rows of a pass hold no cycles and are freed without the collector, but their number makes it walk through
    everything that Django has loaded, again and again: a third of the CPU of a pass over changed orders.
    """
    before = gc.get_threshold()
    gc.set_threshold(_THRESHOLD, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
