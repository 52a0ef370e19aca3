"""A cache of values read from the catalog, valid for one catalog version (see ``orders.db.catalog_triggers``)."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class VersionedCache(Generic[V]):
    """At most ``size`` values by key, all read for one catalog version, in the memory of this process.

    The values are shared between threads, so callers must not modify them.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: tuple[int, dict[Hashable, V]] = (0, {})

    def get(self, version: int | None, key: Hashable, read: Callable[[], V | None]) -> V | None:
        """Return the value of ``key``; call ``read`` for it if it is not cached.

        Nothing is cached without a ``version`` (the catalog version) or if ``read`` returns None.
        """
        if not version:
            return read()
        # Read the pair once, because another thread may replace it in the meantime.
        known, kept = self._held
        if known != version:
            kept = {}
            self._held = (version, kept)
        found = kept.get(key)
        if found is None:
            found = read()
            if found is not None and len(kept) < self._size:
                kept[key] = found
        return found
