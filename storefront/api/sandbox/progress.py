"""The progress of a sandbox order, computed from its link, its times and the current time, without clock or settings.

A word in the link chooses the outcome, as the numbers of test cards do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from orders.rules.state_machine import Status

#: Words in a link that choose the outcome; the first one found in this order counts.
REFUSED, CANCELED, PARTIAL, SLOW = "refused", "canceled", "partial", "slow"
#: A word in a link that makes its refills end as rejected.
REJECTED = "rejected"
#: Orders, refills, and cancellations of started orders stay in their first state for 1/_FIRST_PART of their duration.
_FIRST_PART = 4
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Course:
    """The whole course of an order: in progress from ``starts_at``, with nothing more delivered after ``delivered_at``.

    ``status`` and ``remains`` (pieces) apply from ``ends_at`` on; None means that it does not end by itself.
    """

    starts_at: datetime
    delivered_at: datetime
    ends_at: datetime | None
    status: Status
    remains: int


def course(link: str, *, quantity: int, begins_at: datetime, length: timedelta) -> Course:
    """Return the course of an order of ``quantity`` pieces that begins at ``begins_at`` and takes ``length``."""
    starts_at, ends_at = begins_at + length / _FIRST_PART, begins_at + length
    half = (quantity + 1) // 2
    match _word(link, REFUSED, CANCELED, PARTIAL, SLOW):
        case "refused":
            return Course(starts_at, starts_at, starts_at, Status.CANCELED, quantity)
        case "canceled":
            return Course(starts_at, ends_at, ends_at, Status.CANCELED, quantity)
        case "partial":
            return Course(starts_at, ends_at, ends_at, Status.PARTIAL, half)
        case "slow":
            return Course(starts_at, ends_at, None, Status.IN_PROGRESS, half)
    return Course(starts_at, ends_at, ends_at, Status.COMPLETED, 0)


def state_at(course: Course, *, quantity: int, now: datetime) -> tuple[Status, int]:
    """Return the status at ``now`` and the number of pieces that remain.

    An order that has not started is queued, because no panel has it.
    """
    if course.ends_at is not None and now >= course.ends_at:
        return course.status, course.remains
    if now < course.starts_at:
        return Status.QUEUED, quantity
    duration = (course.delivered_at - course.starts_at) // _MOMENT
    passed = min((now - course.starts_at) // _MOMENT, duration)
    to_deliver = quantity - course.remains
    # Use whole numbers: a quantity can have more digits than a float represents exactly.
    return Status.IN_PROGRESS, quantity - (to_deliver * passed // duration if duration else to_deliver)


def stop_course(course: Course, *, quantity: int, now: datetime, length: timedelta) -> Course:
    """Return the course after a cancellation: at once if it has not started, otherwise after a quarter of ``length``.

    What was delivered at the time of the request stays delivered and decides between canceled and partial.
    """
    if now < course.starts_at:
        return Course(now, now, now, Status.CANCELED, quantity)
    _status, left = state_at(course, quantity=quantity, now=now)
    ends_at = now + length / _FIRST_PART
    if course.ends_at is not None:
        ends_at = min(ends_at, course.ends_at)
    return Course(course.starts_at, now, ends_at, Status.CANCELED if left == quantity else Status.PARTIAL, left)


def start_count(number: int) -> int:
    """Return the start count of order ``number``, the same each time."""
    return 1000 + number * 7919 % 9000


def is_rejected(link: str) -> bool:
    """Return whether refills of an order for ``link`` end as rejected."""
    return bool(_word(link, REJECTED))


def refill_stage(*, created_at: datetime, ends_at: datetime, is_rejected: bool, now: datetime) -> str:
    """Return the state of a refill at ``now``: waiting, in_progress, completed or rejected."""
    if now >= ends_at:
        return "rejected" if is_rejected else "completed"
    return "waiting" if now < created_at + (ends_at - created_at) / _FIRST_PART else "in_progress"


def _word(link: str, *words: str) -> str:
    text = link.lower()
    return next((word for word in words if word in text), "")
