"""How many orders may be on their way to a provider at once: slow start, as in TCP.

An answer that is neither a clear yes nor a clear no leaves an order that a person may have to decide about. Whatever
causes it may affect the next order as well. So a pass begins with one order, doubles with every clear answer up to the
provider's limit, and goes back to one as soon as something is not clearly answered. The same holds for each offer:
panels reject one of their services in unfamiliar words while they accept all others.

Pure: no database, no clock.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable


class SendWindow:
    """The state of one pass.

    Args:
        limit: The most that may be under way, whatever was answered.
        start: How many may be under way before anything was answered.
        ahead: How many more may be claimed while the window is fully open, so that no sender waits for the next claim.
    """

    def __init__(self, limit: int, *, start: int = 1, ahead: int = 0) -> None:
        self.limit, self.ahead = limit, ahead
        self._size = start
        self._sizes: defaultdict[Hashable, int] = defaultdict(lambda: start)
        self._under_way: Counter[Hashable] = Counter()

    @property
    def size(self) -> int:
        """How many may be under way now."""
        return min(self._size, self.limit)

    @property
    def under_way(self) -> int:
        return self._under_way.total()

    @property
    def free(self) -> int:
        """How many more may be claimed now."""
        return max(self._room(self._size) - self.under_way, 0)

    def free_for(self, offer: Hashable) -> int:
        """How many more of ``offer`` may be claimed now, if the provider as a whole has room for them."""
        return max(self._room(self._sizes[offer]) - self._under_way[offer], 0)

    def _room(self, size: int) -> int:
        return size if size < self.limit else self.limit + self.ahead

    def sent(self, offer: Hashable) -> None:
        self._under_way[offer] += 1

    def answered(self, offer: Hashable, *, is_clear: bool | None) -> None:
        """Count one that is no longer under way. ``is_clear`` None: it says nothing about the next order."""
        self._under_way[offer] -= 1
        if is_clear:
            self._size = min(self._size * 2, self.limit)
            self._sizes[offer] = min(self._sizes[offer] * 2, self.limit)
        elif is_clear is False:
            self._size = self._sizes[offer] = 1
