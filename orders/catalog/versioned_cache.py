"""Keeps what was read of the catalogue for as long as its stamp stays the same (see ``catalog_stamp``)."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class VersionedCache(Generic[V]):
    """Values by key, all read under one stamp; at most ``size`` of them, in the memory of this process.

    What is kept is shared between threads: nobody may change it.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: tuple[int, dict[Hashable, V]] = (0, {})

    def get(self, stamp: int | None, key: Hashable, read: Callable[[], V | None]) -> V | None:
        """The value of ``key``, read if it is not there. Without a stamp, and where there is none, nothing is kept."""
        if not stamp:
            return read()
        # One look at the pair: another thread may put another one in its place meanwhile.
        known, kept = self._held
        if known != stamp:
            kept = {}
            self._held = (stamp, kept)
        found = kept.get(key)
        if found is None:
            found = read()
            if found is not None and len(kept) < self._size:
                kept[key] = found
        return found
