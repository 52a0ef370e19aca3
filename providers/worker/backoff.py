"""How long to wait after a failure. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Doubling:
    """Waits that double from ``first`` to ``last`` seconds and never end."""

    first: float
    last: float

    def delay(self, failures: int) -> timedelta:
        """Return the wait after that many failures, at least one."""
        # The exponent is bounded: 2.0 ** 1024 does not exist.
        return timedelta(seconds=min(self.first * 2.0 ** min(max(failures - 1, 0), 64), self.last))


@dataclass(frozen=True, slots=True)
class Steps:
    """One wait after each failure; after the last one the work is given up.

    ``jitter`` is the share that is added at random, so that what failed together does not come back together.
    """

    seconds: tuple[float, ...]
    jitter: float = 0.0

    def delay(self, failures: int) -> timedelta | None:
        """Return the wait after that many failures, at least one; None to give up."""
        if failures > len(self.seconds):
            return None
        spread = 1 + random.random() * self.jitter  # noqa: S311  # nothing secret
        return timedelta(seconds=self.seconds[max(failures - 1, 0)] * spread)
