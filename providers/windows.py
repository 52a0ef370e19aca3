"""Where the number of a lost order must lie, and what the numbers there prove. Pure: no I/O, no Django.

A panel that numbers its orders in the order it takes them puts a lost order between two of ours that we know: above
every order that was answered before this one was sent, below every order sent after this one had settled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

#: So many numbers that we know must have risen with time, and so many of them must have had one to rise above.
HISTORY, COMPARED = 50, 10
#: The clocks of two workers may differ by so much.
SKEW = timedelta(seconds=2)
#: How far beyond the last number we know an open window is searched: so many times what the panel sold meanwhile.
AHEAD, AHEAD_LEAST = 4, 20
#: After these many minutes an order in doubt is looked at again, then hourly for a day. The first look is at rest.
LOOKS = (5, 15, *range(60, 24 * 60 + 1, 60))


@dataclass(frozen=True, slots=True)
class Known:
    """An order that we placed without a doubt: its number there, when it was sent and when the answer came."""

    number: int
    sent_at: datetime
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """The numbers above ``lower`` (0: no earlier number is known) and below ``upper`` (None: no later one is)."""

    lower: int
    upper: int | None = None

    def holds(self, number: int) -> bool:
        return self.lower < number and (self.upper is None or number < self.upper)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An attempt without a number, which may be the owner of one in its window. ``cost`` in ``currency``."""

    key: int
    window: Window
    cost: Decimal
    currency: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An order that the panel shows us and that no placement of ours has."""

    number: int
    charge: Decimal | None
    currency: str
    remains: int | None
    word: str = ""


class Verdict(StrEnum):
    PLACED = "placed"
    UNPLACED = "unplaced"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is proven about one claim. ``hits``: the one it is, or those it may be.

    ``why`` it is open: several, others, unexplained, open (no later order is known), silent (not all was answered).
    """

    verdict: Verdict
    hits: tuple[Hit, ...] = ()
    why: str = ""


def distrust(known: Sequence[Known]) -> str:
    """Why nothing can be concluded from these numbers, "" if they rose strictly with time."""
    if len(known) < HISTORY:
        return f"only {len(known)} numbers of {HISTORY} are known"
    answered = sorted(known, key=lambda one: one.answered_at)
    compared = passed = highest = 0
    for one in sorted(known, key=lambda one: one.sent_at):
        while passed < len(answered) and answered[passed].answered_at < one.sent_at:
            highest = max(highest, answered[passed].number)
            passed += 1
        if highest and one.number <= highest:
            return f"its numbers do not rise: {one.number} came after {highest}"
        compared += bool(highest)
    return "" if compared >= COMPARED else f"only {compared} of {len(known)} orders came one after the other"


def window(known: Iterable[Known], *, sent_at: datetime, ended_at: datetime, settle: timedelta) -> Window:
    """Where the number of an attempt must lie that was sent between the two times."""
    before, after = [], []
    for one in known:
        if one.answered_at + SKEW < sent_at:
            before.append(one.number)
        elif one.sent_at > ended_at + settle + SKEW:
            after.append(one.number)
    lower, upper = max(before, default=0), min(after, default=None)
    return Window(lower, upper) if upper is None or lower < upper else Window(0)


def numbers(window: Window, known: Sequence[Known], now: datetime) -> range:
    """The numbers to ask for; in an open window as far as the panel may have come by ``now``."""
    upper = window.upper
    if upper is None:
        first = min(known, key=lambda one: one.answered_at)
        last = max(known, key=lambda one: one.answered_at)
        seconds = max((last.answered_at - first.answered_at).total_seconds(), 1)
        pace = max(last.number - first.number, 1) / seconds
        upper = last.number + max(AHEAD_LEAST, int(pace * AHEAD * (now - last.answered_at).total_seconds()))
    return range(window.lower + 1, upper)


def gaps(known: Sequence[Known], claims: Collection[Claim], most: int) -> list[int]:
    """Up to ``most`` numbers between the orders we know that none of ours can have, the newest first."""
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
    """When an order in doubt is looked at again; None after a day: then only a person does."""
    looks = (ended_at + max(after, settle) for after in (settle, *(timedelta(minutes=minutes) for minutes in LOOKS)))
    return next((at for at in looks if at > now), None)


def places(charges: Iterable[Decimal | None]) -> int:
    """To how many decimals the panel rounds, by what it shows; at least cents."""
    exponents = (charge.as_tuple().exponent for charge in charges if charge is not None)
    return max(2, *(-exponent for exponent in exponents if isinstance(exponent, int)), 2)


def fits(hit: Hit, claim: Claim, decimals: int) -> bool:
    """Whether ``hit`` may be the order that ``claim`` sent."""
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
    """What ``hits``, all that the panel showed among the ``answered`` numbers, prove about each claim, by its key.

    Placed: exactly one hit fits, and it fits no other claim. Unplaced: the window is closed, the panel gave a clear
    answer about every number in it, and no hit fits. Either only while each hit can be the order of some claim: one
    that is nobody's says that we do not see the whole. Else open.
    """
    owners = {hit: [claim for claim in claims if fits(hit, claim, decimals)] for hit in hits}
    return {claim.key: _finding(claim, owners, answered) for claim in claims}


def _finding(claim: Claim, owners: dict[Hit, list[Claim]], answered: Collection[int]) -> Finding:
    within = {hit: those for hit, those in owners.items() if claim.window.holds(hit.number)}
    fitting = tuple(hit for hit, those in within.items() if claim in those)
    if not _explained(within):
        return Finding(Verdict.OPEN, fitting or tuple(within), "unexplained")
    if len(fitting) > 1:
        return Finding(Verdict.OPEN, fitting, "several")
    if fitting:
        if owners[fitting[0]] == [claim]:
            return Finding(Verdict.PLACED, fitting)
        return Finding(Verdict.OPEN, fitting, "others")
    if claim.window.upper is None:
        return Finding(Verdict.OPEN, why="open")
    if not all(number in answered for number in range(claim.window.lower + 1, claim.window.upper)):
        return Finding(Verdict.OPEN, why="silent")
    return Finding(Verdict.UNPLACED)


def _explained(hits: dict[Hit, list[Claim]]) -> bool:
    """Whether each hit can be the order of a claim of its own."""
    owner: dict[int, Hit] = {}

    def settle(hit: Hit, tried: set[int]) -> bool:
        for claim in hits[hit]:
            if claim.key not in tried:
                tried.add(claim.key)
                if claim.key not in owner or settle(owner[claim.key], tried):
                    owner[claim.key] = hit
                    return True
        return False

    return all(settle(hit, set()) for hit in hits)
