"""Id windows: the range in which a lost order's number must lie, and what the numbers there prove. Pure: no I/O.

If a panel numbers its orders as they arrive, the number of a lost order is above that of every order that was answered
before this one was sent, and below that of every order that was sent after this one had settled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from providers import notes
from providers.notes import Note
from providers.reconciling import matching

#: The number of known orders whose numbers must have risen with time, and how many of them must have had an earlier one
#: to be compared with.
HISTORY, COMPARED = 50, 10
#: The maximum difference of the clocks of two workers.
SKEW = timedelta(seconds=2)
#: How far above the last known number an open window is searched: this multiple of what the panel sold meanwhile.
AHEAD, AHEAD_LEAST = 4, 20
#: Seconds after which an order of unknown outcome is looked for while the panel settles: what was carried out in time
#: is found within seconds, and is then no longer mistaken for another order of unknown outcome.
EARLY = (10, 30, 60)
#: Seconds after the panel has settled: the next natural order closes the window.
CLOSING = (0, 15, 30, 60, 120)
#: Seconds at last: after 5, 15 and 60 minutes, then hourly for a day.
LATER = (300, 900, *range(3600, 24 * 3600 + 1, 3600))


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order that we certainly placed: its number at the panel, when it was sent, and when the answer came."""

    number: int
    sent_at: datetime
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """The numbers above ``lower`` (0 if no earlier number is known) and below ``upper`` (None if no later one is)."""

    lower: int
    upper: int | None = None

    def holds(self, number: int) -> bool:
        return self.lower < number and (self.upper is None or number < self.upper)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A placement without a number, which may be the owner of one in its window; ``cost`` is in ``currency``.

    ``request`` is the same for placements that requested exactly the same, and "" if that is not known.
    """

    key: int
    window: Window
    cost: Decimal
    currency: str
    quantity: int
    request: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An order that the panel shows us and that no placement of ours has."""

    number: int
    charge: Decimal | None
    currency: str
    remains: int | None
    panel_status: str = ""


class WhyOpen(StrEnum):
    """Why the search has not decided about an order; ``evidence.WHY_OPEN`` has the text of each."""

    SEVERAL = "several"  # several numbers may be its own
    OTHERS = "others"  # its number may be that of another attempt
    INDISTINCT = "indistinct"  # it was placed, and so were others: which number is whose is unclear
    UNEXPLAINED = "unexplained"  # a number in the window belongs to none of our attempts
    WINDOW_OPEN = "open"  # no later order is known
    SILENT = "silent"  # the panel did not answer about every number
    NOT_ALLOWED = "not allowed"
    NO_CHECK = "no control"  # the check required for the search has not passed
    NO_EARLIER = "no earlier"  # no earlier number is known
    TOO_WIDE = "too wide"  # the window has more numbers than one search may ask for
    TRIES = "tries"  # it was sent too often


