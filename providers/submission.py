"""Placing orders: claim, call, record.

    claim   one transaction: lock queued orders, insert their Placement rows, commit. Only then a byte may be sent.
    call    from a bounded pool of threads that do HTTP and nothing else.
    record  each answer in a transaction of its own: accepted, refused, not sent, or in doubt.

An order is sent again only after a proven refusal or a proven non-send. A claim whose answer never came is in doubt.
"""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from orders import fulfilment
from orders.models import Order
from orders.models.order import EventKind
from providers import calling, client, doubt, evidence, fences, health, pausing, policy, routing
from providers.dialect import Answer, Call, Wanted
from providers.errors import NotSent, OutcomeUnknown, PanelError, Refused, Unsupported
from providers.models import Placement, Provider, State
from providers.pace import Pace
from providers.panels.placing import read_add

#: Seconds in which one pass claims; with the time limit of a call it ends within the task's time limit.
BUDGET = 20.0
#: Seconds after the longest call until a claim without an answer counts as in doubt.
GRACE = 30.0
PARK_DUPLICATE = timedelta(minutes=10)
#: Orders that one claim looks at, at least: those that are held back must not take a transaction each.
PAGE = 50


class _Settled(PanelError):
    """The answer came when its attempt was settled already, by its lease or by a person."""


@dataclass(slots=True)
class _Sent:
    placement: Placement
    call: Call | None
    problem: PanelError | None = None


def submit_due(provider: Provider, *, is_now: bool = False, budget: float = BUDGET) -> Counter[str]:
    """Places what waits for ``provider`` and returns how many were accepted, refused, not_sent, in_doubt.

    One pass at a time for each provider, so that its limit of parallel calls holds; a second one returns at once.
    """
    calling.outside_transaction()
    counts: Counter[str] = Counter()
    if not pausing.take_turn(provider, seconds=budget + policy.limits("add").total + GRACE):
        return counts
    pool = ThreadPoolExecutor(settings.SUBMIT_PARALLEL, thread_name_prefix="submit")
    flying: dict[Future[Answer | PanelError], _Sent] = {}
    tally, pace = health.Tally(), Pace(provider)
    began, claims_end = timezone.now(), time.monotonic() + budget
    try:
        while True:
            if not flying:
                pace.sleep()
            if time.monotonic() < claims_end and (limit := _room(provider, len(flying), pace)):
                for sent in _claim(provider, limit=limit, is_now=is_now, began=began):
                    pace.count()
                    if sent.call is None:
                        counts[_record(provider, sent, sent.problem or Unsupported())] += 1
                    else:
                        flying[pool.submit(calling.exchange, sent.call)] = sent
            if not flying:
                return counts
            for future in wait(flying, pace.wait() or None, return_when=FIRST_COMPLETED).done:
                sent, outcome = flying.pop(future), future.result()
                counts[name := _record(provider, sent, outcome)] += 1
                tally.count("add", outcome, is_failure=name in ("not_sent", "in_doubt"))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        pausing.end_turn(provider)
        tally.write(provider)


def _room(provider: Provider, flying: int, pace: Pace) -> int:
    """How many orders to claim now. A few at a time are not worth a transaction, unless the pace wants them singly."""
    width = fences.width(provider)
    free = width - flying
    if pace.is_limited:
        return 1 if free > 0 and not pace.wait() else 0
    return free if free * 4 >= width else 0


def expire_leases() -> int:
    """Claims whose answer never came (a worker was killed): nobody knows whether they were sent. Returns how many."""
    overdue = Placement.objects.filter(state=State.SUBMITTING, ended_at=None, lease_until__lt=timezone.now())
    found = 0
    died = OutcomeUnknown("the worker ended before the answer came")
    for placement in overdue.select_related("provider").order_by("pk")[:1000]:
        with transaction.atomic():
            taken = Placement.objects.filter(pk=placement.pk, state=State.SUBMITTING).update(
                state=State.IN_DOUBT, **doubt.opening(placement.provider, died)
            )
            if taken:
                fulfilment.doubted(
                    placement.order_id,
                    run=placement.run,
                    provider=placement.provider_id,
                    why="no answer was recorded",
                )
                found += 1
    return found


