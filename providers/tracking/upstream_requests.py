"""Errands: refills and cancellations taken to the panel that has the order. Claim, call, record, as with orders.

    claim   one transaction: lock waiting requests, insert their Errand rows, commit. The database allows one live
            errand for each request.
    call    one after the other; many ids in a call where the panel's document has that.
    record  each answer in a transaction of its own: taken, refused, not sent, or in doubt.

What no panel can be asked, and what is in doubt, goes to a person; nothing in doubt is sent again by itself.
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

#: The request, and its verb. Cancellations first: what is delivered meanwhile cannot be stopped any more.
VERB_OF: Mapping[type[Refill | Cancellation], str] = {Cancellation: "cancel", Refill: "refill"}
READERS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "cancel": read_cancel,
    "refill": read_refill,
}
#: The panel has or had the order.
HAD = (PlacementState.ACCEPTED, PlacementState.CLOSED)
#: No panel has it for certain: a cancellation waits for what becomes of that.
NOWHERE = (Status.QUEUED, Status.SUBMITTING, Status.IN_DOUBT)
#: Seconds in which one pass calls.
BUDGET = 20.0
PAGE = 500
#: A request that no panel took for so long goes to a person.
PATIENCE = timedelta(days=3)
#: How long a refusal of the moment is waited out.
EARLY, PASSING = timedelta(hours=6), timedelta(minutes=10)
BACK_OFF = Doubling(first=60, last=3600)


def sort_out(*, is_now: bool = False) -> list[int]:
    """Hands to a person what no panel can be asked; returns the providers that have something to be asked."""
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
    """Sends what waits for ``provider`` and follows its refills; returns counts by verb and outcome."""
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
                errands = _claim(provider, model, turn, lease, after=after, limit=limit, is_now=is_now)
                if not errands:
                    break
                after = _request(errands[-1]).pk
                counts += _send(provider, verb, errands, tally, send_by=lease.send_by)
        return counts + refill_sync.follow(provider, turn, tally=tally, is_now=is_now, ends=ends)
    finally:
        turn.end()
        tally.write(provider)


def send_again(request: R, *, actor: Any) -> R:
    """A person lets ``request`` be sent, though it was sent before perhaps. Raises RequestClosed."""
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
    """The column of Errand for it."""
    return "refill" if model is Refill else "cancellation"


def _request(errand: UpstreamRequest) -> Any:
    return errand.refill or errand.cancellation


def _waiting(model: type[Refill | Cancellation], *, is_now: bool) -> QuerySet[Any]:
    """Requests whose time has come, oldest first, with the ``placement`` and ``provider`` that have the order."""
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
    """The order has ended, or a person has answered: nobody waits for the panel any more."""
    ended = [status for status in RequestStatus if status not in OPEN_REQUEST]
    answered = Q(refill__status__in=ended) | Q(cancellation__status__in=ended)
    # What is just being sent is closed when its answer is there.
    live = UpstreamRequest.objects.filter(answered, state__in=(PlacementState.ACCEPTED, PlacementState.IN_DOUBT))
    live.update(state=PlacementState.CLOSED, ended_at=timezone.now(), sync_at=None)


def _expire_leases() -> None:
    """Claims whose answer never came (a worker was killed): nobody knows whether they were sent."""
    words = notes.encode(Note.WORKER_STOPPED)
    for errand in UpstreamRequest.objects.filter(
        state=PlacementState.SUBMITTING, lease_until__lt=database_now()
    ).order_by("pk")[:PAGE]:
        with transaction.atomic():
            if _move(errand, PlacementState.IN_DOUBT, panel_error=words):
                customer_requests.hand_to_staff(_request(errand), why=words)


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
    """At most ``limit`` requests after ``after``, each with its errand committed."""
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
        return []  # another pass took one of them at the same moment; it takes the rest as well, or the next pass does


# ------------------------------------------------------------------------------------------------ call, record


def _send(
    provider: Provider, verb: str, errands: list[UpstreamRequest], tally: call_stats.Tally, *, send_by: Deadline
) -> Counter[str]:
    dialect = provider.dialect
    ids = [errand.placement.upstream_id for errand in errands]
    key = provider.key.reveal()
    call = dialect.call(verb, provider.url, key, auth=provider.auth, **dialect.request_params(verb, ids))
    outcome = conversation.exchange(call, send_by=send_by)
    results: dict[str, Any] = {}
    name, words = "accepted", notes.encode(Note.LEFT_OUT)
    failure: ProviderError | None = None
    try:
        if isinstance(outcome, ProviderError):
            raise outcome
        results = READERS[verb](outcome, dialect, ids)
    except (Refused, NotSent) as problem:
        name, results, failure = conversation.name_of(problem), dict.fromkeys(ids, problem), problem
    except ProviderError as unknown:
        name, words, failure = "in_doubt", unknown.message, unknown
    tally.add(verb, outcome, failure)
    alone = errands[0].placement if len(errands) == 1 else None
    conversation.record(provider, call, outcome, name=name, placement=alone)
    counts: Counter[str] = Counter()
    for errand, upstream_id in zip(errands, ids, strict=True):
        result = results.get(upstream_id) or ProviderError(words)
        if isinstance(result, ProviderError):
            result.message = client.redact(result.message, call.secrets)
        counts[f"{verb}_{_record(errand, result)}"] += 1
    return counts


def _record(errand: UpstreamRequest, result: str | CancelAccepted | ProviderError) -> str:
    """Stores what came of one errand and returns its name."""
    with transaction.atomic():
        if isinstance(result, Refused):
            return _refused(errand, result)
        if isinstance(result, NotSent):
            return _not_sent(errand, result)
        if isinstance(result, ProviderError):
            if _move(errand, PlacementState.IN_DOUBT, panel_error=result.message[:600]):
                customer_requests.hand_to_staff(
                    _request(errand), why=notes.encode(Note.NO_CLEAR_ANSWER, message=result.message)
                )
            return "in_doubt"
        return _taken(errand, result)


def _taken(errand: UpstreamRequest, result: str | CancelAccepted) -> str:
    facts: dict[str, Any] = {"provider": errand.placement.provider_id}
    if isinstance(result, str):
        facts["upstream_id"] = result
        moved = _move(
            errand, PlacementState.ACCEPTED, upstream_id=result, sync_at=timezone.now() + refill_sync.INTERVALS[0][1]
        )
    else:
        moved = _move(errand, PlacementState.ACCEPTED)
        if moved and result.refund is not None:
            _keep_refund(errand.placement_id, result.refund)
        _look_soon(errand.placement)
    if moved:
        customer_requests.mark_sent(_request(errand), **facts)
    return "accepted"


def _refused(errand: UpstreamRequest, problem: Refused) -> str:
    request, words = _request(errand), problem.message
    if not _move(errand, PlacementState.REFUSED, panel_error=words[:600], ended_at=timezone.now()):
        return "refused"
    if problem.reason == "early" or problem.reason in routing.PASSING:
        waits = EARLY if problem.reason == "early" else PASSING
        customer_requests.postpone(request, due_at=timezone.now() + waits, why=words)
    elif problem.reason == "final":
        with suppress(RequestClosed):  # the order has ended meanwhile, and that was the answer
            customer_requests.reject(request, reason=words)
    else:
        customer_requests.hand_to_staff(request, why=words)
    if errand.cancellation:
        _look_soon(errand.placement)
    return "refused"


def _not_sent(errand: UpstreamRequest, problem: NotSent) -> str:
    request = _request(errand)
    tries = UpstreamRequest.objects.filter(**{_name(type(request)): request.pk}, state=PlacementState.NOT_SENT).count()
    if _move(errand, PlacementState.NOT_SENT, panel_error=problem.message[:600], ended_at=timezone.now()):
        customer_requests.postpone(request, due_at=timezone.now() + BACK_OFF.delay(tries + 1), why=problem.message)
    return "not_sent"


def _move(errand: UpstreamRequest, state: PlacementState, **values: Any) -> bool:
    """Whether the errand still waited for its answer; after its lease it may yet learn that it was taken."""
    allowed = (
        (PlacementState.SUBMITTING, PlacementState.IN_DOUBT)
        if state is PlacementState.ACCEPTED
        else (PlacementState.SUBMITTING,)
    )
    return bool(UpstreamRequest.objects.filter(pk=errand.pk, state__in=allowed).update(state=state, **values))


def _keep_refund(placement_id: int, refund: Decimal) -> None:
    """Store what the panel says it gave back for a canceled order, and take it off what the order costs us.

    Some panels name it nowhere else. The customer's money moves only with the order's status.
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
    """What a cancellation did is seen in the order's status only: an old order would be looked at hours later."""
    soon = timezone.now() + timedelta(seconds=settings.SYNC_INTERVAL)
    Placement.objects.filter(pk=placement.pk, sync_at__gt=soon).update(sync_at=soon)
