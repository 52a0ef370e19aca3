"""The boot-time clock, and deadlines on it. Pure: no Django, no network.

Two kinds of time must not be mixed. Times that several machines compare (the end of a lease or of a turn) come from
the database, see ``leases.database_now``, because the clocks of two machines may differ by minutes. Times that only
this process compares come from here: from a clock that nobody can set and that keeps running while the process is
stopped or the machine sleeps, so that a process that wakes up notices how late it is.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

# On Linux, CLOCK_MONOTONIC (time.monotonic()) stops while the machine sleeps. macOS has no CLOCK_BOOTTIME, but its
# CLOCK_MONOTONIC keeps running.
_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boottime() -> float:
    """Return the seconds since this machine was started, including the time it slept."""
    return time.clock_gettime(_CLOCK)


class DeadlinePassed(Exception):
    """It is too late to start: this process was stopped, or the machine slept."""


@dataclass(frozen=True, slots=True, order=True)
class Deadline:
    """A time on this machine's boot-time clock. It means nothing on another machine, so it is never stored."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(boottime() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds until the deadline, negative once it has passed."""
        return self.at - boottime()

    @property
    def has_passed(self) -> bool:
        return self.remaining <= 0

    def check(self) -> None:
        """Raise DeadlinePassed once the deadline has passed."""
        if self.has_passed:
            raise DeadlinePassed
