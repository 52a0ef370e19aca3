"""Status sync of refills: ``refill_status`` in batches, at intervals that grow with the refill's age.

An unknown status, an error in a row, a missing row or an unreadable answer changes nothing; when that lasts, an
operator is notified.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from orders.lifecycle import customer_requests
from orders.models.customer_request import RequestStatus
from providers import notes
from providers.errors import LeaseEnded, ProviderError, Refused, UnreadableAnswer
from providers.http import client, policy
from providers.models import PlacementState, Provider, UpstreamRequest
from providers.notes import Note
from providers.panels.refills_and_cancellations import RefillReport, Stage, read_refill_status
from providers.transport import call_stats, conversation
from providers.worker import turns

#: (maximum age, time between two checks)
INTERVALS = (
    (timedelta(hours=1), timedelta(minutes=5)),
    (timedelta(days=1), timedelta(hours=1)),
    (timedelta(days=30), timedelta(hours=6)),
)
RETRY = timedelta(minutes=5)
#: After this time without a clear answer about a refill, an operator is notified.
PATIENCE = timedelta(days=3)
PAGE = 500
#: The maximum number of batches that are halved in one pass to find the refill that makes them fail.
HALVINGS = 16
#: Rejections of a whole batch whose cause may be one refill in it.
UNCLEAR = ("other", "order", "request")
_STATUS = {
    Stage.SENT: RequestStatus.SENT,
    Stage.IN_PROGRESS: RequestStatus.IN_PROGRESS,
    Stage.COMPLETED: RequestStatus.COMPLETED,
    Stage.REJECTED: RequestStatus.REJECTED,
}


def providers_to_follow() -> list[int]:
    """Return the providers that have refills to check."""
    due = UpstreamRequest.objects.filter(sync_at__lte=timezone.now(), placement__provider__is_active=True)
    return list(due.order_by().values_list("placement__provider_id", flat=True).distinct())


def follow(
    provider: Provider, turn: turns.HeldTurn, *, tally: call_stats.Tally, ends: float, is_now: bool = False
) -> Counter[str]:
    """Check the refills that are due at ``provider``, until ``ends`` (monotonic seconds) or until the turn is lost."""
    conversation.outside_transaction()
    run = _RefillPass(provider, turn, tally=tally)
    size = provider.dialect.ids_a_call("refill_status")
    rows = list(_due(provider, is_now=is_now)[:PAGE])
    for start in range(0, len(rows), size):
        if time.monotonic() > ends or run.is_over or not turn.hold():
            break
        run.check(rows[start : start + size])
    return run.counts


def _due(provider: Provider, *, is_now: bool) -> QuerySet[UpstreamRequest]:
    rows = UpstreamRequest.objects.filter(placement__provider=provider, sync_at__isnull=False, refill__isnull=False)
    rows = rows if is_now else rows.filter(sync_at__lte=timezone.now())
    return rows.select_related("refill").order_by("sync_at", "pk")


class _RefillPass:
    """One pass at one provider.

    If a batch fails as a whole, one refill of it is requested alone. If that fails too, the pass ends. Otherwise the
    batch is halved to find the refill that makes it fail, at most ``HALVINGS`` times in one pass.
    """

    def __init__(self, provider: Provider, turn: turns.HeldTurn, *, tally: call_stats.Tally) -> None:
        self.provider, self.turn, self.tally = provider, turn, tally
        self.counts: Counter[str] = Counter()
        self.is_over = False
        self._is_answering = False
        self._halvings = 0
        #: The panel's error for the batch, while one of its refills is requested alone.
        self._batch_error = ""

    def check(self, rows: Sequence[UpstreamRequest]) -> None:
        """Request the status of ``rows`` in one call and apply the answers."""
        if not rows or self.is_over:
            return
        dialect = self.provider.dialect
        ids = [row.upstream_id for row in rows]
        params = dialect.request_params("refill_status", ids)
        key, auth = self.provider.key.reveal(), self.provider.auth
        call = dialect.call("refill_status", self.provider.url, key, auth=auth, **params)
        outcome = conversation.exchange(
            call, send_by=self.turn.send_by(longest_call=policy.limits("refill_status").total)
        )
        if isinstance(outcome, LeaseEnded) or not self.turn.hold():
            self.is_over = True  # this process was stopped; they stay due, and another pass may have newer answers
            return
        self.counts["refill_calls"] += 1
        try:
            if isinstance(outcome, ProviderError):
                raise outcome
            reports = conversation.redact_reports(read_refill_status(outcome, dialect, ids), call.secrets)
        except ProviderError as problem:
            self.tally.add("refill_status", outcome, problem)
            conversation.record(self.provider, call, outcome, name=conversation.name_of(problem))
            self._fail(rows, problem, panel_error=client.redact(problem.message, call.secrets)[:600])
            return
        self.tally.add("refill_status", outcome, None)
        if self._batch_error and set(reports.values()) == {self._batch_error}:
            self._postpone(rows, self._batch_error)  # the panel answers every call with the same error
            return
        self._is_answering = True
        for row in rows:
            self.counts["refills_changed"] += _apply(row, reports.get(row.upstream_id))

    def _fail(self, rows: Sequence[UpstreamRequest], problem: ProviderError, *, panel_error: str) -> None:
        is_unclear = isinstance(problem, UnreadableAnswer) or (
            isinstance(problem, Refused) and problem.reason in UNCLEAR
        )
        is_list = is_unclear and len(rows) > 1
        if is_list and not self._is_answering:
            # At random, because a fixed choice could be the one that makes the batch fail every time.
            single = random.choice(rows)  # noqa: S311  # nothing secret
            self._batch_error = panel_error
            self.check([single])
            self._batch_error = ""
            rows = [row for row in rows if row is not single]
        if is_list and self._is_answering and self._halvings < HALVINGS:
            self._halvings += 1
            half = len(rows) // 2
            self.check(rows[:half])
            self.check(rows[half:])
            return
        self.is_over = self.is_over or not self._is_answering
        self._postpone(rows, panel_error)

    def _postpone(self, rows: Sequence[UpstreamRequest], panel_error: str) -> None:
        pks = [row.pk for row in rows]
        UpstreamRequest.objects.filter(pk__in=pks).update(sync_at=timezone.now() + RETRY, panel_error=panel_error)


def _apply(row: UpstreamRequest, report: RefillReport | str | None) -> bool:
    """Apply one report; return whether the refill's status changed."""
    refill, now = row.refill, timezone.now()
    assert refill is not None  # _due() asks for refills only
    before, after = refill.status, refill
    row.sync_at, row.panel_error = _next_look(row, now), ""
    if isinstance(report, RefillReport) and report.stage in _STATUS:
        after = customer_requests.apply_refill_status(
            refill, status=_STATUS[report.stage], panel_status=report.panel_status[:64]
        )
    elif isinstance(report, RefillReport) and report.stage is Stage.UNCLEAR:
        customer_requests.hand_to_staff(refill, why=notes.encode(Note.REFILL_STATUS, message=report.panel_status))
    else:
        said = report.panel_status if isinstance(report, RefillReport) else report
        row.panel_error = said or notes.encode(Note.LEFT_OUT)
        if row.created_at < now - PATIENCE:
            customer_requests.hand_to_staff(refill, why=row.panel_error)
    if not after.is_open:
        row.state, row.ended_at, row.sync_at = PlacementState.CLOSED, now, None
    elif row.sync_at is None:
        customer_requests.hand_to_staff(refill, why=notes.encode(Note.REFILL_OPEN))
    row.save(update_fields=["state", "panel_error", "sync_at", "ended_at"])
    return after.status != before


def _next_look(row: UpstreamRequest, now: datetime) -> datetime | None:
    """Return the time of the next check, or None if the refill is too old to be checked automatically."""
    age = now - row.created_at
    return next((now + pause for limit, pause in INTERVALS if age < limit), None)
