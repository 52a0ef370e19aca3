"""Recording of the answers to ``add``; each answer is recorded once, whatever happened in between."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from orders.db import bulk
from orders.lifecycle import fulfillment
from orders.models import Order
from orders.models.order import EventKind
from providers import notes
from providers.errors import LeaseEnded, NotSent, OutcomeUnknown, ProviderError, Refused, Unsupported
from providers.http import client
from providers.http.messages import Answer
from providers.models import PanelCall, Placement, PlacementState, Provider
from providers.notes import Note
from providers.panels.placing import read_add
from providers.placing import routing
from providers.placing.claiming import PlacementAttempt
from providers.reconciling import decisions, evidence
from providers.transport import circuit_breaker, conversation, funds

log = logging.getLogger("vitrine.providers")

#: Errors of a broken or busy database. The rows are fine, and the same statements may work a moment later.
UNREACHABLE = (OperationalError, InterfaceError)
PARK_DUPLICATE = timedelta(minutes=10)


class _AlreadyDecided(ProviderError):
    """The placement was already decided when the answer came, by the end of its lease or by an operator."""


class _NotPlain(Exception):
    """Some answers of a batch cannot be recorded together with the others."""


@dataclass(frozen=True, slots=True, eq=False)
class AttemptOutcome:
    """The outcome of one attempt: an ``upstream_id`` if it was accepted, otherwise a ``problem``."""

    attempt: PlacementAttempt
    outcome: Answer | ProviderError
    upstream_id: str = ""
    problem: ProviderError | None = None

    @classmethod
    def read(cls, provider: Provider, attempt: PlacementAttempt, outcome: Answer | ProviderError) -> AttemptOutcome:
        if isinstance(outcome, ProviderError):
            return cls(attempt, outcome, problem=outcome)
        try:
            return cls(attempt, outcome, upstream_id=read_add(outcome, provider.dialect))
        except ProviderError as problem:
            return cls(attempt, outcome, problem=problem)
        except Exception:  # a bug in a parser must not lose the answers for the other orders of this pass
            log.exception("order %s: the panel's answer could not be read", attempt.placement.order_id)
            return cls(attempt, outcome, problem=OutcomeUnknown(notes.encode(Note.ANSWER_NOT_READ)))

    @property
    def is_plain(self) -> bool:
        """Whether the order was accepted and can be recorded together with others."""
        return self.problem is None and self.attempt.placement.run == 0

    @property
    def is_clear(self) -> bool | None:
        """Whether the panel clearly accepted or rejected the order; None if that says nothing about the next order."""
        if isinstance(self.problem, LeaseEnded):
            return None
        if isinstance(self.problem, Refused):
            return None if self.problem.reason == "funds" else self.problem.reason not in circuit_breaker.PAUSES
        return self.problem is None


def record_accepted(provider: Provider, answers: Sequence[AttemptOutcome]) -> bool:
    """Record accepted orders in one transaction and a few statements; return False if that was not possible."""
    numbers = {answered.attempt.placement.order_id: answered.upstream_id for answered in answers}
    rows = [(answered.attempt.placement.pk, answered.upstream_id) for answered in answers]
    now = timezone.now()
    try:
        with transaction.atomic():
            moved = fulfillment.accept_many(numbers, provider=provider.pk)
            waiting = Placement.objects.filter(pk__in=[pk for pk, _ in rows], state=PlacementState.SUBMITTING)
            settled = waiting.update(
                state=PlacementState.ACCEPTED, answered_at=now, next_search_at=None, sync_at=_first_look()
            )
            if not moved == settled == len(answers):
                raise _NotPlain
            bulk.update(Placement, ("upstream_id",), rows)
            bulk.insert(PanelCall, _CALL_FIELDS, [_call_row(provider, answered, now) for answered in answers])
    except UNREACHABLE:
        raise
    except (_NotPlain, DatabaseError):  # for example, another order has the same number
        return False
    circuit_breaker.clear_answer(provider)
    funds.spend(provider, [answered.attempt.placement.cost for answered in answers])
    return True


def record(provider: Provider, answered: AttemptOutcome) -> str:
    """Record one answer and what it means for the provider; return the name of the outcome.

    An answer that cannot be stored (a value that does not fit) leaves the outcome of its order unknown. It does not
    stop the recording of others.
    """
    try:
        return _record(provider, answered)
    except UNREACHABLE:
        raise
    except Exception:  # one answer that cannot be stored must not stop the recording of the others
        placement = answered.attempt.placement
        log.exception("order %s: the panel's answer could not be recorded", placement.order_id)
        unknown = OutcomeUnknown(notes.encode(Note.ANSWER_NOT_RECORDED), upstream_id=answered.upstream_id)
        try:
            with transaction.atomic():
                _in_doubt(provider, placement, unknown)
        except _AlreadyDecided:
            return "late"
        circuit_breaker.failed(provider, unknown, answered.outcome)
        return "in_doubt"


def _record(provider: Provider, answered: AttemptOutcome) -> str:
    attempt, outcome = answered.attempt, answered.outcome
    problem: ProviderError
    secrets = attempt.call.secrets if attempt.call else ()
    try:
        if answered.problem is not None:
            raise answered.problem
        return _accepted(provider, answered)
    except _AlreadyDecided:
        return _too_late(provider, answered)
    except (Refused, Unsupported) as refusal:
        problem, name, store = refusal, "refused", _refused
    except NotSent as unsent:
        problem, name, store = unsent, "not_sent", _not_sent
    except ProviderError as unknown:
        problem, name, store = unknown, "in_doubt", _in_doubt
        if isinstance(unknown, OutcomeUnknown):
            unknown.said = client.redact(unknown.said, secrets)
            if decisions.is_taught(provider, unknown.said):
                problem, name, store = Refused(unknown.said), "refused", _refused
    problem.message = client.redact(problem.message, secrets)
    try:
        with transaction.atomic():
            store(provider, attempt.placement, problem)
            _keep_call(provider, answered, name)
    except _AlreadyDecided:
        return _too_late(provider, answered)
    _draw_consequences(provider, attempt.placement, problem, outcome)
    return name


def _draw_consequences(
    provider: Provider, placement: Placement, problem: ProviderError, outcome: Answer | ProviderError
) -> None:
    """Apply what an answer other than an acceptance means for the next orders."""
    reason = problem.reason if isinstance(problem, Refused) else ""
    if reason == "funds":
        funds.hold_back(provider, cost=placement.cost)
    elif isinstance(problem, LeaseEnded):
        return
    elif reason in circuit_breaker.PAUSES or isinstance(problem, (NotSent, OutcomeUnknown)):
        circuit_breaker.failed(provider, problem, outcome)
    elif isinstance(problem, Refused):
        circuit_breaker.clear_answer(provider)


def _keep_call(provider: Provider, answered: AttemptOutcome, name: str) -> None:
    if answered.attempt.call is not None:  # a request was made
        _call_record(provider, answered, name).save()


def _call_record(provider: Provider, answered: AttemptOutcome, name: str) -> PanelCall:
    attempt = answered.attempt
    assert attempt.call is not None
    return conversation.build_record(provider, attempt.call, answered.outcome, name=name, placement=attempt.placement)


_CALL_FIELDS = (
    "provider", "placement", "verb", "outcome", "request", "status", "answer", "elapsed_ms", "created_at"
)  # fmt: skip


def _call_row(provider: Provider, answered: AttemptOutcome, now: datetime) -> tuple[Any, ...]:
    """Return the values of ``_CALL_FIELDS``."""
    call = _call_record(provider, answered, "accepted")
    return (
        provider.pk, call.placement_id, call.verb, call.outcome, call.request, call.status, call.answer,
        call.elapsed_ms, now,
    )  # fmt: skip


def _first_look() -> datetime:
    return timezone.now() + timedelta(seconds=settings.SYNC_INTERVAL)


def _accepted(provider: Provider, answered: AttemptOutcome) -> str:
    attempt, upstream_id = answered.attempt, answered.upstream_id
    placement = attempt.placement
    try:
        with transaction.atomic():
            _move(
                placement,
                PlacementState.ACCEPTED,
                upstream_id=upstream_id,
                answered_at=timezone.now(),
                next_search_at=None,
                sync_at=_first_look(),
            )
            fulfillment.accept(placement.order_id, run=placement.run, provider=provider.pk, upstream_id=upstream_id)
            _keep_call(provider, answered, "accepted")
    except IntegrityError:
        raise decisions.number_conflict(placement, upstream_id) from None
    circuit_breaker.clear_answer(provider)
    funds.spend(provider, [placement.cost])
    return "accepted"


def _too_late(provider: Provider, answered: AttemptOutcome) -> str:
    """Handle an answer for a placement that was already decided.

    It may have been decided by this same answer, if the database connection broke after the commit, by the end of its
    lease, or by an operator. If the order was accepted after all, that is recorded as a late find.
    """
    attempt = answered.attempt
    recorded = Placement.objects.filter(
        pk=attempt.placement.pk, state=PlacementState.ACCEPTED, upstream_id=answered.upstream_id
    )
    if answered.upstream_id and recorded.exists():
        return "accepted"
    _keep_call(provider, answered, "late")
    if answered.upstream_id:
        decisions.found_late(attempt.placement, upstream_id=answered.upstream_id, charge=None)
    return "late"


def _refused(provider: Provider, placement: Placement, problem: ProviderError) -> None:
    reason = problem.reason if isinstance(problem, Refused) else "request"
    _move(placement, PlacementState.REFUSED, panel_error=problem.message[:600], reason=reason, ended_at=timezone.now())
    if isinstance(problem, Refused):
        evidence.add_later_rejection(placement, problem)
    facts: dict[str, Any] = {
        "run": placement.run,
        "provider": provider.pk,
        "panel_error": problem.message,
        "reason": reason,
    }
    if reason in routing.PASSING or not routing.is_exhausted(placement.order, placement.run):
        due_at = timezone.now() + PARK_DUPLICATE if reason == "duplicate" else None
        fulfillment.requeue(placement.order_id, why=EventKind.REFUSED, due_at=due_at, **facts)
    else:
        fulfillment.fail(placement.order_id, **facts)


def _not_sent(provider: Provider, placement: Placement, problem: ProviderError) -> None:
    tries = Placement.objects.filter(
        order_id=placement.order_id, run=placement.run, state=PlacementState.NOT_SENT
    ).count()
    _move(placement, PlacementState.NOT_SENT, panel_error=problem.message[:600], ended_at=timezone.now())
    fulfillment.requeue(
        placement.order_id,
        run=placement.run,
        why=EventKind.NOT_SENT,
        due_at=timezone.now() + circuit_breaker.back_off(tries),
        provider=provider.pk,
        panel_error=problem.message,
    )


def _in_doubt(provider: Provider, placement: Placement, problem: ProviderError) -> None:
    _move(placement, PlacementState.IN_DOUBT, **decisions.opening(provider, problem))
    fulfillment.mark_in_doubt(placement.order_id, run=placement.run, provider=provider.pk, panel_error=problem.message)


def _move(placement: Placement, state: PlacementState, **values: object) -> None:
    """Change the state of a placement that waits for its answer; a clear answer counts even after its lease.

    The order is locked first, as everywhere, so that two transactions cannot deadlock.

    Raises:
        _AlreadyDecided: the placement was already decided.
    """
    list(Order.objects.select_for_update().filter(pk=placement.order_id).values_list("pk"))
    allowed = Q(state=PlacementState.SUBMITTING)
    if state is not PlacementState.IN_DOUBT:
        allowed |= Q(state=PlacementState.IN_DOUBT)
    if not Placement.objects.filter(allowed, pk=placement.pk).update(state=state, **values):
        raise _AlreadyDecided
    placement.state = state
