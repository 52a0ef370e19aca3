"""A Django cache backend for whole numbers in a small file that all processes of this machine share.

It counts requests in a shop without Redis: Django's memory cache is separate in each process, and a row in the database
would turn every read into a write. It supports add, incr, get, set, delete and clear. Expired entries are dropped; when
there is no room, the entry that expires next is overwritten. See docs/decisions/0010.
"""

from __future__ import annotations

import fcntl
import os
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

#: One slot: hash of the key, expiry (milliseconds since 1970), value.
_SLOT = struct.Struct("<QQq")
_SLOTS = 1 << 15
#: The number of consecutive slots in which a key may be stored.
_REACH = 16


class _Table:
    """The file with the slots, protected by a lock for the threads of this process and a file lock for other processes.

    The file is read and written by system calls instead of being mapped: if a mapped file is truncated or the disk is
    full, access to it kills the process, whereas a system call fails with OSError.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = self._open()
        self._threads = threading.Lock()

    def _open(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def locked(self) -> Iterator[None]:
        with self._threads:
            if not os.fstat(self._file).st_nlink:  # deleted or replaced: new processes use another file
                deleted, self._file = self._file, self._open()
                os.close(deleted)
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)

    def read(self, slot: int) -> Iterator[tuple[int, int, int]]:
        """Return the slots from ``slot`` on that a key may be in; slots beyond the end of the file are empty."""
        size = _REACH * _SLOT.size
        return _SLOT.iter_unpack(os.pread(self._file, size, slot * _SLOT.size).ljust(size, b"\0"))

    def write(self, slot: int, *values: int) -> None:
        os.pwrite(self._file, _SLOT.pack(*values), slot * _SLOT.size)

    def empty(self) -> None:
        os.ftruncate(self._file, 0)


_tables: dict[str, _Table] = {}
_opening = threading.Lock()


def _forget_after_fork() -> None:
    """Make a forked child open the file again, because a thread of the parent may have held a lock."""
    global _opening
    _tables.clear()
    _opening = threading.Lock()


os.register_at_fork(after_in_child=_forget_after_fork)


class CounterCache(BaseCache):
    """The cache backend; LOCATION is the path of the file."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._path = location

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        with self._found(key, version) as (table, slot, number, held):
            if held is not None:
                return False
            table.write(slot, number, self._until(timeout), int(value))
            return True

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        with self._found(key, version) as (_table, _slot, _number, held):
            return default if held is None else held[1]

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        with self._found(key, version) as (table, slot, number, _held):
            table.write(slot, number, self._until(timeout), int(value))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        with self._found(key, version) as (table, slot, number, held):
            if held is None:
                raise ValueError(f"key {key!r} not found")
            until, value = held
            table.write(slot, number, until, value + delta)
            return value + delta

    def delete(self, key: Any, version: int | None = None) -> bool:
        with self._found(key, version) as (table, slot, _number, held):
            if held is not None:
                table.write(slot, 0, 0, 0)
            return held is not None

    def clear(self) -> None:
        table = self._table()
        with table.locked():
            table.empty()

    def _until(self, timeout: Any) -> int:
        moment = self.get_backend_timeout(timeout)
        return int((time.time() + 365 * 86_400 if moment is None else moment) * 1000)

    def _table(self) -> _Table:
        found = _tables.get(self._path)
        if found is None:
            with _opening:
                found = _tables.setdefault(self._path, _tables.get(self._path) or _Table(Path(self._path)))
        return found

    @contextmanager
    def _found(self, key: Any, version: int | None) -> Iterator[tuple[_Table, int, int, tuple[int, int] | None]]:
        """Lock the table and yield it, the slot of ``key``, the key's hash, and (expiry, value) or None if not found.

        If the key is not found, the slot is the one to use for it.
        """
        name = self.make_and_validate_key(key, version=version)
        number = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little") or 1
        table, now, first = self._table(), int(time.time() * 1000), number % _SLOTS
        with table.locked():
            best, best_until = first, -1
            for slot, (owner, until, value) in enumerate(table.read(first), first):
                if owner == number and until > now:
                    yield table, slot, number, (until, value)
                    return
                if best_until < 0 or until < best_until:
                    best, best_until = slot, until
            yield table, best, number, None