# ------------------------------------------------------------------------------------------------ claim


def _claim(provider: Provider, *, limit: int, is_now: bool, began: datetime | None = None) -> list[_Sent]:
    """Up to ``limit`` orders, ready to be sent. ``is_now`` goes past waiting times, but not twice since ``began``."""
    provider.refresh_from_db()
    if not provider.is_active or (provider.is_paused and not is_now):
        return []
    skips = connection.features.has_select_for_update_skip_locked
    placements: list[Placement] = []
    in_vain = Placement.objects.filter(
        Q(state=State.NOT_SENT) | Q(reason__in=routing.PASSING),
        order_id=OuterRef("pk"),
        created_at__gte=began or timezone.now(),
    )
    for look in (routing.waiting_runs, routing.waiting):
        after = 0
        while len(placements) < limit:
            with transaction.atomic():
                waiting = look(provider, is_now=is_now).filter(~Exists(in_vain), pk__gt=after)
                orders = list(waiting.select_for_update(skip_locked=skips)[: max(limit * 2, PAGE)])
                mine = _placements(provider, orders, limit - len(placements), is_now=is_now)
                placements += Placement.objects.bulk_create(mine)
                _claimed(mine)
            if not orders:
                break
            after = orders[-1].pk
    key = provider.key.reveal()
    return [_prepare(provider, key, placement) for placement in placements]


def _claimed(placements: list[Placement]) -> None:
    fulfilment.claimed(placement.order_id for placement in placements if not placement.run)
    for placement in placements:
        if placement.run:
            fulfilment.run_claimed(placement.order, placement.run)


def _placements(provider: Provider, orders: list[Order], limit: int, *, is_now: bool) -> list[Placement]:
    lease = timezone.now() + timedelta(seconds=policy.limits("add").total + GRACE)
    runs = routing.next_runs(orders)
    chosen = routing.choose(orders, is_now=is_now, runs=runs)
    mine = [order for order in orders if order.pk in chosen and chosen[order.pk].provider_id == provider.pk]
    found = []
    for order in mine[:limit]:
        offer = chosen[order.pk]
        run, quantity = routing.part(order, offer, runs.get(order.pk))
        found.append(
            Placement(
                order=order,
                run=run,
                provider=provider,
                offer=offer,
                quantity=quantity,
                cost=offer.cost_of(quantity),
                currency=provider.currency,
                exchange_rate=provider.exchange_rate,
                lease_until=lease,
            )
        )
    return found


def _prepare(provider: Provider, key: str, placement: Placement) -> _Sent:
    order, offer = placement.order, placement.offer
    passed_on = 1 if placement.run else order.runs
    wanted = Wanted(
        upstream_id=offer.upstream_id,
        kind=offer.kind,
        link=order.link,
        quantity=placement.quantity // passed_on,
        fields=order.fields,
        runs=passed_on,
        interval=order.interval,
        request_id=_request_id(placement) if provider.has_request_ids else "",
    )
    dialect = provider.language
    try:
        return _Sent(
            placement, dialect.call("add", provider.url, key, auth=provider.auth, **dialect.add_params(wanted))
        )
    except Unsupported as problem:
        return _Sent(placement, None, problem)


def _request_id(placement: Placement) -> str:
    """What tells this attempt from every other one, of this shop and of one made from an older copy of its database.

    The same whenever it is asked for, and it says nothing about how much we sell.
    """
    told = f"{placement.pk} {placement.created_at.astimezone(UTC).isoformat()}"
    return blake2b(told.encode(), digest_size=16).hexdigest()


# ------------------------------------------------------------------------------------------------ record


