"""The send window: how many orders may be under way at a provider, with a slow start as in TCP.

An unclear answer leaves an order that an operator may have to decide about, and its cause may affect the next order as
well. So a pass starts with one order, doubles with every clear answer up to the provider's limit, and returns to one
after an unclear answer. The same applies to each offer, because panels may reject one of their services with an unknown
error text while they accept all others.

Pure: no database, no clock.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable


class SendWindow:
    """The state of one pass.

    Args:
        limit: The maximum number of orders under way.
        start: The number of orders that may be under way before the first answer.
        ahead: How many more may be claimed while the window is fully open, so that no sender waits for the next claim.
    """

    def __init__(self, limit: int, *, start: int = 1, ahead: int = 0) -> None:
        self.limit, self.ahead = limit, ahead
        self._size = start
        self._sizes: defaultdict[Hashable, int] = defaultdict(lambda: start)
        self._under_way: Counter[Hashable] = Counter()

    @property
    def size(self) -> int:
        """The number of orders that may be under way now."""
        return min(self._size, self.limit)

    @property
    def under_way(self) -> int:
        return self._under_way.total()

    @property
    def free(self) -> int:
        """The number of orders that may be claimed now."""
        return max(self._room(self._size) - self.under_way, 0)

    def free_for(self, offer: Hashable) -> int:
        """Return how many orders at ``offer`` may be claimed now, if the provider's own window has room for them."""
        return max(self._room(self._sizes[offer]) - self._under_way[offer], 0)

    def _room(self, size: int) -> int:
        return size if size < self.limit else self.limit + self.ahead

    def sent(self, offer: Hashable) -> None:
        self._under_way[offer] += 1

    def answered(self, offer: Hashable, *, is_clear: bool | None) -> None:
        """Count an answer; ``is_clear`` is None if it says nothing about the next order."""
        self._under_way[offer] -= 1
        if is_clear:
            self._size = min(self._size * 2, self.limit)
            self._sizes[offer] = min(self._sizes[offer] * 2, self.limit)
        elif is_clear is False:
            self._size = self._sizes[offer] = 1
