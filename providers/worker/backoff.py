"""Waiting times after failures. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Doubling:
    """Waiting times that double from ``first`` to ``last`` seconds, without a limit on the number of failures."""

    first: float
    last: float

    def delay(self, failures: int) -> timedelta:
        """Return the waiting time after ``failures`` failures; 0 counts as 1."""
        # The exponent is bounded because 2.0 ** 1024 overflows.
        return timedelta(seconds=min(self.first * 2.0 ** min(max(failures - 1, 0), 64), self.last))


@dataclass(frozen=True, slots=True)
class Steps:
    """One waiting time for each failure; after the last one the work is given up.

    Args:
        seconds: The waiting times, in order.
        jitter: Share of each that is added at random, so that jobs that failed together are not retried together.
    """

    seconds: tuple[float, ...]
    jitter: float = 0.0

    def delay(self, failures: int) -> timedelta | None:
        """Return the waiting time after ``failures`` failures, or None to give up; 0 counts as 1."""
        if failures > len(self.seconds):
            return None
        spread = 1 + random.random() * self.jitter  # noqa: S311  # nothing secret
        return timedelta(seconds=self.seconds[max(failures - 1, 0)] * spread)
