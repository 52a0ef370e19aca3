"""Find out why a call for the statuses of several orders failed as a whole. Pure: no I/O.

A panel in maintenance says the same to every call, a panel that documents ``order`` alone refuses every list, and some
panels refuse a list for the sake of one number in it. A few small calls tell these apart.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Generic, TypeVar

from orders.rules.state_machine import Progress

R = TypeVar("R")


class Verdict(Enum):
    """What a trial found out."""

    OPEN = auto()  # the next call will tell
    SILENT = auto()  # the panel says nothing about any order: leave it alone for a while
    NO_LISTS = auto()  # the panel answers for one order and not for two: ask for each alone
    BAD_LIST = auto()  # the panel answers: something in that list spoils it


class Trial(Generic[R]):
    """Two orders of the failed list are asked for alone and then, if the panel knows both, together.

    The two are chosen at random: the numbers that spoil a list must not be chosen again in every pass.

    Args:
        rows: The rows of the failed call, two or more.
        panel_error: What the panel answered to it.
    """

    def __init__(self, rows: Sequence[R], panel_error: str) -> None:
        self.panel_error = panel_error
        self.verdict = Verdict.OPEN
        self._pair = random.sample(rows, 2)
        self._steps: list[list[R]] = [[self._pair[0]], [self._pair[1]], self._pair]
        self._same_words = 0
        self.current: list[R] | None = None
        #: Those of the two that the panel reported on.
        self.reported: list[R] = []

    def next_call(self) -> list[R] | None:
        """Return the rows to ask for now; None while a call of this trial is under way."""
        if self.current is not None or self.verdict is not Verdict.OPEN:
            return None
        self.current = self._steps.pop(0)
        return self.current

    def answered(self, reports: Mapping[str, Progress | str]) -> bool:
        """Take in what the panel said to the current call: a report, or a text about that order.

        Returns:
            Whether it said to one order what it said to the list: then it may not be about that order at all.
        """
        asked, self.current = self.current or [], None
        if asked is self._pair:
            self.verdict = Verdict.BAD_LIST
            return False
        report = next(iter(reports.values()), None)
        is_same = isinstance(report, str) and report == self.panel_error
        if isinstance(report, Progress):
            self.reported += asked
        self._same_words += is_same
        if len(self._steps) == 1:  # both were asked for alone
            if self._same_words == 2:
                self.verdict = Verdict.SILENT
            elif len(self.reported) < 2:
                self.verdict = Verdict.BAD_LIST
        return is_same

    def failed(self) -> None:
        """The current call failed as a whole, too."""
        self.verdict = Verdict.NO_LISTS if self.current is self._pair else Verdict.SILENT
        self.current = None
