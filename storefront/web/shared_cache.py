"""The default cache of a shop without Redis: sign-in limits are shared by all processes, the rest is in memory.

The sign-in library, allauth, keeps its rate limits and used two-factor codes in the default cache, and offers no
setting for another one. A cache in memory is separate in each process: limits would be multiplied by the number of
processes, and a code could be used once in each of them. See docs/decisions/0010.
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

#: The prefix of all keys of the sign-in library.
SHARED = "allauth"
#: Maximum number of files. Beyond it a third of them, chosen at random, is deleted.
MAX_FILES = 20_000
_LOG_EVERY = 60  # seconds
_FAILED = (OSError, EOFError, pickle.UnpicklingError, zlib.error)


class _Files(FileBasedCache):
    """Django's file cache with an atomic ``add``, on which the library's locks are based."""

    def __init__(self, folder: str) -> None:
        BaseCache.__init__(self, {"OPTIONS": {"MAX_ENTRIES": MAX_FILES}})
        self._dir = os.path.abspath(folder)  # created at the first write, so that a failure is reported then

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        with self._locked():
            return bool(super().add(key, value, timeout, version))

    def _cull(self) -> None:
        """Delete expired entries before random ones, so that an active limit is not removed without need."""
        names = self._list_cache_files()  # type: ignore[attr-defined]
        if len(names) < self._max_entries:
            return
        for name in names:
            with suppress(OSError), open(name, "rb") as file:
                self._is_expired(file)  # type: ignore[attr-defined]
        super()._cull()  # type: ignore[misc]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        os.makedirs(self._dir, 0o700, exist_ok=True)
        # Open the file each time: flock belongs to the open file, so the lock also excludes other threads.
        with open(os.path.join(self._dir, "lock"), "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class SharedCache(LocMemCache):
    """The cache backend; LOCATION is a folder. If it cannot be used, each process counts alone and logs a warning."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(location, params)
        self._files = _Files(location)
        self._logged_minute = -1

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
                self._log_failure(failure)
        return getattr(super(), act)(key, *values)

    def _log_failure(self, failure: Exception) -> None:
        """Log the failure at most once a minute, because every access fails in the same way."""
        minute = int(time.monotonic() // _LOG_EVERY)
        if minute != self._logged_minute:
            self._logged_minute = minute
            log.warning("Sign-in limits now apply to each process separately: %s", failure)
