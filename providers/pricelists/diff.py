"""Comparison of a new price list with the stored offers. Pure.

listed again after it was gone           waits for approval, off sale
another service under the same number    waits for approval, off sale
a cost that jumps                        waits for approval: the old cost applies, ``pending_rate`` is the new one
everything else                          applies at once
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from orders.rules import amounts
from providers import notes
from providers.panels.dialect import PriceListRow
from providers.panels.services import is_type_problem

#: An offer that is missing from this many lists in a row goes off sale.
MISSES = 2
#: The columns of an offer that are copied from the price list.
COPIED = (
    "name", "category", "description", "type_name", "service_type", "rate", "is_flat", "min_quantity", "max_quantity",
    "has_refill", "has_cancel", "has_dripfeed", "problem",
)  # fmt: skip
#: The columns that an import may write.
WRITTEN = (*COPIED, "is_available", "is_pending_approval", "pending_rate", "missed_imports")
#: Columns that keep their values while a row cannot be sold. If only its type is unknown, the rest of the row is used.
_SELLING = ("service_type", "rate", "is_flat", "min_quantity", "max_quantity")
_LABELS = {
    "name": "name", "category": "category", "type_name": "type", "has_refill": "refill", "has_cancel": "cancel",
    "has_dripfeed": "drip-feed", "problem": "problem", "description": "description",
}  # fmt: skip
_copied = attrgetter(*COPIED)


class StoredOffer(NamedTuple):
    """A stored offer: its primary key, its number at the panel, and the columns of ``WRITTEN``."""

    pk: int
    upstream_id: str
    name: str
    category: str
    description: str
    type_name: str
    service_type: str
    rate: Decimal
    is_flat: bool
    min_quantity: int
    max_quantity: int
    has_refill: bool
    has_cancel: bool
    has_dripfeed: bool
    problem: str
    is_available: bool
    is_pending_approval: bool
    pending_rate: Decimal | None
    missed_imports: int

    @property
    def is_sellable(self) -> bool:
        return self.is_available and not self.problem

    @property
    def listed_rate(self) -> Decimal:
        """The rate in the last price list, whether or not it is approved."""
        return self.rate if self.pending_rate is None else self.pending_rate


class HistoryLine(NamedTuple):
    """One change for the history; ``what`` is a value of OfferChange.What."""

    what: str
    old: str
    new: str


def merge(known: StoredOffer, row: PriceListRow, *, jump: int) -> StoredOffer:
    """Return ``known`` as it is after ``row`` was listed; ``jump`` is the price jump in percent of the cost."""
    if known[2:15] == _copied(row) and not known.missed_imports and known.pending_rate is None:
        return known
    taken = dict(zip(COPIED, _copied(row), strict=True))
    is_priced = not row.problem or is_type_problem(row.problem)
    if not is_priced:
        taken |= {name: getattr(known, name) for name in _SELLING}
    elif row.problem and known.service_type:
        taken |= {"service_type": known.service_type, "is_flat": known.is_flat}
    after = known._replace(**taken, missed_imports=0)
    if known.missed_imports >= MISSES or is_another_service(known, row):
        return after._replace(is_available=False, is_pending_approval=True, pending_rate=None)
    if not is_priced:
        return after._replace(pending_rate=known.pending_rate)
    is_shelved = known.problem and row.problem  # it cannot be sold, neither before nor now
    if known.is_available and not is_shelved and is_jump(known.rate, row.rate, jump):
        return after._replace(rate=known.rate, pending_rate=row.rate, is_pending_approval=True)
    # An offer that waits as a whole still waits; a jump that the panel took back does not.
    return after._replace(pending_rate=None, is_pending_approval=known.is_pending_approval and not known.is_available)


def mark_missing(known: StoredOffer) -> StoredOffer:
    """Return ``known`` as it is after a price list without it."""
    if known.missed_imports + 1 < MISSES:
        return known._replace(missed_imports=known.missed_imports + 1)
    return known._replace(missed_imports=MISSES, is_available=False, is_pending_approval=False, pending_rate=None)


def is_jump(old: Decimal, new: Decimal, percent: int) -> bool:
    """Return whether a cost changed by more than ``percent`` in either direction; a cost of 0 never jumps."""
    return old > 0 and abs(new - old) * 100 > old * percent


def is_another_service(known: StoredOffer, row: PriceListRow) -> bool:
    """Return whether the number seems to be another service now: another type, or a new name and a new category.

    A text is new if at most half of the words of the shorter one are in both, because decorations and limits change.
    """
    if not row.problem and known.service_type and row.service_type != known.service_type:
        return True
    return _is_new(known.name, row.name) and _is_new(known.category, row.category)


def history_lines(before: StoredOffer, after: StoredOffer) -> Iterable[HistoryLine]:
    """Return the changes of one offer for the history."""
    if before.missed_imports < MISSES <= after.missed_imports:
        yield HistoryLine("gone", amounts.plain(before.rate), "")
        return
    if after.missed_imports:
        return
    if before.listed_rate != after.listed_rate:
        yield HistoryLine("rate", amounts.plain(before.listed_rate), amounts.plain(after.listed_rate))
    if before[9:11] != after[9:11]:
        yield HistoryLine("limits", _limits(before), _limits(after))
    changed = [name for name in _LABELS if getattr(before, name) != getattr(after, name)]
    if changed:
        yield HistoryLine("details", _details(before, changed), _details(after, changed))
    if before.missed_imports >= MISSES:
        yield HistoryLine("back", "", amounts.plain(after.listed_rate))


def _limits(known: StoredOffer) -> str:
    return f"{known.min_quantity} – {known.max_quantity}"


def _details(known: StoredOffer, names: list[str]) -> str:
    """Return the details as far as they fit into the history; the description is last because it is the longest."""
    parts = []
    for name in names:
        value = getattr(known, name)
        if name == "problem" and (note := notes.decode(value)):
            value = note[0].replace("_", " ")
        parts.append(f"{_LABELS[name]}: {('yes' if value else 'no') if isinstance(value, bool) else value}")
    text = "; ".join(parts)
    return text if len(text) <= 255 else text[:254] + "…"


def _is_new(old: str, new: str) -> bool:
    before, after = (set(re.findall(r"\w+", text.casefold())) for text in (old, new))
    return old != new and len(before & after) * 2 <= min(len(before), len(after))
