"""The default cache of a shop without Redis: what log-in limits count is shared by all processes, the rest in memory.

The log-in library keeps its limits, and the codes of a second factor that were used already, in the default cache and
lets nobody choose another. A cache in memory is one for each process: a limit would be multiplied by their number, and
a code could be used once in each. docs/decisions/0010 says more.
"""

from __future__ import annotations

import fcntl
import logging
import os
import pickle
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache

log = logging.getLogger(__name__)

#: The library's own prefix of everything it keeps.
SHARED = "allauth"
#: Files at most. Then a third of them, chosen by chance, makes room.
MOST = 20_000
_TELL_EVERY = 60  # seconds
_FAILED = (OSError, EOFError, pickle.UnpicklingError, zlib.error)


class _Files(FileBasedCache):
    """Django's file cache, in which ``add`` lets one process win: the library's locks are made of it."""

    def __init__(self, folder: str) -> None:
        BaseCache.__init__(self, {"OPTIONS": {"MAX_ENTRIES": MOST}})
        self._dir = os.path.abspath(folder)  # made when something is written: its failure is told then

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        with self._alone():
            return bool(super().add(key, value, timeout, version))

    def _cull(self) -> None:
        """Delete what has expired before anything is chosen by chance: a living limit is not to be pushed out."""
        names = self._list_cache_files()  # type: ignore[attr-defined]
        if len(names) < self._max_entries:
            return
        for name in names:
            with suppress(OSError), open(name, "rb") as file:
                self._is_expired(file)  # type: ignore[attr-defined]
        super()._cull()  # type: ignore[misc]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        os.makedirs(self._dir, 0o700, exist_ok=True)
        # Opened anew each time: such a lock is the opened file's, so it holds between threads as well.
        with open(os.path.join(self._dir, "lock"), "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class SharedCache(LocMemCache):
    """LOCATION is the folder. Where it cannot be used, each process counts for itself, and the log says so."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(location, params)
        self._files = _Files(location)
        self._told = -1

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._by("add", key, value, timeout, version))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._by("get", key, default, version)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._by("set", key, value, timeout, version)

    def delete(self, key: Any, version: int | None = None) -> bool:
        return bool(self._by("delete", key, version))

    def clear(self) -> None:
        super().clear()
        self._files.clear()

    def _by(self, act: str, key: Any, *values: Any) -> Any:
        if str(key).startswith(SHARED):
            try:
                return getattr(self._files, act)(key, *values)
            except _FAILED as failure:
                self._tell(failure)
        return getattr(super(), act)(key, *values)

    def _tell(self, failure: Exception) -> None:
        """Once a minute: every attempt fails so."""
        minute = int(time.monotonic() // _TELL_EVERY)
        if minute != self._told:
            self._told = minute
            log.warning("Log-in limits hold for each process alone now: %s", failure)
