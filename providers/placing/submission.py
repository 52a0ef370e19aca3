"""Submission of orders: claim, call, record.

    claim   one transaction: lock queued orders, insert their Placement rows, commit. Only then may a byte be sent. No
            more orders are claimed than are sent at once, because a killed process leaves their outcome unknown.
    call    a bounded pool of threads that make HTTP calls and use no database, each within the lease of its claim.
    record  accepted orders together in one transaction, every other outcome in its own transaction.

An order is sent again only if it was provably rejected or provably not sent. If the answer to a claim never came, the
outcome is unknown. An answer that cannot be recorded because the database connection broke is recorded later.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue

from django.conf import settings
from django.db import connection, transaction

from orders.lifecycle import fulfillment
from orders.models import Order
from providers import note_texts, notes
from providers.errors import LeaseEnded, OutcomeUnknown, ProviderError, Unsupported
from providers.http import policy
from providers.http.messages import Answer, Call
from providers.models import Placement, PlacementState, Provider
from providers.notes import Note
from providers.placing import recording, routing
from providers.placing.claiming import PlacementAttempt, PlacementClaim, TurnLost
from providers.placing.queue import Queue
from providers.placing.rate_limits import CallPacer
from providers.placing.recording import UNREACHABLE, AttemptOutcome
from providers.placing.window import SendWindow
from providers.reconciling import decisions
from providers.transport import call_stats, conversation, funds
from providers.worker import turns
from providers.worker.clock import Deadline
from providers.worker.leases import database_now

log = logging.getLogger("vitrine.providers")

#: Seconds in which one pass claims orders; plus the time limit of a call, it ends within the task's time limit.
BUDGET = 20.0
#: The maximum number of orders in one claim.
STEP = 8
#: Seconds in which answers are collected before they are recorded, because a transaction costs as much as an answer.
GATHER = 0.005
#: Seconds between two attempts to reach a database that does not answer: the first, doubled up to the last.
RECONNECT_FIRST, RECONNECT_LAST = 0.05, 2.0


def submit_due(provider: Provider, *, is_now: bool = False, budget: float = BUDGET) -> Counter[str]:
    """Place the waiting orders of ``provider``; return the numbers of accepted, refused, not_sent and in_doubt.

    Only one pass runs for each provider, so that its limit of parallel calls holds; a second one returns at once.
    """
    conversation.outside_transaction()
    turn = turns.take(turn_name(provider), seconds=_lease_seconds())
    if turn is None:
        return Counter()
    current = _SubmissionPass(provider, turn, is_now=is_now, ends=time.monotonic() + budget)
    try:
        current.run()
    finally:
        current.close()
    return current.counts


def turn_name(provider: Provider) -> str:
    """Return the name of the turn that a pass at ``provider`` needs."""
    return f"submit:{provider.pk}"


def expire_leases() -> int:
    """Mark the outcome of expired claims as unknown: their worker died, and they may have been sent.

    Returns:
        The number of expired claims.
    """
    overdue = Placement.objects.filter(state=PlacementState.SUBMITTING, ended_at=None, lease_until__lt=database_now())
    found = 0
    for placement in overdue.select_related("provider").order_by("pk")[:1000]:
        unknown = OutcomeUnknown(notes.encode(Note.WORKER_STOPPED))
        with transaction.atomic():
            list(Order.objects.select_for_update().filter(pk=placement.order_id).values_list("pk"))
            taken = Placement.objects.filter(pk=placement.pk, state=PlacementState.SUBMITTING).update(
                state=PlacementState.IN_DOUBT, **decisions.opening(placement.provider, unknown)
            )
            if taken:
                fulfillment.mark_in_doubt(
                    placement.order_id,
                    run=placement.run,
                    provider=placement.provider_id,
                    why=unknown.message,
                )
                found += 1
    return found


def _lease_seconds() -> float:
    return policy.limits("add").total + float(settings.LEASE_GRACE)


class _SubmissionPass:
    """One pass at one provider: the calls under way, the answers that are not recorded yet, and the send window."""

    def __init__(self, provider: Provider, turn: turns.HeldTurn, *, is_now: bool, ends: float) -> None:
        self.counts: Counter[str] = Counter()
        self._provider, self._turn, self._is_now, self._claims_end = provider, turn, is_now, ends
        self._senders = min(provider.parallel, settings.SUBMIT_PARALLEL)
        self._pool = ThreadPoolExecutor(self._senders, thread_name_prefix="submit")
        self._answers: SimpleQueue[tuple[PlacementAttempt, Answer | ProviderError]] = SimpleQueue()
        self._unrecorded: list[AttemptOutcome] = []
        self._claim: PlacementClaim | None = None
        self._window, self._queue = SendWindow(1), Queue(provider, is_now=is_now)
        self._pacer, self._tally = CallPacer(provider), call_stats.Tally()
        self._reconnects, self._gives_up = 0, Deadline.after(0)
        self._fault: Exception | None = None

    def run(self) -> None:
        """Place orders until none waits or the time is over, and until every answer is recorded."""
        is_more = True
        while is_more:
            try:
                is_more = self._step()
                self._reconnects = 0
            except UNREACHABLE as error:
                self._reconnect(error)
            except Exception as fault:
                if self._fault is not None:
                    raise
                # The answers to calls under way must be recorded, whatever is wrong with the next claim.
                log.exception("provider %s: this pass claims no more orders", self._provider)
                self._fault, self._claims_end = fault, float("-inf")
        if self._fault is not None:
            raise self._fault

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        for answered in self._unrecorded:
            log.error(
                "order %s: the answer of provider %s was not recorded: %s",
                answered.attempt.placement.order_id,
                self._provider,
                note_texts.describe(answered.problem.message)
                if answered.problem
                else f"accepted as {answered.upstream_id}",
            )
        with suppress(*UNREACHABLE):  # a turn expires, and a tally is only a statistic
            self._turn.end()
            self._tally.write(self._provider)

    def _step(self) -> bool:
        """Claim, send, record and wait once; return False when nothing is left to do."""
        if self._reconnects or not all(answered.is_plain for answered in self._unrecorded):
            self._record()  # before the next claim, because a failure may reduce what may be sent
        if not self._window.under_way:
            self._pacer.sleep()
        self._fill()
        self._record()
        if not self._window.under_way:
            return False
        self._collect()
        return True

    def _reconnect(self, error: Exception) -> None:
        """Wait for the database, up to the length of a lease; after that, others may have decided about the orders."""
        if connection.in_atomic_block:
            raise error
        if not self._reconnects:
            self._gives_up = Deadline.after(_lease_seconds())
        if self._gives_up.has_passed:
            while self._window.under_way:  # collect every answer, so that ``close`` logs it
                self._collect()
            raise error
        log.warning("provider %s: the database did not answer, trying again: %s", self._provider, error)
        connection.close()
        self._queue.start_over()  # the orders that were to be claimed still wait
        time.sleep(min(RECONNECT_FIRST * 2 ** min(self._reconnects, 10), RECONNECT_LAST))
        self._reconnects += 1

    # -------------------------------------------------------------------------------------------- claim, call

    def _fill(self) -> None:
        if self._claim is not None:  # its commit may have succeeded although the connection broke
            self._send(self._claim.find_committed())
            self._claim = None
        while time.monotonic() < self._claims_end and (room := self._room()):
            attempts = self._claim_next(room)
            if not attempts:
                return
            self._send(attempts)

    def _room(self) -> int:
        """Return how many orders to claim now. Very few are not worth a transaction, unless calls are rate limited."""
        free = self._window.free
        if self._pacer.is_limited:
            return 1 if free and not self._pacer.wait() else 0
        return min(free, STEP) if free >= min(STEP, max(self._window.size // 4, 1)) else 0

    def _limit_window(self) -> None:
        """Set how many calls may be under way: the provider's limit, or one while it is half open after failures."""
        most = 1 if self._provider.is_half_open else min(self._provider.parallel, self._senders)
        self._window.limit = most
        # Claim ahead, so that a free sender has work at once. With fewer allowed than there are senders, this would
        # send more than ``most`` at once.
        is_open = most == self._senders and not self._pacer.is_limited
        self._window.ahead = min(STEP, most // 4) if is_open else 0

    def _claim_next(self, room: int) -> list[PlacementAttempt]:
        self._provider.refresh_from_db()
        if not self._provider.is_active or (self._provider.is_paused and not self._is_now):
            return []
        funds.refresh(self._provider)
        self._limit_window()
        while candidates := self._queue.take(min(room, self._window.free), self._window):
            self._claim = PlacementClaim(self._provider, candidates, is_now=self._is_now, turn=self._turn)
            try:
                attempts = self._claim.commit()
            except TurnLost:
                self._claims_end = float("-inf")
                attempts, candidates = [], []
            self._claim = None
            if attempts or not candidates:
                return attempts
        return []

    def _send(self, attempts: Iterable[PlacementAttempt]) -> None:
        for attempt in attempts:
            self._pacer.count()
            if attempt.call is None:
                problem = attempt.problem or Unsupported()
                self._unrecorded.append(AttemptOutcome(attempt, problem, problem=problem))
            else:
                self._window.sent(attempt.placement.offer_id)
                self._pool.submit(self._exchange, attempt, attempt.call)

    def _exchange(self, attempt: PlacementAttempt, call: Call) -> None:
        """Make one call; runs in a thread of the pool, without the database."""
        outcome: Answer | ProviderError = OutcomeUnknown(notes.encode(Note.FAILED_INTERNALLY))
        try:
            outcome = conversation.exchange(call, send_by=attempt.send_by)
        finally:
            self._answers.put((attempt, outcome))

    def _collect(self) -> None:
        """Wait for an answer, and take all answers that are there."""
        with suppress(Empty):
            self._understand(*self._answers.get(timeout=self._pacer.wait() or None))
            if self._window.under_way >= STEP:
                time.sleep(GATHER)
            while True:
                self._understand(*self._answers.get_nowait())

    def _understand(self, attempt: PlacementAttempt, outcome: Answer | ProviderError) -> None:
        answered = AttemptOutcome.read(self._provider, attempt, outcome)
        self._window.answered(attempt.placement.offer_id, is_clear=answered.is_clear)
        self._unrecorded.append(answered)

    # -------------------------------------------------------------------------------------------- record

    def _record(self) -> None:
        plain = [answered for answered in self._unrecorded if answered.is_plain]
        if plain and recording.record_accepted(self._provider, plain):
            for answered in plain:
                self._done(answered, "accepted")
        while self._unrecorded:
            answered = self._unrecorded[0]
            self._done(answered, recording.record(self._provider, answered))

    def _done(self, answered: AttemptOutcome, name: str) -> None:
        self._unrecorded.remove(answered)
        self.counts[name] += 1
        if answered.attempt.call is not None:
            is_failure = name in ("not_sent", "in_doubt") and not isinstance(answered.problem, LeaseEnded)
            self._tally.count("add", answered.outcome, is_failure=is_failure)
        if name == "in_doubt":
            self._queue.forget()  # similar orders may have to wait now
        if name in ("refused", "not_sent"):
            reason = getattr(answered.problem, "reason", "")
            if name == "not_sent" or reason in routing.PASSING:
                self._queue.skip(answered.attempt.placement.order_id)
            self._queue.start_over()
