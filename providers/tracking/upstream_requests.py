"""Refill and cancellation requests at panels: claim, call, record, as for orders.

    claim   one transaction: lock waiting requests, insert their UpstreamRequest rows, commit. A constraint allows one
            live row for each request.
    call    one after another, with many ids in a call if the panel's document allows it.
    record  each answer in its own transaction: accepted, refused, not sent, or in doubt.

Requests that cannot be sent to a panel, and those in doubt, go to an operator. Those in doubt are never sent again
automatically.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from orders.errors import RequestClosed
from orders.lifecycle import customer_requests
from orders.models import Cancellation, Refill
from orders.models.customer_request import OPEN_REQUEST, RequestStatus
from orders.rules import amounts
from orders.rules.state_machine import Status
from providers import notes
from providers.errors import NotSent, ProviderError, Refused
from providers.http import client, policy
from providers.models import LIVE, Placement, PlacementState, Provider, UpstreamRequest
from providers.notes import Note
from providers.panels.refills_and_cancellations import CancelAccepted, read_cancel, read_refill
from providers.placing import routing
from providers.tracking import refill_sync
from providers.transport import call_stats, conversation
from providers.worker import turns
from providers.worker.backoff import Doubling
from providers.worker.clock import Deadline
from providers.worker.leases import Lease, database_now

R = TypeVar("R", Refill, Cancellation)

#: The verb of each kind of request. Cancellations come first, because delivery goes on until they arrive.
VERB_OF: Mapping[type[Refill | Cancellation], str] = {Cancellation: "cancel", Refill: "refill"}
READERS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "cancel": read_cancel,
    "refill": read_refill,
}
#: States of a placement whose order the panel has or had.
HAD = (PlacementState.ACCEPTED, PlacementState.CLOSED)
#: Statuses of orders that no panel certainly has; a cancellation waits until that is known.
NOWHERE = (Status.QUEUED, Status.SUBMITTING, Status.IN_DOUBT)
#: Seconds in which one pass calls.
BUDGET = 20.0
PAGE = 500
#: A request that no panel has accepted after this time goes to an operator.
PATIENCE = timedelta(days=3)
#: How long to wait after a temporary rejection.
EARLY, PASSING = timedelta(hours=6), timedelta(minutes=10)
RETRY_DELAYS = Doubling(first=60, last=3600)


def triage(*, is_now: bool = False) -> list[int]:
    """Hand requests that cannot be sent to an operator; return the providers that have requests to send."""
    _close_answered()
    _expire_leases()
    found = set(refill_sync.providers_to_follow())
    for model in VERB_OF:
        for request in _waiting(model, is_now=is_now)[:PAGE]:
            provider = Provider.objects.filter(pk=request.provider).first() if request.provider else None
            obstacle = _obstacle(request, provider)
            if obstacle:
                customer_requests.hand_to_staff(request, why=obstacle)
            elif provider and (is_now or not provider.is_paused):
                found.add(provider.pk)
    return sorted(found)


def run(provider: Provider, *, is_now: bool = False, budget: float = BUDGET) -> Counter[str]:
    """Send the waiting requests of ``provider`` and check its refills; return counts by verb and outcome."""
    conversation.outside_transaction()
    counts: Counter[str] = Counter()
    ends = time.monotonic() + budget
    if not provider.is_active or (provider.is_paused and not is_now):
        return counts
    longest_call = max(policy.limits(verb).total for verb in VERB_OF.values())
    turn = turns.take(f"requests:{provider.pk}", seconds=longest_call + settings.LEASE_GRACE)
    if turn is None:
        return counts
    tally = call_stats.Tally()
    try:
        for model, verb in VERB_OF.items():
            after = 0
            while verb in provider.dialect.verbs and time.monotonic() < ends:
                lease = Lease.begin(longest_call=longest_call)
                limit = provider.dialect.ids_a_call(verb)
                upstream_requests = _claim(provider, model, turn, lease, after=after, limit=limit, is_now=is_now)
                if not upstream_requests:
                    break
                after = _customer_request(upstream_requests[-1]).pk
                counts += _send(provider, verb, upstream_requests, tally, send_by=lease.send_by)
        return counts + refill_sync.follow(provider, turn, tally=tally, is_now=is_now, ends=ends)
    finally:
        turn.end()
        tally.write(provider)


def send_again(request: R, *, actor: Any) -> R:
    """Send ``request`` on behalf of an operator, although it may have been sent before.

    Raises:
        RequestClosed: the request has ended.
    """
    with transaction.atomic():
        row = customer_requests.release(request, actor=actor)
        earlier = UpstreamRequest.objects.filter(**{_name(type(request)): request.pk}, state__in=LIVE)
        if earlier.filter(state=PlacementState.SUBMITTING, lease_until__gte=database_now()).exists():
            raise RequestClosed("it is being sent at this moment")
        earlier.update(
            state=PlacementState.CLOSED,
            ended_at=timezone.now(),
            sync_at=None,
            panel_error=notes.encode(Note.SENT_AGAIN),
        )
        return row


# ------------------------------------------------------------------------------------------------ what is to be done


def _name(model: type[Refill | Cancellation]) -> str:
    """Return the name of the foreign key of UpstreamRequest for this kind of request."""
    return "refill" if model is Refill else "cancellation"


def _customer_request(upstream_request: UpstreamRequest) -> Any:
    return upstream_request.refill or upstream_request.cancellation


def _waiting(model: type[Refill | Cancellation], *, is_now: bool) -> QuerySet[Any]:
    """Return the due requests, oldest first, with the ``placement`` and ``provider`` that have the order."""
    live = UpstreamRequest.objects.filter(**{_name(model): OuterRef("pk")}, state__in=LIVE)
    had = Placement.objects.filter(order=OuterRef("order_id"), state__in=HAD).order_by("-pk")
    found: QuerySet[Any] = model.objects.filter(~Exists(live), status=RequestStatus.WAITING, needs_operator=False)
    found = found.exclude(order__status__in=NOWHERE).annotate(
        placement=Subquery(had.values("pk")[:1]), provider=Subquery(had.values("provider")[:1])
    )
    if not is_now:
        found = found.filter(Q(due_at=None) | Q(due_at__lte=timezone.now()))
    return found.order_by("pk")


def _obstacle(request: Any, provider: Provider | None) -> str:
    """Return why staff must handle ``request``, as a note, or "" if the provider can be asked."""
    verb = VERB_OF[type(request)]
    if provider is None:
        return notes.encode(Note.NO_PROVIDER)
    if not provider.is_active:
        return notes.encode(Note.PROVIDER_OFF, provider=provider.name)
    if verb not in provider.dialect.verbs:
        note = Note.NO_REFILLS if verb == "refill" else Note.NO_CANCELLATIONS
        return notes.encode(note, dialect=provider.dialect.title)
    if request.created_at < timezone.now() - PATIENCE:
        return notes.encode(Note.NOT_ACCEPTED, provider=provider.name, days=PATIENCE.days)
    return ""


def _close_answered() -> None:
    """Close rows whose request was answered otherwise: the order has ended, or an operator decided."""
    ended = [status for status in RequestStatus if status not in OPEN_REQUEST]
    answered = Q(refill__status__in=ended) | Q(cancellation__status__in=ended)
    # A row that is being sent is closed when its answer arrives.
    live = UpstreamRequest.objects.filter(answered, state__in=(PlacementState.ACCEPTED, PlacementState.IN_DOUBT))
    live.update(state=PlacementState.CLOSED, ended_at=timezone.now(), sync_at=None)


def _expire_leases() -> None:
    """Mark the outcome of expired claims as unknown: their worker died, and they may have been sent."""
    panel_error = notes.encode(Note.WORKER_STOPPED)
    for upstream_request in UpstreamRequest.objects.filter(
        state=PlacementState.SUBMITTING, lease_until__lt=database_now()
    ).order_by("pk")[:PAGE]:
        with transaction.atomic():
            if _move(upstream_request, PlacementState.IN_DOUBT, panel_error=panel_error):
                customer_requests.hand_to_staff(_customer_request(upstream_request), why=panel_error)


# ------------------------------------------------------------------------------------------------ claim


def _claim(
    provider: Provider,
    model: type[Refill | Cancellation],
    turn: turns.HeldTurn,
    lease: Lease,
    *,
    after: int,
    limit: int,
    is_now: bool,
) -> list[UpstreamRequest]:
    """Claim at most ``limit`` requests with an id above ``after``; their rows are committed."""
    skips = connection.features.has_select_for_update_skip_locked
    try:
        with transaction.atomic():
            if not turn.keep():
                return []
            mine = _waiting(model, is_now=is_now).filter(provider=provider.pk, pk__gt=after)
            requests = list(mine.select_for_update(of=("self",), skip_locked=skips)[:limit])
            placements = Placement.objects.in_bulk([request.placement for request in requests])
            return UpstreamRequest.objects.bulk_create(
                [
                    UpstreamRequest(placement=placements[row.placement], lease_until=lease.until, **{_name(model): row})
                    for row in requests
                ]
            )
    except IntegrityError:
        return []  # another pass claimed one of them at the same time; it or the next pass claims the others


# ------------------------------------------------------------------------------------------------ call, record


def _send(
    provider: Provider,
    verb: str,
    upstream_requests: list[UpstreamRequest],
    tally: call_stats.Tally,
    *,
    send_by: Deadline,
) -> Counter[str]:
    dialect = provider.dialect
    ids = [upstream_request.placement.upstream_id for upstream_request in upstream_requests]
    key = provider.key.reveal()
    call = dialect.call(verb, provider.url, key, auth=provider.auth, **dialect.request_params(verb, ids))
    outcome = conversation.exchange(call, send_by=send_by)
    results: dict[str, Any] = {}
    name, panel_error = "accepted", notes.encode(Note.LEFT_OUT)
    failure: ProviderError | None = None
    try:
        if isinstance(outcome, ProviderError):
            raise outcome
        results = READERS[verb](outcome, dialect, ids)
    except (Refused, NotSent) as problem:
        name, results, failure = conversation.name_of(problem), dict.fromkeys(ids, problem), problem
    except ProviderError as unknown:
        name, panel_error, failure = "in_doubt", unknown.message, unknown
    tally.add(verb, outcome, failure)
    alone = upstream_requests[0].placement if len(upstream_requests) == 1 else None
    conversation.record(provider, call, outcome, name=name, placement=alone)
    counts: Counter[str] = Counter()
    for upstream_request, upstream_id in zip(upstream_requests, ids, strict=True):
        result = results.get(upstream_id) or ProviderError(panel_error)
        if isinstance(result, ProviderError):
            result.message = client.redact(result.message, call.secrets)
        counts[f"{verb}_{_record(upstream_request, result)}"] += 1
    return counts


def _record(upstream_request: UpstreamRequest, result: str | CancelAccepted | ProviderError) -> str:
    """Record the outcome of one request and return its name."""
    with transaction.atomic():
        if isinstance(result, Refused):
            return _record_refused(upstream_request, result)
        if isinstance(result, NotSent):
            return _record_not_sent(upstream_request, result)
        if isinstance(result, ProviderError):
            if _move(upstream_request, PlacementState.IN_DOUBT, panel_error=result.message[:600]):
                customer_requests.hand_to_staff(
                    _customer_request(upstream_request), why=notes.encode(Note.NO_CLEAR_ANSWER, message=result.message)
                )
            return "in_doubt"
        return _record_accepted(upstream_request, result)


def _record_accepted(upstream_request: UpstreamRequest, result: str | CancelAccepted) -> str:
    facts: dict[str, Any] = {"provider": upstream_request.placement.provider_id}
    if isinstance(result, str):
        facts["upstream_id"] = result
        moved = _move(
            upstream_request,
            PlacementState.ACCEPTED,
            upstream_id=result,
            sync_at=timezone.now() + refill_sync.INTERVALS[0][1],
        )
    else:
        moved = _move(upstream_request, PlacementState.ACCEPTED)
        if moved and result.refund is not None:
            _keep_refund(upstream_request.placement_id, result.refund)
        _look_soon(upstream_request.placement)
    if moved:
        customer_requests.mark_sent(_customer_request(upstream_request), **facts)
    return "accepted"


def _record_refused(upstream_request: UpstreamRequest, problem: Refused) -> str:
    request, panel_error = _customer_request(upstream_request), problem.message
    if not _move(upstream_request, PlacementState.REFUSED, panel_error=panel_error[:600], ended_at=timezone.now()):
        return "refused"
    if problem.reason == "early" or problem.reason in routing.PASSING:
        waits = EARLY if problem.reason == "early" else PASSING
        customer_requests.postpone(request, due_at=timezone.now() + waits, why=panel_error)
    elif problem.reason == "final":
        with suppress(RequestClosed):  # the end of the order has already answered it
            customer_requests.reject(request, reason=panel_error)
    else:
        customer_requests.hand_to_staff(request, why=panel_error)
    if upstream_request.cancellation:
        _look_soon(upstream_request.placement)
    return "refused"


def _record_not_sent(upstream_request: UpstreamRequest, problem: NotSent) -> str:
    request = _customer_request(upstream_request)
    tries = UpstreamRequest.objects.filter(**{_name(type(request)): request.pk}, state=PlacementState.NOT_SENT).count()
    if _move(upstream_request, PlacementState.NOT_SENT, panel_error=problem.message[:600], ended_at=timezone.now()):
        customer_requests.postpone(request, due_at=timezone.now() + RETRY_DELAYS.delay(tries + 1), why=problem.message)
    return "not_sent"


def _move(upstream_request: UpstreamRequest, state: PlacementState, **values: Any) -> bool:
    """Change the state and return whether the row still waited; an acceptance counts even after the lease."""
    allowed = (
        (PlacementState.SUBMITTING, PlacementState.IN_DOUBT)
        if state is PlacementState.ACCEPTED
        else (PlacementState.SUBMITTING,)
    )
    return bool(UpstreamRequest.objects.filter(pk=upstream_request.pk, state__in=allowed).update(state=state, **values))


def _keep_refund(placement_id: int, refund: Decimal) -> None:
    """Store the amount that the panel returned for a canceled order, and subtract it from the order's cost.

    Some panels name it only in this answer. The customer is refunded when the order's status changes.
    """
    if not 0 <= refund < amounts.from_units(amounts.LARGEST, amounts.AMOUNT_PLACES):
        return
    placement = Placement.objects.select_for_update().get(pk=placement_id)
    before = placement.charged if placement.charged is not None else placement.cost
    placement.refunded = amounts.round_down(refund)
    placement.charged = max(before - placement.refunded, Decimal(0))
    placement.first_charged = placement.first_charged or before
    placement.save(update_fields=["refunded", "charged", "first_charged"])


def _look_soon(placement: Placement) -> None:
    """Check the status soon: only the status shows a cancellation, and old orders are checked rarely."""
    soon = timezone.now() + timedelta(seconds=settings.SYNC_INTERVAL)
    Placement.objects.filter(pk=placement.pk, sync_at__gt=soon).update(sync_at=soon)
