"""Trials: find out why a call for the statuses of several orders failed as a whole. Pure: no I/O.

A panel in maintenance answers every call alike, a panel that only documents ``order`` rejects every batch, and some
panels reject a batch because of one number in it. A few small calls distinguish these cases.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Generic, TypeVar

from orders.rules.state_machine import Progress

R = TypeVar("R")


class TrialResult(Enum):
    """The result of a trial."""

    OPEN = auto()  # not known yet
    SILENT = auto()  # the panel reports on no order: pause the status sync
    NO_LISTS = auto()  # the panel answers for one order but not for two: request single orders
    BAD_LIST = auto()  # the panel answers other batches: an order in this one makes it fail


class Trial(Generic[R]):
    """Requests two orders of the failed batch alone and then, if the panel reports both, together.

    The two are chosen at random, so that the numbers that make a batch fail are not chosen again in every pass.

    Args:
        rows: The rows of the failed call, two or more.
        panel_error: What the panel answered to it.
    """

    def __init__(self, rows: Sequence[R], panel_error: str) -> None:
        self.panel_error = panel_error
        self.verdict = TrialResult.OPEN
        self._pair = random.sample(rows, 2)
        self._steps: list[list[R]] = [[self._pair[0]], [self._pair[1]], self._pair]
        self._same_words = 0
        self.current: list[R] | None = None
        #: The rows of the two that the panel reported on.
        self.reported: list[R] = []

    def next_call(self) -> list[R] | None:
        """Return the rows to request next, or None while a call of this trial is under way."""
        if self.current is not None or self.verdict is not TrialResult.OPEN:
            return None
        self.current = self._steps.pop(0)
        return self.current

    def answered(self, reports: Mapping[str, Progress | str]) -> bool:
        """Record the answer to the current call: a report, or an error about that order.

        Returns:
            Whether the error is the same as for the batch; then it may not concern that order at all.
        """
        asked, self.current = self.current or [], None
        if asked is self._pair:
            self.verdict = TrialResult.BAD_LIST
            return False
        report = next(iter(reports.values()), None)
        is_same = isinstance(report, str) and report == self.panel_error
        if isinstance(report, Progress):
            self.reported += asked
        self._same_words += is_same
        if len(self._steps) == 1:  # both were requested alone
            if self._same_words == 2:
                self.verdict = TrialResult.SILENT
            elif len(self.reported) < 2:
                self.verdict = TrialResult.BAD_LIST
        return is_same

    def failed(self) -> None:
        """Record that the current call failed as a whole too."""
        self.verdict = TrialResult.NO_LISTS if self.current is self._pair else TrialResult.SILENT
        self.current = None
