"""Order statuses, and the decision what one progress report changes; no I/O and no Django.

Money follows two rules. Only a terminal status moves it, and a report can only raise the total refund. So whatever the
order in which reports arrive, nothing is refunded twice and no refund is taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Status(StrEnum):
    """The status of an order or of one of its runs."""

    QUEUED = "queued"  # paid; waits to be placed
    SUBMITTING = "submitting"  # claimed: a call to a panel is or was under way
    IN_DOUBT = "in_doubt"  # the panel may or may not have it; never sent again automatically
    PENDING = "pending"  # the panel has it
    PROCESSING = "processing"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    PARTIAL = "partial"
    CANCELED = "canceled"
    FAILED = "failed"  # no panel accepted it; refunded in full


class Oddity(StrEnum):
    """Why an operator should look at a report."""

    UNKNOWN_WORD = "unknown_status"
    REMAINS_MISSING = "remains_missing"
    REMAINS_OUT_OF_RANGE = "remains_out_of_range"
    FAILED_UPSTREAM = "failed_upstream"
    WENT_BACK = "went_back"
    REOPENED = "reopened"


#: Statuses in which a panel has the order and may report on it.
FOLLOWED = (Status.PENDING, Status.PROCESSING, Status.IN_PROGRESS)
TERMINAL = frozenset({Status.COMPLETED, Status.PARTIAL, Status.CANCELED, Status.FAILED})
#: Statuses after a full refund: no report changes them, an operator has to look at it.
_REFUNDED = (Status.CANCELED, Status.FAILED)
_RANK = {status: rank for rank, status in enumerate(FOLLOWED)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One progress report about a placement, translated to our terms; ``None`` means missing or unreadable.

    ``charge`` is what the panel charged, in the panel's currency. ``status`` is None if ``word`` is not a known status.
    ``posts`` is the number of posts that a subscription has served, which panels report instead of ``remains``.
    """

    status: Status | None
    panel_status: str = ""
    start_count: int | None = None
    remains: int | None = None
    charge: Decimal | None = None
    currency: str = ""
    posts: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The change that a report makes.

    ``undelivered`` is the total number of pieces to refund; None moves no money. ``oddity`` says why an operator should
    look at the report.
    """

    status: Status
    start_count: int | None
    remains: int | None
    undelivered: int | None = None
    oddity: Oddity | None = None


def decide(
    *, current: Status, quantity: int, start_count: int | None, remains: int | None, progress: Progress
) -> Decision:
    """Return what ``progress`` changes on an order whose status is ``current``; every combination has a result."""
    started = progress.start_count if progress.start_count is not None else start_count
    left, oddity = _clamp(progress.remains, quantity)

    def stay(why: Oddity | None = None) -> Decision:
        return Decision(status=current, start_count=started, remains=remains, oddity=why or oddity)

    match progress.status:
        case None | Status.QUEUED | Status.SUBMITTING | Status.IN_DOUBT:
            # The last three statuses are internal, so no panel can report them.
            return stay(Oddity.UNKNOWN_WORD)
        case Status.FAILED:
            # The panel failed the order but does not say whether it refunded us, so an operator decides.
            return stay(None if current in TERMINAL else Oddity.FAILED_UPSTREAM)
        case Status.CANCELED:
            if current in _REFUNDED:
                return stay()
            return Decision(status=Status.CANCELED, start_count=started, remains=quantity, undelivered=quantity)
        case Status.PARTIAL:
            if current in _REFUNDED:
                return stay(Oddity.REOPENED)
            if left is None:
                return stay(Oddity.REMAINS_MISSING)
            if current is Status.PARTIAL and remains is not None and left <= remains:
                return stay(Oddity.WENT_BACK if left < remains else None)
            return Decision(status=Status.PARTIAL, start_count=started, remains=left, undelivered=left, oddity=oddity)
        case Status.COMPLETED:
            if current is Status.PARTIAL or current in _REFUNDED:
                return stay(Oddity.REOPENED)
            return Decision(status=Status.COMPLETED, start_count=started, remains=0)
        case moving:
            if current in TERMINAL:
                return stay()
            kept = left if left is not None else remains
            is_back = _RANK.get(current, -1) > _RANK[moving]
            return Decision(status=current if is_back else moving, start_count=started, remains=kept, oddity=oddity)


def _clamp(remains: int | None, quantity: int) -> tuple[int | None, Oddity | None]:
    if remains is None or 0 <= remains <= quantity:
        return remains, None
    return min(max(remains, 0), quantity), Oddity.REMAINS_OUT_OF_RANGE
