"""A provider's limit of calls a minute, kept by spacing the calls of a pass evenly."""

from __future__ import annotations

import time

from providers.models import Provider

#: Placing and following run side by side, one pass of each at a time: each gets half of the calls.
SHARES = 2


class Pace:
    """Says when the next call of this pass may go out. Without a limit it always says: now."""

    def __init__(self, provider: Provider) -> None:
        self._gap = 60 * SHARES / provider.calls_per_minute if provider.calls_per_minute else 0.0
        self._next = time.monotonic()

    @property
    def is_limited(self) -> bool:
        return self._gap > 0

    def wait(self) -> float:
        """Seconds until the next call may go out."""
        return max(self._next - time.monotonic(), 0.0) if self._gap else 0.0

    def sleep(self) -> None:
        time.sleep(self.wait())

    def count(self) -> None:
        """A call goes out now."""
        self._next = max(self._next, time.monotonic()) + self._gap
