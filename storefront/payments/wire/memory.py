"""Keep what gateways hand out for a while, such as access tokens and public keys, in the memory of the process.

It is not the shared cache, because access tokens are secrets and the cache may be a table of the database.
"""

from __future__ import annotations

import threading
import time
from typing import Any

#: Entries kept per process. There are a few per payment method, so more of them mean that keys are made up.
ENTRIES_MAX = 200

_lock = threading.Lock()
_entries: dict[tuple[str, ...], tuple[float, Any]] = {}


def get(*key: str) -> Any:
    """Return what is kept under ``key``, or None if there is nothing or its time is over."""
    with _lock:
        expires, value = _entries.get(key, (0.0, None))
    return value if time.monotonic() < expires else None


def keep(value: Any, *key: str, seconds: float) -> None:
    """Keep ``value`` under ``key`` for ``seconds``."""
    with _lock:
        if len(_entries) >= ENTRIES_MAX:
            _entries.clear()
        _entries[key] = (time.monotonic() + seconds, value)


def clear() -> None:
    """Forget everything, for tests."""
    with _lock:
        _entries.clear()
