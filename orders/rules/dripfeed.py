"""Drip-feed orders that we split ourselves: when each run is due, and what the order's status follows to. Pure.

A run is judged alone, by the rules of ``lifecycle``; an order in runs has no report of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orders.rules.state_machine import FOLLOWED, TERMINAL, Status

#: How far a run has come, before any has ended: the order stands where its furthest run stands.
_RANK = {status: rank for rank, status in enumerate((Status.QUEUED, Status.SUBMITTING, Status.IN_DOUBT, *FOLLOWED))}


@dataclass(frozen=True, slots=True)
class RunState:
    """One run: where it stands, how many pieces it is, and how many of them are to come (None: not known)."""

    status: Status
    quantity: int
    remains: int | None = None
    start_count: int | None = None

    @property
    def left(self) -> int:
        """Pieces that are not delivered, as far as anybody knows."""
        if self.status is Status.COMPLETED:
            return 0
        if self.remains is None or self.status in (Status.CANCELED, Status.FAILED):
            return self.quantity
        return min(max(self.remains, 0), self.quantity)


@dataclass(frozen=True, slots=True)
class OrderState:
    """What follows for the order. ``undelivered`` is what is to be paid back in all: what ended runs did not deliver.

    A run never goes back from what it left undelivered, so this only ever grows.
    """

    status: Status
    remains: int
    undelivered: int
    start_count: int | None


def order_state(parts: Sequence[RunState]) -> OrderState:
    """How an order stands whose runs (at least one, in order) stand at ``parts``."""
    ended = [part for part in parts if part.status in TERMINAL]
    undelivered = sum(part.left for part in ended)
    return OrderState(
        status=_status(parts, ended, undelivered),
        remains=sum(part.left for part in parts),
        undelivered=undelivered,
        start_count=parts[0].start_count,
    )


def _status(parts: Sequence[RunState], ended: Sequence[RunState], undelivered: int) -> Status:
    if len(ended) < len(parts):
        return Status.IN_PROGRESS if ended else max((part.status for part in parts), key=lambda status: _RANK[status])
    if not undelivered:
        return Status.COMPLETED
    return Status.CANCELED if undelivered == sum(part.quantity for part in parts) else Status.PARTIAL


def due_times(start: datetime, *, runs: int, interval: int) -> list[datetime]:
    """When each run is due: fixed from the ``start`` on, so that a late run does not push away the others."""
    return [start + timedelta(minutes=interval * number) for number in range(runs)]