def _record(provider: Provider, sent: _Sent, outcome: Answer | PanelError) -> str:
    """Stores one outcome and returns its name."""
    problem: PanelError
    secrets = sent.call.secrets if sent.call else ()
    try:
        if isinstance(outcome, PanelError):
            raise outcome
        upstream_id = read_add(outcome, provider.language)
        return _accepted(provider, sent, outcome, upstream_id)
    except _Settled:
        return _too_late(provider, sent, outcome)
    except (Refused, Unsupported) as refusal:
        problem, name, store = refusal, "refused", _refused
    except NotSent as unsent:
        problem, name, store = unsent, "not_sent", _not_sent
    except PanelError as unknown:
        problem, name, store = unknown, "in_doubt", _in_doubt
        if isinstance(unknown, OutcomeUnknown):
            unknown.said = client.redact(unknown.said, secrets)
            if doubt.is_taught(provider, unknown.said):
                problem, name, store = Refused(unknown.said), "refused", _refused
    problem.words = client.redact(problem.words, secrets)
    try:
        with transaction.atomic():
            store(provider, sent.placement, problem)
            if sent.call:
                calling.record(provider, sent.call, outcome, name=name, placement=sent.placement)
    except _Settled:
        return _too_late(provider, sent, outcome)
    pausing.after(provider, problem, outcome)
    return name


def _accepted(provider: Provider, sent: _Sent, answer: Answer, upstream_id: str) -> str:
    placement = sent.placement
    try:
        with transaction.atomic():
            _move(
                placement,
                State.ACCEPTED,
                upstream_id=upstream_id,
                answered_at=timezone.now(),
                probe_at=None,
                sync_at=timezone.now() + timedelta(seconds=settings.SYNC_INTERVAL),
            )
            fulfilment.accepted(placement.order_id, run=placement.run, provider=provider.pk, upstream_id=upstream_id)
            if sent.call:
                calling.record(provider, sent.call, answer, name="accepted", placement=placement)
    except IntegrityError:
        raise doubt.held(placement, upstream_id) from None
    pausing.after(provider, None, answer)
    return "accepted"


def _too_late(provider: Provider, sent: _Sent, outcome: Answer | PanelError) -> str:
    """The attempt counts as in doubt, or is decided, since its lease ran out: a yes that comes now is a find."""
    if sent.call:
        calling.record(provider, sent.call, outcome, name="late", placement=sent.placement)
    try:
        upstream_id = read_add(outcome, provider.language) if isinstance(outcome, Answer) else ""
    except PanelError:
        upstream_id = ""
    if upstream_id:
        doubt.found_late(sent.placement, upstream_id=upstream_id, charge=None)
    return "late"


def _refused(provider: Provider, placement: Placement, problem: PanelError) -> None:
    reason = problem.reason if isinstance(problem, Refused) else "request"
    _move(placement, State.REFUSED, words=problem.words[:600], reason=reason, ended_at=timezone.now())
    if isinstance(problem, Refused):
        evidence.refused_later(placement, problem)
    facts: dict[str, Any] = {
        "run": placement.run,
        "provider": provider.pk,
        "words": problem.words,
        "reason": reason,
    }
    if reason in routing.PASSING or not routing.is_exhausted(placement.order, placement.run):
        due_at = timezone.now() + PARK_DUPLICATE if reason == "duplicate" else None
        fulfilment.requeued(placement.order_id, why=EventKind.REFUSED, due_at=due_at, **facts)
    else:
        fulfilment.failed(placement.order_id, **facts)


def _not_sent(provider: Provider, placement: Placement, problem: PanelError) -> None:
    tries = Placement.objects.filter(order_id=placement.order_id, run=placement.run, state=State.NOT_SENT).count()
    _move(placement, State.NOT_SENT, words=problem.words[:600], ended_at=timezone.now())
    fulfilment.requeued(
        placement.order_id,
        run=placement.run,
        why=EventKind.NOT_SENT,
        due_at=timezone.now() + pausing.back_off(tries),
        provider=provider.pk,
        words=problem.words,
    )


def _in_doubt(provider: Provider, placement: Placement, problem: PanelError) -> None:
    _move(placement, State.IN_DOUBT, **doubt.opening(provider, problem))
    fulfilment.doubted(placement.order_id, run=placement.run, provider=provider.pk, words=problem.words)


def _move(placement: Placement, state: State, **values: object) -> None:
    """Moves a placement that waits for its answer; after its lease a clear answer still counts. Raises _Settled."""
    allowed = Q(state=State.SUBMITTING)
    if state is not State.IN_DOUBT:
        allowed |= Q(state=State.IN_DOUBT)
    if not Placement.objects.filter(allowed, pk=placement.pk).update(state=state, **values):
        raise _Settled
    placement.state = state
