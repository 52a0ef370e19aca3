"""A provider's limit of calls per minute: the calls of a pass are spaced evenly."""

from __future__ import annotations

import time

from providers.models import Provider

#: Placing and status sync run at the same time, one pass each, so each of them gets half of the calls.
SHARES = 2


class CallPacer:
    """Tells when the next call of this pass may be made; without a limit, at once."""

    def __init__(self, provider: Provider) -> None:
        self._gap = 60 * SHARES / provider.calls_per_minute if provider.calls_per_minute else 0.0
        self._next = time.monotonic()

    @property
    def is_limited(self) -> bool:
        return self._gap > 0

    def wait(self) -> float:
        """Return the seconds until the next call may be made."""
        return max(self._next - time.monotonic(), 0.0) if self._gap else 0.0

    def sleep(self) -> None:
        time.sleep(self.wait())

    def count(self) -> None:
        """Count a call that is made now."""
        self._next = max(self._next, time.monotonic()) + self._gap
