"""Status sync of placements: ``status`` in batches, at intervals that grow with the order's age.

    rows   the due placements, longest due first, as tuples, one page at a time
    fetch  a pool of threads that make HTTP calls and use no database, as many as the provider allows
    write  this thread alone, all answers that have arrived, with a few statements (``apply_reports``)

A missing row, an unknown status or an unreadable answer changes nothing, and operators can see it.
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
from providers.placing.rate_limits import CallPacer
from providers.pricelists import importer
from providers.tracking import apply_reports
from providers.tracking.apply_reports import COLUMNS, Report, TrackedPlacement
from providers.tracking.trial import Trial, TrialResult
from providers.transport import call_stats, circuit_breaker, conversation
from providers.worker import turns
from providers.worker.backoff import Doubling
from providers.worker.garbage import rare_collections

log = logging.getLogger("vitrine.providers")

#: Seconds in which one pass makes calls, and seconds after which its last call ends; less than a task's time limit.
BUDGET, LAST_CALL = 40.0, 12.0
#: The maximum seconds of one call, and the seconds after it last kept its turn in which a pass may make calls.
LONGEST_CALL, TURN_GRACE = 30.0, 30.0
PAGE = 2000
#: The time until a failed call is repeated; it doubles with every failed pass.
RETRY = Doubling(first=60, last=900)
#: The number of failures in a row that ends a pass; no statuses are requested until the next try.
FAILURES = 3
#: The maximum number of batches that are halved in one pass to find the order that makes them fail.
HALVINGS = 64
#: The time after which batches are tried again at a panel that only answers for single orders.
SINGLY_FOR = timedelta(days=1)
#: Rejections of a whole batch whose cause may be one order in it.
UNCLEAR = ("", "other", "request")


def due(provider: Provider, *, is_now: bool = False) -> QuerySet[Placement]:
    """Return the placements of ``provider`` to check, longest due first; with ``is_now`` all that are tracked."""
    followed = Placement.objects.filter(provider=provider, sync_at__isnull=False)
    return followed.order_by("pk") if is_now else followed.filter(sync_at__lte=timezone.now()).order_by("sync_at", "pk")


def providers_to_sync() -> list[int]:
    """Return the providers that have placements to check and are not paused."""
    now = timezone.now()
    waits = Placement.objects.filter(provider=OuterRef("pk"), sync_at__lte=now).order_by()
    providers = Provider.objects.filter(Exists(waits), _may_be_asked(), is_active=True)
    return list(providers.order_by("pk").values_list("pk", flat=True))


def sync_statuses(provider: Provider, *, is_now: bool = False, budget: float = BUDGET) -> Counter[str]:
    """Check the due placements of ``provider``.

    Only one pass runs for each provider, so that no status is requested twice and its limit of parallel calls holds;
    a second one returns at once.

    Args:
        budget: Seconds in which calls are made. What is left then stays due.

    Returns:
        The numbers of calls, looked_at, changed and missing.
    """
    conversation.outside_transaction()
    if not is_now and not Provider.objects.filter(_may_be_asked(), pk=provider.pk).exists():
        return Counter()
    turn = turns.take(f"sync:{provider.pk}", seconds=LONGEST_CALL + TURN_GRACE)
    if turn is None:
        return Counter()
    run = _StatusPass(provider, turn, is_now=is_now, ends=time.monotonic() + budget)
    try:
        with rare_collections():
            run.run()
    finally:
        run.close()
        turn.end()
    return run.counts


def _may_be_asked() -> Q:
    return Q(sync_paused_until=None) | Q(sync_paused_until__lte=timezone.now())


def _pages(provider: Provider, *, is_now: bool) -> Iterator[list[TrackedPlacement]]:
    """Yield the due rows in pages. Rows that were checked meanwhile are due later and are not yielded again."""
    found: QuerySet[Placement] = due(provider, is_now=is_now)
    after = Q()
    while True:
        rows = list(bulk.select(found.filter(after)[:PAGE], ("sync_at", *COLUMNS)))
        if not rows:
            return
        yield [TrackedPlacement._make(row[1:]) for row in rows]
        sync_at, pk = rows[-1][:2]
        after = Q(pk__gt=pk) if is_now else Q(sync_at__gte=sync_at) & (Q(sync_at__gt=sync_at) | Q(pk__gt=pk))


def _batches(provider: Provider, *, is_now: bool) -> Iterator[list[TrackedPlacement]]:
    """Yield the due rows in batches for one call each.

    Numbers that the panel did not know the last time are in separate batches, because some panels reject a whole batch
    for one of them.
    """
    size = provider.dialect.ids_a_call("status")
    for page in _pages(provider, is_now=is_now):
        known = [row for row in page if not row.missed_checks]
        for rows in (known, [row for row in page if row.missed_checks]):
            for start in range(0, len(rows), size):
                yield rows[start : start + size]


def _rejects_batches(provider: Provider) -> bool:
    """Return whether the panel rejected batches recently."""
    return provider.batch_refused_at is not None and provider.batch_refused_at > timezone.now() - SINGLY_FOR


class _StatusPass:
    """One pass at one provider: the calls under way, the batches to repeat, and whether to go on."""

    def __init__(self, provider: Provider, turn: turns.HeldTurn, *, is_now: bool, ends: float) -> None:
        self.provider, self.key, self.ends = provider, provider.key.reveal(), ends
        self._turn = turn
        self.counts: Counter[str] = Counter()
        self.tally = call_stats.Tally()
        self._width = max(provider.parallel, 1)
        self._pool = ThreadPoolExecutor(self._width, thread_name_prefix="sync")
        self._batches = _batches(provider, is_now=is_now)
        self._again: deque[list[TrackedPlacement]] = deque()
        self._under_way: dict[Future[Answer | ProviderError], tuple[list[TrackedPlacement], Call]] = {}
        self._trial: Trial[TrackedPlacement] | None = None
        #: Batches that failed for a reason that is not known yet.
        self._held: list[list[TrackedPlacement]] = []
        self._failures = self._halvings = 0
        self._is_over = self._is_list_tried = self._is_foreign = False
        self._is_singly = _rejects_batches(provider)
        self._pacer = CallPacer(provider)

    def run(self) -> None:
        """Make calls until nothing is left, the time is over, or the panel does not answer.

        Twice as many calls are prepared as may be made at once, so that no thread waits for the writer.
        """
        while True:
            while len(self._under_way) < 2 * self._width and (rows := self._next()):
                self._ask(rows)
            if not self._under_way:
                return
            reports: list[tuple[TrackedPlacement, Report]] = []
            for future in wait(self._under_way, self._pacer.wait() or None, return_when=FIRST_COMPLETED).done:
                rows, call = self._under_way.pop(future)
                reports += self._read(rows, call, future.result())
            # A pass that lost its turn applies nothing, because another pass may have newer answers.
            if not self._turn.hold():
                return
            if reports:
                apply_reports.apply(self.provider, reports, self.counts)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.tally.write(self.provider)

    def _next(self) -> list[TrackedPlacement] | None:
        if self._is_over or time.monotonic() > self.ends:
            return None
        if self._pacer.wait() and self._under_way:
            return None
        self._pacer.sleep()
        if not self._turn.hold():
            return None
        if self._trial:
            return self._trial.next_call()
        rows = self._again.popleft() if self._again else next(self._batches, None)
        if rows and self._is_singly and len(rows) > 1:
            self._again.extendleft([row] for row in reversed(rows))
            rows = self._again.popleft()
        return rows

    def _ask(self, rows: list[TrackedPlacement]) -> None:
        dialect = self.provider.dialect
        params = dialect.status_params([row.upstream_id for row in rows])
        call = dialect.call("status", self.provider.url, self.key, auth=self.provider.auth, **params)
        self._pacer.count()
        send_by = self._turn.send_by(longest_call=LONGEST_CALL)
        self._under_way[
            self._pool.submit(conversation.exchange, call, until=self.ends + LAST_CALL, send_by=send_by)
        ] = (
            rows,
            call,
        )

    def _read(
        self, rows: list[TrackedPlacement], call: Call, outcome: Answer | ProviderError
    ) -> list[tuple[TrackedPlacement, Report]]:
        """Return (row, report) for each of ``rows``; nothing if the answer as a whole cannot be used."""
        if isinstance(outcome, LeaseEnded):
            return []  # nothing was sent, so they stay due
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
            self._apply_verdict(trial)
            if is_same or len(rows) > 1:  # in a pair, each of the two was reported alone before
                return []
        self._recover()
        self._watch_currency(reports.values())
        return [(row, reports.get(row.upstream_id)) for row in rows]

    def _fail(self, rows: list[TrackedPlacement], problem: ProviderError, outcome: Answer | ProviderError) -> None:
        """Handle a failed call for ``rows``. A failed batch never leads to one call for each of its orders."""
        reason = problem.reason if isinstance(problem, Refused) else None
        is_unclear = isinstance(problem, UnreadableAnswer) or reason in UNCLEAR
        trial = self._trial if self._trial and rows is self._trial.current else None
        if is_unclear and trial:
            trial.failed()
            self._apply_verdict(trial)
        elif is_unclear and len(rows) > 1:
            self._handle_failed_batch(rows, problem.message)
        else:
            if trial:  # a connection failure or a rate limit says nothing about batches
                self._end_trial(trial)
            self._postpone(rows, problem.message)
            self._failures += 1
        said = outcome.retry_after if isinstance(outcome, Answer) else None
        if reason == "key":
            self._stop(circuit_breaker.check_key(self.provider, problem.message))
        elif said:
            self._stop(timedelta(seconds=said))
        elif reason == "busy" or self._failures >= FAILURES:
            self._stop(self._back_off())

    def _handle_failed_batch(self, rows: list[TrackedPlacement], panel_error: str) -> None:
        """Handle a batch that failed as a whole: find out why, or halve it if the panel answers other batches."""
        if not self._is_list_tried:
            self._held.append(rows)
            self._trial = self._trial or Trial(rows, panel_error)
        elif self._halvings < HALVINGS:
            self._halvings += 1
            half = len(rows) // 2
            self._again.extendleft((rows[half:], rows[:half]))
        else:
            self._postpone(rows, panel_error)

    def _apply_verdict(self, trial: Trial[TrackedPlacement]) -> None:
        """Apply the result of ``trial``."""
        if trial.verdict is TrialResult.OPEN:
            return
        if trial.verdict is TrialResult.SILENT:
            self._end_trial(trial)
            self._stop(self._back_off())
            return
        self._is_list_tried = True
        waiting = [[row for row in rows if row not in trial.reported] for rows in self._held]
        self._again.extend(rows for rows in waiting if rows)
        self._trial, self._held = None, []
        if trial.verdict is TrialResult.NO_LISTS:
            self._is_singly = True
            Provider.objects.filter(pk=self.provider.pk).update(batch_refused_at=timezone.now())
            log.warning("%s does not answer for several orders at once: each is asked for alone", self.provider.name)

    def _end_trial(self, trial: Trial[TrackedPlacement]) -> None:
        """End ``trial``; the batches that waited for it are requested in a later pass."""
        for rows in self._held:
            self._postpone(rows, trial.panel_error)
        self._trial, self._held = None, []

    def _postpone(self, rows: list[TrackedPlacement], panel_error: str) -> None:
        apply_reports.postpone(rows, panel_error=panel_error, wait=self._back_off())

    def _back_off(self) -> timedelta:
        """Return how long to wait after this pass if it fails."""
        return RETRY.delay(self.provider.sync_failures + 1)

    def _recover(self) -> None:
        self._failures = 0
        if self.provider.sync_failures:
            self.provider.sync_failures = 0
            Provider.objects.filter(pk=self.provider.pk).update(sync_failures=0)

    def _stop(self, pause: timedelta) -> None:
        """End the pass, and request no statuses during ``pause``. Answers to calls under way are still applied."""
        if not self._is_over:
            Provider.objects.filter(pk=self.provider.pk).update(sync_failures=F("sync_failures") + 1)
        self._is_over = True
        Provider.objects.filter(pk=self.provider.pk).update(sync_paused_until=timezone.now() + pause)

    def _watch_currency(self, reports: Iterable[Report]) -> None:
        """Stop a provider whose reports are in another currency than it is set to; once per pass."""
        if self._is_foreign:
            return
        named = {report.currency for report in reports if isinstance(report, Progress)} - {"", self.provider.currency}
        if named:
            self._is_foreign = importer.watch_currency(self.provider, sorted(named)[0])
