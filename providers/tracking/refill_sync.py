"""Following refills at the panels that took them: by refill_status, in batches, at intervals that stretch with age.

A word we do not know, an error in a row, a row that is missing, an answer we cannot read: nothing changes; when that
lasts, a person is told.
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

#: (age up to which it holds, time between two looks)
INTERVALS = (
    (timedelta(hours=1), timedelta(minutes=5)),
    (timedelta(days=1), timedelta(hours=1)),
    (timedelta(days=30), timedelta(hours=6)),
)
RETRY = timedelta(minutes=5)
#: A panel that says nothing plain about a refill for so long: a person looks.
PATIENCE = timedelta(days=3)
PAGE = 500
#: So many lists are halved in one pass to find what spoils them.
HALVINGS = 16
#: Refusals of a whole list that may be about one refill in it.
UNCLEAR = ("other", "order", "request")
_STATUS = {
    Stage.SENT: RequestStatus.SENT,
    Stage.IN_PROGRESS: RequestStatus.IN_PROGRESS,
    Stage.COMPLETED: RequestStatus.COMPLETED,
    Stage.REJECTED: RequestStatus.REJECTED,
}


def providers_to_follow() -> list[int]:
    """Providers that have refills to be looked at."""
    due = UpstreamRequest.objects.filter(sync_at__lte=timezone.now(), placement__provider__is_active=True)
    return list(due.order_by().values_list("placement__provider_id", flat=True).distinct())


def follow(
    provider: Provider, turn: turns.HeldTurn, *, tally: call_stats.Tally, ends: float, is_now: bool = False
) -> Counter[str]:
    """Looks at the refills that are due at ``provider``, until ``ends`` (monotonic seconds) or the turn is lost."""
    conversation.outside_transaction()
    run = _Pass(provider, turn, tally=tally)
    size = provider.dialect.ids_a_call("refill_status")
    errands = list(_due(provider, is_now=is_now)[:PAGE])
    for start in range(0, len(errands), size):
        if time.monotonic() > ends or run.is_over or not turn.hold():
            break
        run.look(errands[start : start + size])
    return run.counts


def _due(provider: Provider, *, is_now: bool) -> QuerySet[UpstreamRequest]:
    errands = UpstreamRequest.objects.filter(placement__provider=provider, sync_at__isnull=False, refill__isnull=False)
    errands = errands if is_now else errands.filter(sync_at__lte=timezone.now())
    return errands.select_related("refill").order_by("sync_at", "pk")


class _Pass:
    """One pass at one provider. A list that fails as a whole is never asked for refill by refill.

    One refill of it is asked for alone. If that fails too, the pass ends; otherwise the list is halved to find what
    spoils it, ``HALVINGS`` times at most in one pass.
    """

    def __init__(self, provider: Provider, turn: turns.HeldTurn, *, tally: call_stats.Tally) -> None:
        self.provider, self.turn, self.tally = provider, turn, tally
        self.counts: Counter[str] = Counter()
        self.is_over = False
        self._is_answering = False
        self._halvings = 0
        #: What the panel said to the list that a call for one of its refills is to explain.
        self._words = ""

    def look(self, errands: Sequence[UpstreamRequest]) -> None:
        """Ask for ``errands`` in one call and take in what the panel says."""
        if not errands or self.is_over:
            return
        dialect = self.provider.dialect
        ids = [errand.upstream_id for errand in errands]
        params = dialect.request_params("refill_status", ids)
        key, auth = self.provider.key.reveal(), self.provider.auth
        call = dialect.call("refill_status", self.provider.url, key, auth=auth, **params)
        outcome = conversation.exchange(
            call, send_by=self.turn.send_by(longest_call=policy.limits("refill_status").total)
        )
        if isinstance(outcome, LeaseEnded) or not self.turn.hold():
            self.is_over = True  # stopped meanwhile: they stay due, and another pass may have brought newer answers
            return
        self.counts["refill_calls"] += 1
        try:
            if isinstance(outcome, ProviderError):
                raise outcome
            reports = conversation.redact_reports(read_refill_status(outcome, dialect, ids), call.secrets)
        except ProviderError as problem:
            self.tally.add("refill_status", outcome, problem)
            conversation.record(self.provider, call, outcome, name=conversation.name_of(problem))
            self._fail(errands, problem, panel_error=client.redact(problem.message, call.secrets)[:600])
            return
        self.tally.add("refill_status", outcome, None)
        if self._words and set(reports.values()) == {self._words}:
            self._put_off(errands, self._words)  # what the panel said to the list it says to everybody
            return
        self._is_answering = True
        for errand in errands:
            self.counts["refills_changed"] += _apply(errand, reports.get(errand.upstream_id))

    def _fail(self, errands: Sequence[UpstreamRequest], problem: ProviderError, *, panel_error: str) -> None:
        is_unclear = isinstance(problem, UnreadableAnswer) or (
            isinstance(problem, Refused) and problem.reason in UNCLEAR
        )
        is_list = is_unclear and len(errands) > 1
        if is_list and not self._is_answering:
            probe = random.choice(errands)  # noqa: S311  # the same one could be what spoils the list every time
            self._words = panel_error
            self.look([probe])
            self._words = ""
            errands = [errand for errand in errands if errand is not probe]
        if is_list and self._is_answering and self._halvings < HALVINGS:
            self._halvings += 1
            half = len(errands) // 2
            self.look(errands[:half])
            self.look(errands[half:])
            return
        self.is_over = self.is_over or not self._is_answering
        self._put_off(errands, panel_error)

    def _put_off(self, errands: Sequence[UpstreamRequest], words: str) -> None:
        pks = [errand.pk for errand in errands]
        UpstreamRequest.objects.filter(pk__in=pks).update(sync_at=timezone.now() + RETRY, panel_error=words)


def _apply(errand: UpstreamRequest, report: RefillReport | str | None) -> bool:
    """Whether the refill moved."""
    refill, now = errand.refill, timezone.now()
    assert refill is not None  # _due() asks for refills only
    before, after = refill.status, refill
    errand.sync_at, errand.panel_error = _next_look(errand, now), ""
    if isinstance(report, RefillReport) and report.stage in _STATUS:
        after = customer_requests.apply_refill_status(
            refill, status=_STATUS[report.stage], panel_status=report.panel_status[:64]
        )
    elif isinstance(report, RefillReport) and report.stage is Stage.UNCLEAR:
        customer_requests.hand_to_staff(refill, why=notes.encode(Note.REFILL_STATUS, message=report.panel_status))
    else:
        said = report.panel_status if isinstance(report, RefillReport) else report
        errand.panel_error = said or notes.encode(Note.LEFT_OUT)
        if errand.created_at < now - PATIENCE:
            customer_requests.hand_to_staff(refill, why=errand.panel_error)
    if not after.is_open:
        errand.state, errand.ended_at, errand.sync_at = PlacementState.CLOSED, now, None
    elif errand.sync_at is None:
        customer_requests.hand_to_staff(refill, why=notes.encode(Note.REFILL_OPEN))
    errand.save(update_fields=["state", "panel_error", "sync_at", "ended_at"])
    return after.status != before


def _next_look(errand: UpstreamRequest, now: datetime) -> datetime | None:
    """None: it is too old to be looked at again by itself."""
    age = now - errand.created_at
    return next((now + pause for limit, pause in INTERVALS if age < limit), None)
