"""Boot-time clock and deadlines on it. Pure: no Django, no network.

Two kinds of time must not be mixed. A time that several machines compare (the end of a lease or of a turn) is read
from the database, see ``leases.database_now``: the clocks of two machines may differ by minutes. A time that only this
process compares is read here: from a clock that nobody sets and that goes on while the process is stopped or the
machine sleeps, so that a process that wakes up knows how much it missed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

# Linux stops CLOCK_MONOTONIC, which time.monotonic() reads, while the machine sleeps. macOS has no CLOCK_BOOTTIME, and
# its CLOCK_MONOTONIC runs on.
_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boottime() -> float:
    """Return the seconds since this machine was started, its sleep included."""
    return time.clock_gettime(_CLOCK)


class DeadlinePassed(Exception):
    """It is too late to begin: this process was stopped, or the machine slept."""


@dataclass(frozen=True, slots=True, order=True)
class Deadline:
    """A moment of this machine's boot-time clock. It means nothing to another machine and is never stored."""

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