class Verdict(StrEnum):
    PLACED = "placed"
    UNPLACED = "unplaced"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is proven about one claim. ``hits``: the one it is, or those it may be. ``why`` it is open, if it is."""

    verdict: Verdict
    hits: tuple[Hit, ...] = ()
    why: WhyOpen | None = None


def why_unreliable(known: Sequence[KnownOrder]) -> str:
    """Return why nothing can be concluded from these numbers, as a note, or "" if they rose strictly with time."""
    if len(known) < HISTORY:
        return notes.encode(Note.FEW_NUMBERS, count=len(known), needed=HISTORY)
    answered = sorted(known, key=lambda one: one.answered_at)
    compared = passed = highest = 0
    for one in sorted(known, key=lambda one: one.sent_at):
        while passed < len(answered) and answered[passed].answered_at < one.sent_at:
            highest = max(highest, answered[passed].number)
            passed += 1
        if highest and one.number <= highest:
            return notes.encode(Note.NUMBERS_FALL, number=str(one.number), before=str(highest))
        compared += bool(highest)
    return "" if compared >= COMPARED else notes.encode(Note.FEW_IN_SEQUENCE, count=compared, total=len(known))


def window(
    earlier: Iterable[KnownOrder],
    later: Iterable[KnownOrder],
    *,
    sent_at: datetime,
    ended_at: datetime,
    settle: timedelta,
) -> Window:
    """Return the window of a placement that was sent between ``sent_at`` and ``ended_at``.

    Args:
        earlier, later: The orders that were claimed before and after it; the times alone are not enough, because the
            clocks of two workers may differ.
        settle: The time after ``ended_at`` in which the panel may still number the order.
    """
    lower = max((one.number for one in earlier if one.answered_at + SKEW < sent_at), default=0)
    upper = min((one.number for one in later if one.sent_at > ended_at + settle + SKEW), default=None)
    return Window(lower, upper) if upper is None or lower < upper else Window(0)


def numbers(window: Window, known: Sequence[KnownOrder], now: datetime) -> range:
    """Return the numbers to request; of an open window, up to the number that the panel may have reached by ``now``."""
    upper = window.upper
    if upper is None:
        first = min(known, key=lambda one: one.answered_at)
        last = max(known, key=lambda one: one.answered_at)
        seconds = max((last.answered_at - first.answered_at).total_seconds(), 1)
        orders_per_second = max(last.number - first.number, 1) / seconds
        waited = (now - last.answered_at).total_seconds()
        upper = last.number + max(AHEAD_LEAST, int(orders_per_second * AHEAD * waited))
    return range(window.lower + 1, upper)


def gaps(known: Sequence[KnownOrder], claims: Collection[Claim], most: int) -> list[int]:
    """Return up to ``most`` numbers between known orders that none of ours can have, the newest first."""
    ours = sorted((one.number for one in known), reverse=True)
    found: list[int] = []
    for upper, lower in pairwise(ours):
        for number in range(upper - 1, lower, -1):
            if len(found) >= most:
                return found
            if not any(claim.window.holds(number) for claim in claims):
                found.append(number)
    return found


def next_look(ended_at: datetime, settle: timedelta, now: datetime) -> datetime | None:
    """Return the time of the next search, or None after a day, when only an operator can decide."""
    settled = settle.total_seconds()
    seconds = sorted({*(after for after in EARLY if after < settled), *(settled + after for after in CLOSING), *LATER})
    looks = (ended_at + timedelta(seconds=after) for after in seconds)
    return next((at for at in looks if at > now), None)


def decimal_places(charges: Iterable[Decimal | None]) -> int:
    """Return the number of decimals to which the panel rounds, judged by ``charges``; at least 2."""
    exponents = (charge.as_tuple().exponent for charge in charges if charge is not None)
    return max(2, *(-exponent for exponent in exponents if isinstance(exponent, int)), 2)


def fits(hit: Hit, claim: Claim, decimals: int) -> bool:
    """Return whether ``hit`` may be the order that ``claim`` sent."""
    return (
        claim.window.holds(hit.number)
        and hit.charge is not None
        and abs(hit.charge - claim.cost) < Decimal(1).scaleb(-decimals)
        and hit.currency in ("", claim.currency)
        and (hit.remains is None or hit.remains <= claim.quantity)
    )


def judge(
    claims: Sequence[Claim], hits: Sequence[Hit], *, answered: Collection[int], decimals: int
) -> dict[int, Finding]:
    """Return what ``hits``, all orders that the panel showed among ``answered``, prove about each claim, by its key.

    Only what is true in every assignment of the hits to claims is proven:

    - Placed: the claim has the same number in each of them.
    - Unplaced: the window is closed, the panel gave a clear answer about every number in it, and no hit fits.
    - Open: everything else. Also where a hit in the window can be nobody's: then we do not see the whole.

    Claims that sent the very same request are interchangeable. Any possible assignment among them is right.
    """
    by_number = {hit.number: hit for hit in hits}
    owners = {hit.number: [claim.key for claim in claims if fits(hit, claim, decimals)] for hit in hits}
    assignment = matching.assign(owners)
    requests = {claim.key: claim.request for claim in claims}
    whys = {claim.key: _why_incomplete(claim, answered) for claim in claims}

    def finding(claim: Claim) -> Finding:
        within = sorted(number for number in by_number if claim.window.holds(number))
        fitting = tuple(by_number[number] for number in within if claim.key in owners[number])
        if not assignment.unexplained.isdisjoint(within):
            return Finding(Verdict.OPEN, fitting or tuple(by_number[number] for number in within), WhyOpen.UNEXPLAINED)
        if not fitting:
            why = whys[claim.key]
            return Finding(Verdict.OPEN, why=why) if why else Finding(Verdict.UNPLACED)
        rivals = assignment.groups.get(claim.key) or assignment.rivals[claim.key]
        if not _are_interchangeable(rivals, requests):
            why = WhyOpen.SEVERAL if len(fitting) > 1 else WhyOpen.OTHERS
            why = WhyOpen.INDISTINCT if claim.key in assignment.groups else why
            return Finding(Verdict.OPEN, fitting, why)
        if claim.key in assignment.number_of:
            return Finding(Verdict.PLACED, (by_number[assignment.number_of[claim.key]],))
        why = next((whys[key] for key in sorted(rivals) if whys[key]), None)
        return Finding(Verdict.OPEN, fitting, why) if why else Finding(Verdict.UNPLACED)

    return {claim.key: finding(claim) for claim in claims}


def _are_interchangeable(keys: Collection[int], requests: Mapping[int, str]) -> bool:
    """Return whether it does not matter which of these claims has which number."""
    first, *others = (requests[key] for key in keys)
    return not others or (first != "" and all(other == first for other in others))


def _why_incomplete(claim: Claim, answered: Collection[int]) -> WhyOpen | None:
    """Return why a number of ``claim`` may still be missing from what the panel showed; None if none can be."""
    if claim.window.upper is None:
        return WhyOpen.WINDOW_OPEN
    numbers_within = range(claim.window.lower + 1, claim.window.upper)
    return None if all(number in answered for number in numbers_within) else WhyOpen.SILENT
