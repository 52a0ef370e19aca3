"""Turns: one process at a time for a named piece of work, such as one provider's submissions.

``take`` takes a turn for a number of seconds, ``keep`` extends it, ``end`` returns it. The turn of a process that died
expires. All times are the database's, so that the clocks of several machines do not matter.

A process that was stopped may have lost its turn without noticing. Therefore every transaction that claims work calls
``keep``: it locks the turn until the commit, so that no other process can take it in between, and returns False if
another process has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from django.db.models import Q
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from providers.worker.clock import Deadline
from providers.worker.models import Turn

#: Seconds; no turn is taken for longer. A turn that ends later was written while the clock was wrong and is free.
LONGEST = 600.0


@dataclass(slots=True)
class HeldTurn:
    """A turn that this process has taken; until ``ends`` it belongs to this process without asking the database."""

    name: str
    seconds: float
    holder: str
    ends: Deadline

    def keep(self) -> bool:
        """Extend the turn to its full length from now; return False if another process has taken it.

        Call it in the transaction that claims work, before anything is claimed: the turn then cannot change hands
        before the commit.
        """
        ends = Deadline.after(self.seconds)
        if not Turn.objects.filter(name=self.name, holder=self.holder).update(until=_end(self.seconds)):
            return False
        self.ends = ends
        return True

    def hold(self) -> bool:
        """Like ``keep``, but ask the database only after half of the time; for passes that claim no rows."""
        return self.ends.remaining > self.seconds / 2 or self.keep()

    def send_by(self, *, longest_call: float) -> Deadline:
        """Return the last moment to start a call that has no lease of its own, so that it ends with the turn."""
        return Deadline(self.ends.at - longest_call)

    def end(self) -> None:
        """Return the turn; does nothing if it was lost."""
        Turn.objects.filter(name=self.name, holder=self.holder).update(holder="", until=Now())


def take(name: str, *, seconds: float) -> HeldTurn | None:
    """Take the turn ``name``; return None if another process has it.

    Args:
        seconds: How long it lasts without ``keep``: at least the lease of what is claimed in it, so that all calls
            have ended when the next process starts.
    """
    if seconds > LONGEST:
        raise ValueError(f"a turn of {seconds:g} s is longer than {LONGEST:g} s")
    held = HeldTurn(name, seconds, uuid4().hex, Deadline.after(seconds))
    is_free = Q(until__lte=Now()) | Q(until__gt=_end(LONGEST))
    if Turn.objects.filter(is_free, name=name).update(holder=held.holder, until=_end(seconds)):
        return held
    if Turn.objects.filter(name=name).exists():
        return None
    # Two processes may use a new name at the same time; the database lets one of them insert it.
    Turn.objects.bulk_create([Turn(name=name, holder=held.holder, until=_end(seconds))], ignore_conflicts=True)
    return held if Turn.objects.filter(name=name, holder=held.holder).exists() else None


def is_taken(name: str) -> bool:
    """Return whether any process has the turn ``name`` now."""
    return Turn.objects.filter(name=name, until__gt=Now(), until__lte=_end(LONGEST)).exists()


def _end(seconds: float) -> CombinedExpression:
    return Now() + timedelta(seconds=seconds)
