"""What becomes of a paid order: the only writer of Order.status after checkout.

Every function locks the order's row, checks that the step is still right, writes, and adds to the timeline, in one
transaction. A step that is no longer right changes nothing, so that every caller may come twice or late.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from orders import ledger, lifecycle, money, pricing
from orders.lifecycle import Decision, Progress, Status
from orders.models import Order, OrderEvent
from orders.models.order import EventKind


def claimed(order_ids: Iterable[int]) -> None:
    """Queued orders that the caller has locked and is about to submit."""
    Order.objects.filter(pk__in=list(order_ids), status=Status.QUEUED).update(status=Status.SUBMITTING)


def accepted(order_id: int, **data: Any) -> Order:
    """A panel has the order."""
    return _step(order_id, (Status.SUBMITTING, Status.IN_DOUBT), Status.PENDING, EventKind.ACCEPTED, data)


def requeued(order_id: int, *, why: EventKind, due_at: datetime | None = None, **data: Any) -> Order:
    """It is proven that no panel has the order; it may be sent again from ``due_at`` on."""
    return _step(order_id, (Status.SUBMITTING, Status.IN_DOUBT), Status.QUEUED, why, data, due_at=due_at)


def doubted(order_id: int, **data: Any) -> Order:
    """Nobody knows whether a panel has the order: it stands still until that is found out."""
    return _step(order_id, (Status.SUBMITTING,), Status.IN_DOUBT, EventKind.IN_DOUBT, data)


def failed(order_id: int, *, why: EventKind = EventKind.REFUSED, **data: Any) -> Order:
    """No panel takes the order: it ends, and everything goes back to the wallet."""
    with transaction.atomic():
        order = _locked(order_id)
        if order.state not in (Status.QUEUED, Status.SUBMITTING, Status.IN_DOUBT):
            return order
        note(order, kind=why, **data)
        _end(order, Status.FAILED, remains=order.quantity, undelivered=order.quantity)
        return order


def canceled(order_id: int, *, actor: Any = None, **data: Any) -> Order:
    """A person ends the order; what is not yet paid back goes back to the wallet.

    Nothing changes where a panel may be buying it right now, or may have bought it: that is found out first.
    """
    with transaction.atomic():
        order = _locked(order_id)
        if order.state in (Status.CANCELED, Status.FAILED, Status.SUBMITTING, Status.IN_DOUBT):
            return order
        _end(order, Status.CANCELED, remains=order.quantity, undelivered=order.quantity, actor=actor, **data)
        return order


def progressed(order_id: int, *, progress: Progress) -> Decision:
    """Applies one report of the panel that has the order; returns what was decided."""
    with transaction.atomic():
        order = _locked(order_id)
        decision = decide(order, progress)
        if decision.oddity:
            note(order, kind=EventKind.ODDITY, oddity=decision.oddity, word=progress.word[:64])
        if decision.undelivered or (decision.status in lifecycle.TERMINAL and decision.status is not order.state):
            _end(
                order,
                decision.status,
                remains=decision.remains,
                undelivered=decision.undelivered or 0,
                start_count=decision.start_count,
            )
        else:
            moved = decision.status is not order.state
            order.status, order.remains, order.start_count = decision.status, decision.remains, decision.start_count
            order.save(update_fields=["status", "remains", "start_count"])
            if moved:
                note(order, kind=EventKind.STATUS, status=decision.status.value, start_count=decision.start_count)
        return decision


def decide(order: Order, progress: Progress) -> Decision:
    """What ``progress`` would change on ``order``; reads and writes nothing."""
    return lifecycle.decide(
        current=order.state,
        quantity=order.quantity,
        start_count=order.start_count,
        remains=order.remains,
        progress=progress,
    )


def changes(order: Order, decision: Decision) -> bool:
    """Whether ``decision`` is worth a transaction."""
    return bool(decision.oddity or decision.undelivered) or (
        (decision.status, decision.remains, decision.start_count) != (order.state, order.remains, order.start_count)
    )


def note(order: Order, *, kind: EventKind, actor: Any = None, **data: Any) -> None:
    """Adds a line to the order's timeline. An odd report that repeats the last line is not written again."""
    if kind is EventKind.ODDITY:
        last = OrderEvent.objects.filter(order=order).order_by("-id").first()
        if last and last.kind == kind and last.data == data:
            return
    OrderEvent.objects.create(order=order, kind=kind, data=data, actor=actor)


def _locked(order_id: int) -> Order:
    return Order.objects.select_for_update().get(pk=order_id)


def _step(
    order_id: int,
    allowed: tuple[Status, ...],
    status: Status,
    kind: EventKind,
    data: dict[str, Any],
    *,
    due_at: datetime | None = None,
) -> Order:
    with transaction.atomic():
        order = _locked(order_id)
        if order.state in allowed:
            order.status, order.due_at = status, due_at
            order.save(update_fields=["status", "due_at"])
            note(order, kind=kind, **data)
        return order


def _end(
    order: Order,
    status: Status,
    *,
    remains: int | None,
    undelivered: int,
    start_count: int | None = None,
    actor: Any = None,
    **data: Any,
) -> None:
    """Ends the (locked) order, or ends it otherwise than before, and pays back what was not delivered."""
    is_new = order.state is not status
    order.status, order.remains, order.ended_at = status, remains, order.ended_at or timezone.now()
    order.start_count = start_count if start_count is not None else order.start_count
    order.save(update_fields=["status", "remains", "start_count", "ended_at"])
    if is_new:
        note(order, kind=EventKind.STATUS, actor=actor, status=status.value, remains=remains, **data)
    target = pricing.refund(order.charge, quantity=order.quantity, remains=undelivered)
    added = ledger.refund(order, target=target)
    if added:
        note(order, kind=EventKind.REFUNDED, actor=actor, amount=money.plain(added), remains=undelivered)
