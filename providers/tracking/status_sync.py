"""Following placements: statuses in batches, at intervals that stretch with the order's age.

    rows   what is due, longest due first, as light tuples, a page at a time
    fetch  a pool of threads that do HTTP and nothing else, as many as the provider allows
    write  this thread alone, all that came back since it last looked, in a few statements (``applying``)

A row that is missing, a word we do not know, an answer we cannot read: nothing changes, and the operator can see it.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from orders.db import bulk
from orders.rules.state_machine import Progress
from providers.errors import LeaseEnded, ProviderError, Refused, UnreadableAnswer
from providers.http import client
from providers.http.messages import Answer, Call
from providers.models import Placement, Provider
from providers.panels.status import read_status
from providers.placing.rate_limits import Pace
from providers.pricelists import importer
from providers.tracking import apply_reports
from providers.tracking.apply_reports import COLUMNS, Followed, Report
from providers.tracking.trial import Trial, Verdict
from providers.transport import call_stats, circuit_breaker, conversation
from providers.worker import turns
from providers.worker.backoff import Doubling
from providers.worker.garbage import rare_collections

log = logging.getLogger("vitrine.providers")

#: Seconds in which one pass asks, and after which its last call ends: well within a task's time limit.
BUDGET, LAST_CALL = 40.0, 12.0
#: Seconds that a call of a pass may take at most, and seconds after its last sign of life in which a pass may call.
LONGEST_CALL, TURN_GRACE = 30.0, 30.0
PAGE = 2000
#: A failed call is made again after this; it doubles with every pass that failed.
RETRY = Doubling(first=60, last=900)
#: So many failures in a row end a pass, and no statuses are asked for until the next try.
FAILURES = 3
#: So many lists are halved in one pass to find what spoils them.
HALVINGS = 64
#: A panel that answers for one order at a time only is tried with lists again after this.
SINGLY_FOR = timedelta(days=1)
#: Refusals of a whole list that may be about one order in it.
UNCLEAR = ("", "other", "request")


def due(provider: Provider, *, is_now: bool = False) -> QuerySet[Placement]:
    """Placements of ``provider`` that are to be looked at, longest due first; ``is_now``: all that are followed."""
    followed = Placement.objects.filter(provider=provider, sync_at__isnull=False)
    return followed.order_by("pk") if is_now else followed.filter(sync_at__lte=timezone.now()).order_by("sync_at", "pk")


def providers_to_sync() -> list[int]:
    """Providers that have something to look at and may be asked."""
    now = timezone.now()
    waits = Placement.objects.filter(provider=OuterRef("pk"), sync_at__lte=now).order_by()
    providers = Provider.objects.filter(Exists(waits), _may_be_asked(), is_active=True)
    return list(providers.order_by("pk").values_list("pk", flat=True))


def sync_statuses(provider: Provider, *, is_now: bool = False, budget: float = BUDGET) -> Counter[str]:
    """One pass over what is due at ``provider``; it asks for ``budget`` seconds, and what is left then stays due.

    Returns counts of calls, looked_at, changed, missing. One pass at a time for each provider, so that no status is
    asked for twice and its limit of parallel calls holds; a second one returns at once.
    """
    conversation.outside_transaction()
    if not is_now and not Provider.objects.filter(_may_be_asked(), pk=provider.pk).exists():
        return Counter()
    turn = turns.take(f"sync:{provider.pk}", seconds=LONGEST_CALL + TURN_GRACE)
    if turn is None:
        return Counter()
    run = _Pass(provider, turn, is_now=is_now, ends=time.monotonic() + budget)
    try:
        with rare_collections():
            run.go()
    finally:
        run.close()
        turn.end()
    return run.counts


def _may_be_asked() -> Q:
    return Q(sync_paused_until=None) | Q(sync_paused_until__lte=timezone.now())


def _pages(provider: Provider, *, is_now: bool) -> Iterator[list[Followed]]:
    """What is due, PAGE rows at a time. Rows that were looked at meanwhile are due later and do not come again."""
    found: QuerySet[Placement] = due(provider, is_now=is_now)
    after = Q()
    while True:
        rows = list(bulk.select(found.filter(after)[:PAGE], ("sync_at", *COLUMNS)))
        if not rows:
            return
        yield [Followed._make(row[1:]) for row in rows]
        sync_at, pk = rows[-1][:2]
        after = Q(pk__gt=pk) if is_now else Q(sync_at__gte=sync_at) & (Q(sync_at__gt=sync_at) | Q(pk__gt=pk))


def _batches(provider: Provider, *, is_now: bool) -> Iterator[list[Followed]]:
    """What is due, in lists as long as a call may ask for. Numbers that the panel did not know the last time have
    lists of their own: some panels refuse a whole list for one of them."""
    size = provider.dialect.ids_a_call("status")
    for page in _pages(provider, is_now=is_now):
        known = [row for row in page if not row.missed_checks]
        for rows in (known, [row for row in page if row.missed_checks]):
            for start in range(0, len(rows), size):
                yield rows[start : start + size]


def _asks_singly(provider: Provider) -> bool:
    """Whether the panel refused lists lately."""
    return provider.batch_refused_at is not None and provider.batch_refused_at > timezone.now() - SINGLY_FOR


class _Pass:
    """One pass at one provider: what is under way, what is to be asked for again, and whether to go on."""

    def __init__(self, provider: Provider, turn: turns.HeldTurn, *, is_now: bool, ends: float) -> None:
        self.provider, self.key, self.ends = provider, provider.key.reveal(), ends
        self._turn = turn
        self.counts: Counter[str] = Counter()
        self.tally = call_stats.Tally()
        self._width = max(provider.parallel, 1)
        self._pool = ThreadPoolExecutor(self._width, thread_name_prefix="sync")
        self._batches = _batches(provider, is_now=is_now)
        self._again: deque[list[Followed]] = deque()
        self._flying: dict[Future[Answer | ProviderError], tuple[list[Followed], Call]] = {}
        self._trial: Trial[Followed] | None = None
        #: Lists that failed while it is not known why.
        self._held: list[list[Followed]] = []
        self._failures = self._halvings = 0
        self._is_over = self._is_list_tried = self._is_foreign = False
        self._is_singly = _asks_singly(provider)
        self._pace = Pace(provider)

    def go(self) -> None:
        """Asks until nothing is left, time is up, or the panel does not answer. Twice as many calls are prepared as
        may be made at once, so that no thread waits for the writer."""
        while True:
            while len(self._flying) < 2 * self._width and (rows := self._next()):
                self._ask(rows)
            if not self._flying:
                return
            reports: list[tuple[Followed, Report]] = []
            for future in wait(self._flying, self._pace.wait() or None, return_when=FIRST_COMPLETED).done:
                rows, call = self._flying.pop(future)
                reports += self._read(rows, call, future.result())
            # A pass that was stopped takes nothing in: another one may have brought newer answers.
            if not self._turn.hold():
                return
            if reports:
                apply_reports.apply(self.provider, reports, self.counts)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.tally.write(self.provider)

    def _next(self) -> list[Followed] | None:
        if self._is_over or time.monotonic() > self.ends:
            return None
        if self._pace.wait() and self._flying:
            return None
        self._pace.sleep()
        if not self._turn.hold():
            return None
        if self._trial:
            return self._trial.next_call()
        rows = self._again.popleft() if self._again else next(self._batches, None)
        if rows and self._is_singly and len(rows) > 1:
            self._again.extendleft([row] for row in reversed(rows))
            rows = self._again.popleft()
        return rows

    def _ask(self, rows: list[Followed]) -> None:
        dialect = self.provider.dialect
        params = dialect.status_params([row.upstream_id for row in rows])
        call = dialect.call("status", self.provider.url, self.key, auth=self.provider.auth, **params)
        self._pace.count()
        send_by = self._turn.send_by(longest_call=LONGEST_CALL)
        self._flying[self._pool.submit(conversation.exchange, call, until=self.ends + LAST_CALL, send_by=send_by)] = (
            rows,
            call,
        )

    def _read(self, rows: list[Followed], call: Call, outcome: Answer | ProviderError) -> list[tuple[Followed, Report]]:
        """(row, report) for each of ``rows``; nothing if the answer as a whole says nothing about them."""
        if isinstance(outcome, LeaseEnded):
            return []  # not asked at all: they stay due
        self.counts["calls"] += 1
        trial = self._trial if self._trial and rows is self._trial.current else None
        try:
            if isinstance(outcome, ProviderError):
                raise outcome
            reports = read_status(outcome, self.provider.dialect, [row.upstream_id for row in rows])
        except ProviderError as problem:
            problem.message = client.redact(problem.message, call.secrets)
            self.tally.add(call.verb, outcome, problem)
            conversation.record(self.provider, call, outcome, name=conversation.name_of(problem))
            self._fail(rows, problem, outcome)
            return []
        self.tally.add(call.verb, outcome, None)
        reports = conversation.redact_reports(reports, call.secrets)
        if trial:
            is_same = trial.answered(reports)
            if is_same:
                self._held.append(rows)
            self._follow_trial(trial)
            if is_same or len(rows) > 1:  # a pair: each of the two was reported before
                return []
        self._recover()
        self._watch_currency(reports.values())
        return [(row, reports.get(row.upstream_id)) for row in rows]

    def _fail(self, rows: list[Followed], problem: ProviderError, outcome: Answer | ProviderError) -> None:
        """Nothing was learnt about ``rows``. What is said to a whole list is never asked for each of its orders."""
        reason = problem.reason if isinstance(problem, Refused) else None
        is_unclear = isinstance(problem, UnreadableAnswer) or reason in UNCLEAR
        trial = self._trial if self._trial and rows is self._trial.current else None
        if is_unclear and trial:
            trial.failed()
            self._follow_trial(trial)
        elif is_unclear and len(rows) > 1:
            self._doubt_list(rows, problem.message)
        else:
            if trial:  # the connection failed, or the panel asks for patience: that says nothing about lists
                self._end_trial(trial)
            self._put_off(rows, problem.message)
            self._failures += 1
        said = outcome.retry_after if isinstance(outcome, Answer) else None
        if reason == "key":
            self._stop(circuit_breaker.check_key(self.provider, problem.message))
        elif said:
            self._stop(timedelta(seconds=said))
        elif reason == "busy" or self._failures >= FAILURES:
            self._stop(self._back_off())

    def _doubt_list(self, rows: list[Followed], words: str) -> None:
        """A list failed as a whole: try why, or halve it where the panel is known to answer others."""
        if not self._is_list_tried:
            self._held.append(rows)
            self._trial = self._trial or Trial(rows, words)
        elif self._halvings < HALVINGS:
            self._halvings += 1
            half = len(rows) // 2
            self._again.extendleft((rows[half:], rows[:half]))
        else:
            self._put_off(rows, words)

    def _follow_trial(self, trial: Trial[Followed]) -> None:
        """Draw the consequence of what ``trial`` has found out."""
        if trial.verdict is Verdict.OPEN:
            return
        if trial.verdict is Verdict.SILENT:
            self._end_trial(trial)
            self._stop(self._back_off())
            return
        self._is_list_tried = True
        waiting = [[row for row in rows if row not in trial.reported] for rows in self._held]
        self._again.extend(rows for rows in waiting if rows)
        self._trial, self._held = None, []
        if trial.verdict is Verdict.NO_LISTS:
            self._is_singly = True
            Provider.objects.filter(pk=self.provider.pk).update(batch_refused_at=timezone.now())
            log.warning("%s does not answer for several orders at once: each is asked for alone", self.provider.name)

    def _end_trial(self, trial: Trial[Followed]) -> None:
        """What waited for ``trial`` is asked for in a later pass."""
        for rows in self._held:
            self._put_off(rows, trial.panel_error)
        self._trial, self._held = None, []

    def _put_off(self, rows: list[Followed], words: str) -> None:
        apply_reports.put_off(rows, panel_error=words, wait=self._back_off())

    def _back_off(self) -> timedelta:
        """How long to wait after this pass if it fails."""
        return RETRY.delay(self.provider.sync_failures + 1)

    def _recover(self) -> None:
        self._failures = 0
        if self.provider.sync_failures:
            self.provider.sync_failures = 0
            Provider.objects.filter(pk=self.provider.pk).update(sync_failures=0)

    def _stop(self, pause: timedelta) -> None:
        """End the pass; no statuses are asked for during ``pause``. What is under way is still taken in."""
        if not self._is_over:
            Provider.objects.filter(pk=self.provider.pk).update(sync_failures=F("sync_failures") + 1)
        self._is_over = True
        Provider.objects.filter(pk=self.provider.pk).update(sync_paused_until=timezone.now() + pause)

    def _watch_currency(self, reports: Iterable[Report]) -> None:
        """A panel that bills in another currency than we think gets no more orders; once is enough to say so."""
        if self._is_foreign:
            return
        named = {report.currency for report in reports if isinstance(report, Progress)} - {"", self.provider.currency}
        if named:
            self._is_foreign = importer.watch_currency(self.provider, sorted(named)[0])
