"""Following placements: statuses in batches, at intervals that stretch with the order's age.

A row that is missing, a word we do not know, an answer we cannot read: nothing changes, and the operator can see it.
Placements that ended are looked at a few times more, since panels change their mind; that only ever pays back more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from orders import fulfilment, lifecycle
from orders.lifecycle import Progress, Status
from providers import calling, client, reading
from providers.dialect import Answer, Call
from providers.errors import PanelError, UnreadableAnswer
from providers.models import Placement, Provider, State

#: (age in hours up to which it holds, multiple of SYNC_INTERVAL).
INTERVALS = ((1, 1), (6, 5), (24, 10), (168, 30))
LONGEST = 120
#: Hours after its end at which a placement is looked at again.
LATE_LOOKS = (1, 6, 24, 72, 168)
PARALLEL = 4
PAGE = 2000
RETRY = timedelta(minutes=1)

Asked = tuple[list[Placement], Call, "Future[Answer | PanelError]"]


def due(provider: Provider, *, is_now: bool = False) -> QuerySet[Placement]:
    """Placements of ``provider`` that are to be looked at, longest due first."""
    placements = Placement.objects.filter(provider=provider, sync_at__isnull=False)
    return (placements if is_now else placements.filter(sync_at__lte=timezone.now())).order_by("sync_at", "pk")


def providers_to_sync() -> list[int]:
    """Providers that have something to look at."""
    now = timezone.now()
    found = Placement.objects.filter(sync_at__lte=now, provider__is_active=True)
    return list(found.order_by().values_list("provider_id", flat=True).distinct())


def sync_statuses(provider: Provider, *, is_now: bool = False) -> Counter[str]:
    """One pass over what is due at ``provider``; returns counts of calls, looked at, changed, missing."""
    calling.outside_transaction()
    counts: Counter[str] = Counter()
    began, key = timezone.now(), provider.key.reveal()
    pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="sync")
    try:
        while True:
            page = list(due(provider, is_now=is_now).exclude(synced_at__gte=began).select_related("order")[:PAGE])
            if not page:
                return counts
            asked = [_ask(provider, key, batch, pool) for batch in _batches(page, provider.language.batch_size)]
            for placements, call, future in asked:
                _take_in(provider, placements, call, future.result(), counts)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def next_look(placement: Placement, now: datetime) -> datetime | None:
    """When ``placement`` is looked at again; None: never."""
    if placement.ended_at:
        ages = (placement.ended_at + timedelta(hours=hours) for hours in LATE_LOOKS)
        return next((at for at in ages if at > now), None)
    age = (now - placement.created_at) / timedelta(hours=1)
    multiple = next((multiple for hours, multiple in INTERVALS if age < hours), LONGEST)
    return now + timedelta(seconds=settings.SYNC_INTERVAL * multiple)


def _batches(rows: Sequence[Placement], size: int) -> Iterator[list[Placement]]:
    for start in range(0, len(rows), size):
        yield list(rows[start : start + size])


def _ask(provider: Provider, key: str, placements: list[Placement], pool: ThreadPoolExecutor) -> Asked:
    dialect = provider.language
    ids = [placement.upstream_id for placement in placements]
    call = dialect.call("status", provider.url, key, **dialect.status_params(ids))
    return placements, call, pool.submit(calling.exchange, call)


def _take_in(
    provider: Provider, placements: list[Placement], call: Call, outcome: Answer | PanelError, counts: Counter[str]
) -> None:
    counts["calls"] += 1
    try:
        if isinstance(outcome, PanelError):
            raise outcome
        reports = reading.read_status(outcome, provider.language, [row.upstream_id for row in placements])
    except PanelError as problem:
        calling.record(provider, call, outcome, name=calling.name_of(problem))
        if isinstance(problem, UnreadableAnswer) and len(placements) > 1:
            _one_by_one(provider, placements, counts)
        else:
            _put_off(placements, words=client.redact(problem.words, call.secrets))
        return
    for placement in placements:
        _apply(provider, placement, reports.get(placement.upstream_id), counts)
    Placement.objects.bulk_update(
        placements, ["state", "word", "words", "charged", "missing", "synced_at", "sync_at", "ended_at"]
    )


def _one_by_one(provider: Provider, placements: list[Placement], counts: Counter[str]) -> None:
    """The answer to many could not be read: ask for each alone."""
    key = provider.key.reveal()
    pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="sync")
    try:
        for alone, call, future in [_ask(provider, key, [placement], pool) for placement in placements]:
            _take_in(provider, alone, call, future.result(), counts)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _put_off(placements: list[Placement], *, words: str) -> None:
    now = timezone.now()
    Placement.objects.filter(pk__in=[row.pk for row in placements]).update(
        synced_at=now, sync_at=now + RETRY, words=words[:600]
    )


def _apply(provider: Provider, placement: Placement, report: Progress | str | None, counts: Counter[str]) -> None:
    now = timezone.now()
    counts["looked_at"] += 1
    placement.synced_at = now
    if isinstance(report, Progress):
        if report.status is Status.FAILED and provider.refunds_failed:
            report = replace(report, status=Status.CANCELED)
        placement.missing, placement.word, placement.words = 0, report.word[:64], ""
        placement.charged = report.charge if report.charge else placement.charged
        decision = fulfilment.decide(placement.order, report)
        if fulfilment.changes(placement.order, decision):
            decision = fulfilment.progressed(placement.order_id, progress=report)
            counts["changed"] += 1
        if decision.status in lifecycle.TERMINAL and placement.state == State.ACCEPTED:
            placement.state, placement.ended_at = State.CLOSED, now
    else:
        placement.missing += 1
        placement.words = report or "the panel left this order out of its answer"
        counts["missing"] += 1
    placement.sync_at = next_look(placement, now)
