"""Following placements: statuses in batches, at intervals that stretch with the order's age.

    rows   what is due, longest due first, as light tuples, a page at a time
    fetch  a pool of threads that do HTTP and nothing else, as many as the provider allows
    write  this thread alone, all that came back since it last looked, in a few statements (``applying``)

A row that is missing, a word we do not know, an answer we cannot read: nothing changes, and the operator can see it.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from orders import bulk
from orders.lifecycle import Progress
from providers import applying, calling, client, health, pausing, pricelist, reading
from providers.applying import COLUMNS, Followed, Report
from providers.dialect import Answer, Call
from providers.errors import LeaseEnded, PanelError, Refused, UnreadableAnswer
from providers.models import Placement, Provider
from providers.pace import Pace
from providers.worker import turns

#: Seconds in which one pass asks, and after which its last call ends: well within a task's time limit.
BUDGET, LAST_CALL = 40.0, 12.0
#: Seconds that a call of a pass may take at most, and seconds after its last sign of life in which a pass may call.
LONGEST_CALL, TURN_GRACE = 30.0, 30.0
PAGE = 2000
#: A failed call is made again after this; so many in a row end the pass, and no statuses are asked for that long.
RETRY = timedelta(minutes=1)
FAILURES = 3
KEY_PAUSE = timedelta(hours=1)
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
    calling.outside_transaction()
    if not is_now and not Provider.objects.filter(_may_be_asked(), pk=provider.pk).exists():
        return Counter()
    turn = turns.take(f"sync:{provider.pk}", seconds=LONGEST_CALL + TURN_GRACE)
    if turn is None:
        return Counter()
    run = _Pass(provider, turn, is_now=is_now, ends=time.monotonic() + budget)
    try:
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
    size = provider.language.batch_size
    for page in _pages(provider, is_now=is_now):
        for start in range(0, len(page), size):
            yield page[start : start + size]


class _Pass:
    """One pass at one provider: what is under way, what waits to be asked for alone, and whether to go on."""

    def __init__(self, provider: Provider, turn: turns.HeldTurn, *, is_now: bool, ends: float) -> None:
        self.provider, self.key, self.ends = provider, provider.key.reveal(), ends
        self._turn = turn
        self.counts: Counter[str] = Counter()
        self.tally = health.Tally()
        self._width = max(provider.parallel, 1)
        self._pool = ThreadPoolExecutor(self._width, thread_name_prefix="sync")
        self._batches = _batches(provider, is_now=is_now)
        self._alone: deque[list[Followed]] = deque()
        self._flying: dict[Future[Answer | PanelError], tuple[list[Followed], Call]] = {}
        self._failures = 0
        self._is_over = self._is_mute = self._is_foreign = False
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
                applying.apply(self.provider, reports, self.counts)

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
        return self._alone.popleft() if self._alone else next(self._batches, None)

    def _ask(self, rows: list[Followed]) -> None:
        dialect = self.provider.language
        params = dialect.status_params([row.upstream_id for row in rows])
        call = dialect.call("status", self.provider.url, self.key, auth=self.provider.auth, **params)
        self._pace.count()
        send_by = self._turn.send_by(longest_call=LONGEST_CALL)
        self._flying[self._pool.submit(calling.exchange, call, until=self.ends + LAST_CALL, send_by=send_by)] = (
            rows,
            call,
        )

    def _read(self, rows: list[Followed], call: Call, outcome: Answer | PanelError) -> list[tuple[Followed, Report]]:
        """(row, report) for each of ``rows``; nothing if the answer as a whole says nothing about them."""
        if isinstance(outcome, LeaseEnded):
            return []  # not asked at all: they stay due
        self.counts["calls"] += 1
        try:
            if isinstance(outcome, PanelError):
                raise outcome
            reports = reading.read_status(outcome, self.provider.language, [row.upstream_id for row in rows])
        except PanelError as problem:
            problem.words = client.redact(problem.words, call.secrets)
            self.tally.add(call.verb, outcome, problem)
            calling.record(self.provider, call, outcome, name=calling.name_of(problem))
            self._fail(rows, problem, outcome)
            return []
        self.tally.add(call.verb, outcome, None)
        self._failures = 0
        self._watch_currency(reports.values())
        return [(row, reports.get(row.upstream_id)) for row in rows]

    def _fail(self, rows: list[Followed], problem: PanelError, outcome: Answer | PanelError) -> None:
        reason = problem.reason if isinstance(problem, Refused) else None
        is_unclear = isinstance(problem, UnreadableAnswer) or reason in UNCLEAR
        if is_unclear and len(rows) > 1 and not self._is_mute:
            self._alone.extend([row] for row in rows)  # the answer to many could not be read: ask for each alone
            return
        applying.put_off(rows, words=problem.words, wait=RETRY)
        if is_unclear and len(rows) == 1:
            self._is_mute = True  # nor to one: no use in asking for the others
            applying.put_off([row for (row,) in self._alone], words=problem.words, wait=RETRY)
            self._alone.clear()
        self._failures += 1
        said = outcome.retry_after if isinstance(outcome, Answer) else None
        if reason == "key":
            self._stop(KEY_PAUSE)
            pausing.pause(self.provider, seconds=int(KEY_PAUSE.total_seconds()), reason=problem.words)
        elif reason == "busy" or said:
            self._stop(timedelta(seconds=said) if said else RETRY)
        elif self._failures >= FAILURES:
            self._stop(RETRY)

    def _stop(self, pause: timedelta) -> None:
        """Ends the pass; no statuses are asked for during ``pause``. What is under way is still taken in."""
        self._is_over = True
        Provider.objects.filter(pk=self.provider.pk).update(sync_paused_until=timezone.now() + pause)

    def _watch_currency(self, reports: Iterable[Report]) -> None:
        """A panel that bills in another currency than we think gets no more orders; once is enough to say so."""
        if self._is_foreign:
            return
        named = {report.currency for report in reports if isinstance(report, Progress)} - {"", self.provider.currency}
        if named:
            self._is_foreign = pricelist.watch_currency(self.provider, sorted(named)[0])
