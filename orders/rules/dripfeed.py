"""Due times of drip-feed runs that we place ourselves, and the order's status derived from its runs.

Reports are applied to each run separately, by the rules of ``state_machine``; there is no report for the order itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orders.rules.state_machine import FOLLOWED, TERMINAL, Status

#: Progress of a run that has not ended: until a run ends, the order has the status of the run that is furthest along.
_RANK = {status: rank for rank, status in enumerate((Status.QUEUED, Status.SUBMITTING, Status.IN_DOUBT, *FOLLOWED))}


@dataclass(frozen=True, slots=True)
class RunState:
    """The state of one run; ``remains`` is the number of pieces not yet delivered (None: not known)."""

    status: Status
    quantity: int
    remains: int | None = None
    start_count: int | None = None

    @property
    def left(self) -> int:
        """The number of pieces that are not known to be delivered."""
        if self.status is Status.COMPLETED:
            return 0
        if self.remains is None or self.status in (Status.CANCELED, Status.FAILED):
            return self.quantity
        return min(max(self.remains, 0), self.quantity)


@dataclass(frozen=True, slots=True)
class OrderState:
    """The state of the order derived from its runs.

    ``undelivered`` is the total number of pieces to refund: those that ended runs did not deliver. It can only grow,
    because the number of pieces that an ended run left undelivered never decreases.
    """

    status: Status
    remains: int
    undelivered: int
    start_count: int | None


def order_state(parts: Sequence[RunState]) -> OrderState:
    """Return the state of the order whose runs are ``parts``: at least one, in order."""
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
    """Return the due time of each run, counted from ``start`` so that a late run does not delay the others.

    Args:
        interval: Minutes between the starts of two runs.
    """
    return [start + timedelta(minutes=interval * number) for number in range(runs)]
