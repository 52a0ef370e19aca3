"""Claiming of orders: Placement rows are committed before the first byte of their request is sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from hashlib import blake2b

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from orders.lifecycle import fulfillment
from orders.models import Order, Run
from orders.rules.state_machine import Status
from providers.errors import ProviderError, Unsupported
from providers.http import policy
from providers.http.messages import Call
from providers.models import Placement, PlacementState, Provider
from providers.panels.dialect import OrderToSend
from providers.placing.queue import Candidate
from providers.worker.clock import Deadline
from providers.worker.leases import Lease
from providers.worker.turns import HeldTurn


class TurnLost(Exception):
    """Another process took the turn while this one was stopped, so this one must not claim anything more."""


@dataclass(slots=True)
class PlacementAttempt:
    """A claimed placement and its request, or the ``problem`` if no request can be built."""

    placement: Placement
    send_by: Deadline
    call: Call | None = None
    problem: ProviderError | None = None


class PlacementClaim:
    """One transaction that claims ``candidates`` for ``provider``, all under one lease."""

    def __init__(
        self, provider: Provider, candidates: Sequence[Candidate], *, is_now: bool, turn: HeldTurn | None = None
    ) -> None:
        self._provider, self._candidates, self._is_now, self._turn = provider, candidates, is_now, turn
        self._lease = Lease.begin(longest_call=policy.limits("add").total)

    def commit(self) -> list[PlacementAttempt]:
        """Claim the candidates that still wait.

        Raises:
            TurnLost: another process has taken the turn; nothing was claimed.
        """
        try:
            with transaction.atomic():
                placements = self._insert(self._candidates)
        except IntegrityError:  # another process claimed one of them at the same time
            placements = [row for candidate in self._candidates for row in self._insert_alone(candidate)]
        return self._attempts(placements)

    def find_committed(self) -> list[PlacementAttempt]:
        """Return what ``commit`` claimed if its connection broke before it could return.

        Nothing of it was sent, and after ``send_by`` nothing will be: these attempts then end as not sent.
        """
        rows = Placement.objects.filter(
            provider=self._provider,
            lease_until=self._lease.until,
            order__in=[candidate.order_id for candidate in self._candidates],
            state=PlacementState.SUBMITTING,
        )
        return self._attempts(rows.select_related("order", "offer").order_by("pk"))

    def _insert_alone(self, candidate: Candidate) -> list[Placement]:
        try:
            with transaction.atomic():
                return self._insert([candidate])
        except IntegrityError:
            return []

    def _insert(self, candidates: Sequence[Candidate]) -> list[Placement]:
        if self._turn is not None and not self._turn.keep():
            raise TurnLost
        skips = connection.features.has_select_for_update_skip_locked
        ids = [candidate.order_id for candidate in candidates]
        locked = Order.objects.select_for_update(skip_locked=skips).filter(pk__in=ids, ended_at=None).order_by("pk")
        orders = {order.pk: order for order in locked}
        runs = _Runs(orders.values())
        placements = [
            self._placement(orders[candidate.order_id], candidate)
            for candidate in candidates
            if candidate.order_id in orders and self._still_waits(orders[candidate.order_id], candidate, runs)
        ]
        Placement.objects.bulk_create(placements)
        fulfillment.mark_submitting(placement.order_id for placement in placements if not placement.run)
        for placement in placements:
            if placement.run:
                fulfillment.mark_run_submitting(placement.order, placement.run)
        return placements

    def _still_waits(self, order: Order, candidate: Candidate, runs: _Runs) -> bool:
        """Return whether ``order`` still waits, now that it is locked; it was chosen earlier, without a lock."""
        if order.pk in runs.split:
            return (order.pk, candidate.run) in runs.waiting
        now = timezone.now()
        is_due = self._is_now or order.due_at is None or order.due_at <= now
        return order.state is Status.QUEUED and is_due and (order.starts_at is None or order.starts_at <= now)

    def _placement(self, order: Order, candidate: Candidate) -> Placement:
        return Placement(
            order=order,
            run=candidate.run,
            provider=self._provider,
            offer=candidate.offer,
            quantity=candidate.quantity,
            cost=candidate.cost,
            currency=self._provider.currency,
            exchange_rate=self._provider.exchange_rate,
            lease_until=self._lease.until,
        )

    def _attempts(self, placements: Iterable[Placement]) -> list[PlacementAttempt]:
        key = self._provider.key.reveal()
        return [self._attempt(placement, key) for placement in placements]

    def _attempt(self, placement: Placement, key: str) -> PlacementAttempt:
        attempt = PlacementAttempt(placement, self._lease.send_by)
        try:
            attempt.call = build_call(self._provider, placement, key)
        except Unsupported as problem:
            attempt.problem = problem
        return attempt


def build_call(provider: Provider, placement: Placement, key: str) -> Call:
    """Return the request that places ``placement``.

    Raises:
        Unsupported: the dialect cannot express what the order needs.
    """
    order, offer = placement.order, placement.offer
    passed_on = 1 if placement.run else order.runs
    wanted = OrderToSend(
        upstream_id=offer.upstream_id,
        service_type=offer.service_type,
        link=order.link,
        quantity=placement.quantity // passed_on,
        fields=order.fields,
        runs=passed_on,
        interval=order.interval,
        request_id=_request_id(placement) if provider.has_request_ids else "",
    )
    dialect = provider.dialect
    return dialect.call("add", provider.url, key, auth=provider.auth, **dialect.add_params(wanted))


class _Runs:
    """The ``orders`` that are split into runs, and the runs, as (order, number), that are to be placed now."""

    def __init__(self, orders: Iterable[Order]) -> None:
        self.split: set[int] = set()
        self.waiting: set[tuple[int, int]] = set()
        in_runs = [order.pk for order in orders if order.runs > 1]
        if not in_runs:
            return
        now = timezone.now()
        columns = ("order_id", "number", "status", "due_at", "ended_at")
        for order_id, number, status, due_at, ended_at in Run.objects.filter(order__in=in_runs).values_list(*columns):
            self.split.add(order_id)
            if status == Status.QUEUED and ended_at is None and due_at <= now:
                self.waiting.add((order_id, number))


def _request_id(placement: Placement) -> str:
    """Return the request id of this attempt, always the same one.

    It differs from those of a shop that was restored from an older copy of the database. It is a hash, so that it does
    not reveal how many orders we have.
    """
    identity = f"{placement.pk} {placement.created_at.astimezone(UTC).isoformat()}"
    return blake2b(identity.encode(), digest_size=16).hexdigest()
