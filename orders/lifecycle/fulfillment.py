"""State changes of paid orders; the only module that writes Order.status after checkout.

Each function locks the order's row, checks that the step is still allowed, writes, and adds an event, in one
transaction. A step that is no longer allowed changes nothing, so that a repeated or late call is harmless.

An order whose runs we place ourselves has one Run row for each run. The argument ``run`` is the number of the run that
a step applies to (0: the whole order). The status of such an order is derived from its runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from orders import events
from orders.db import bulk
from orders.events import ShopEvent, Topic
from orders.ledger import transfers
from orders.models import Cancellation, Order, OrderEvent, Run
from orders.models.customer_request import RequestStatus
from orders.models.event_codes import EventDecision, EventStep, Oddity, RejectionReason
from orders.models.order import EventKind
from orders.rules import amounts, charges, dripfeed, state_machine
from orders.rules.state_machine import Decision, Progress, Status

#: Customers see each of these as waiting, so no event is published for a step between two of them.
_WAITING = (Status.QUEUED, Status.SUBMITTING, Status.PENDING)
#: Statuses that show that delivery has started.
_STARTED = (Status.IN_PROGRESS, Status.COMPLETED, Status.PARTIAL)


def mark_submitting(order_ids: Iterable[int]) -> None:
    """Mark queued orders as being submitted; the caller has locked them and is about to call the panel."""
    Order.objects.filter(pk__in=list(order_ids), status=Status.QUEUED).update(status=Status.SUBMITTING)


def split_into_runs(order: Order) -> None:
    """Create the runs of the (locked) order, each with its due time; do nothing if it is already split."""
    if not order.run_rows.exists():
        due = dripfeed.due_times(timezone.now(), runs=order.runs, interval=order.interval)
        each = order.quantity // order.runs
        Run.objects.bulk_create(
            [Run(order=order, number=number, quantity=each, due_at=at) for number, at in enumerate(due, start=1)]
        )


def mark_run_submitting(order: Order, number: int) -> None:
    """Mark the queued run ``number`` as being submitted; the caller has locked the order and will call the panel."""
    split_into_runs(order)
    order.run_rows.filter(number=number, status=Status.QUEUED).update(status=Status.SUBMITTING)
    _follow_runs(order)


def accept(order_id: int, *, run: int = 0, **data: Any) -> Order:
    """Mark an order, or one run of it, as accepted by a panel."""
    return _step(order_id, run, (Status.SUBMITTING, Status.IN_DOUBT), Status.PENDING, EventKind.ACCEPTED, data)


def accept_many(upstream_ids: Mapping[int, str], *, provider: int) -> int:
    """Mark many whole orders as accepted by a panel, as ``accept`` does for one, in a few statements for all of them.

    Call it in a transaction and roll back unless every order changed: an order that is no longer being submitted must
    go through ``accept``, which decides what to do with it.

    Args:
        upstream_ids: The provider order ID by order id.
        provider: The id of the provider.

    Returns:
        The number of orders that changed.
    """
    waiting = Order.objects.filter(pk__in=list(upstream_ids), status=Status.SUBMITTING)
    # Customers see submitting and pending as the same state, so no event is published.
    moved = waiting.update(status=Status.PENDING, due_at=None)
    now = timezone.now()
    events = [
        (pk, EventKind.ACCEPTED.value, {"provider": provider, "upstream_id": upstream_id}, now)
        for pk, upstream_id in upstream_ids.items()
    ]
    bulk.insert(OrderEvent, ("order", "kind", "data", "created_at"), events)
    return moved


def requeue(order_id: int, *, why: EventKind, run: int = 0, due_at: datetime | None = None, **data: Any) -> Order:
    """Return an order to the queue once it is proven that no panel has it; it may be sent again from ``due_at`` on.

    If the customer has requested a cancellation in the meantime, the order is canceled and refunded in full instead.
    """
    with transaction.atomic():
        order = _step(order_id, run, (Status.SUBMITTING, Status.IN_DOUBT), Status.QUEUED, why, data, due_at=due_at)
        if run:
            if not order.is_open or _is_stopped(order):
                _cancel_waiting(order)
            return order
        asked = Cancellation.objects.open().filter(order=order).first() if order.state is Status.QUEUED else None
        return cancel(order_id, actor=asked.actor) if asked else order


def mark_in_doubt(order_id: int, *, run: int = 0, **data: Any) -> Order:
    """Mark an order as having an unknown outcome; it is not sent again until the outcome is known."""
    return _step(order_id, run, (Status.SUBMITTING,), Status.IN_DOUBT, EventKind.IN_DOUBT, data)


def fail(order_id: int, *, run: int = 0, why: EventKind = EventKind.REFUSED, **data: Any) -> Order:
    """End an order, or a run, that no panel accepts, and refund its whole charge to the wallet."""
    with transaction.atomic():
        order = _lock_order(order_id)
        subject = _subject(order, run)
        if subject.state not in (Status.QUEUED, Status.SUBMITTING, Status.IN_DOUBT):
            return order
        if isinstance(subject, Run):
            subject.status, subject.remains, subject.ended_at = Status.FAILED, subject.quantity, timezone.now()
            subject.save(update_fields=["status", "remains", "ended_at"])
            add_event(order, kind=EventKind.RUN, run=run, step=why.value, status=Status.FAILED.value, **data)
            _follow_runs(order)
            return order
        add_event(order, kind=why, **data)
        _finish(order, Status.FAILED, remains=order.quantity, undelivered=order.quantity)
        return order


def cancel(order_id: int, *, actor: Any = None, **data: Any) -> Order:
    """Cancel the order on a person's decision and refund what has not been refunded yet.

    An order that is being submitted, or whose outcome is unknown, is left unchanged: a panel may have bought it, and
    that must be known first.
    """
    with transaction.atomic():
        order = _lock_order(order_id)
        if order.state in (Status.CANCELED, Status.FAILED, Status.SUBMITTING, Status.IN_DOUBT):
            return order
        _finish(order, Status.CANCELED, remains=order.quantity, undelivered=order.quantity, actor=actor, **data)
        if order.runs > 1:
            _cancel_waiting(order)
        return order


def stop_runs(order_id: int, *, actor: Any = None) -> Order:
    """Cancel the runs of an order that have not started, and refund them at once.

    Runs that have started continue at their panel; what they do not deliver is refunded when the panel reports it. Does
    nothing for orders without Run rows and on a second call.
    """
    with transaction.atomic():
        order = _lock_order(order_id)
        if order.is_open and order.run_rows.exists() and not _is_stopped(order):
            add_event(order, kind=EventKind.RUN, actor=actor, step=EventStep.STOPPED)
            _cancel_waiting(order)
        return order


def start_by_hand(order_id: int, *, actor: Any = None) -> Order:
    """Mark a queued order as processing: a person or the operator's own program has started to deliver it."""
    facts = {"status": Status.PROCESSING.value, "actor": actor}
    return _step(order_id, 0, (Status.QUEUED,), Status.PROCESSING, EventKind.STATUS, facts)


def apply_progress(order_id: int, *, progress: Progress, run: int = 0, actor: Any = None) -> Decision:
    """Apply one progress report to the order, or to one ``run`` of it, and return the decision.

    Args:
        progress: The report of the panel, or of ``actor`` for an order that is delivered by hand.
    """
    with transaction.atomic():
        order = _lock_order(order_id)
        if run:
            return _apply_run_progress(order, _subject(order, run), progress)
        decision = decide(order, progress)
        if decision.oddity:
            add_event(
                order, kind=EventKind.ODDITY, oddity=decision.oddity.value, panel_status=progress.panel_status[:64]
            )
        if decision.undelivered or (decision.status in state_machine.TERMINAL and decision.status is not order.state):
            _finish(
                order,
                decision.status,
                remains=decision.remains,
                undelivered=decision.undelivered or 0,
                start_count=decision.start_count,
                actor=actor,
            )
            if order.runs > 1:
                _cancel_waiting(order)
        else:
            before = order.state
            order.status, order.remains, order.start_count = decision.status, decision.remains, decision.start_count
            order.started_at = order.started_at or _started_at(decision.status)
            order.save(update_fields=["status", "remains", "start_count", "started_at"])
            if decision.status is not before:
                facts = {"status": decision.status.value, "start_count": decision.start_count}
                add_event(order, kind=EventKind.STATUS, actor=actor, **facts)
            _publish(order, before=before)
        return decision


class Step(NamedTuple):
    """The change that a report makes to one order with a single placement.

    ``status``, ``remains`` and ``start_count`` are the values that the order had when ``decision`` was made.
    """

    order_id: int
    user_id: int
    status: Status
    remains: int | None
    start_count: int | None
    decision: Decision


def is_simple(status: Status, decision: Decision) -> bool:
    """Return whether ``advance_orders`` can apply ``decision``: it moves no money and needs no operator."""
    if decision.oddity or decision.undelivered is not None or status not in state_machine.FOLLOWED:
        return False
    return decision.status in state_machine.FOLLOWED or decision.status is Status.COMPLETED


def advance_orders(steps: Sequence[Step]) -> set[int]:
    """Apply simple steps of many orders, each at most once, in one transaction and a few statements for all of them.

    Returns:
        The ids of the orders that were changed. The others were changed by another process since they were read:
        nothing was written for them, and their reports must be applied again with ``apply_progress``.
    """
    now = timezone.now()
    rows = []
    for step in steps:
        status = step.decision.status
        started_at = now if status in _STARTED else None
        ended_at = now if status in state_machine.TERMINAL else None
        new = (status.value, step.decision.remains, step.decision.start_count, started_at, ended_at)
        rows.append((step.order_id, *new, step.status.value, step.remains, step.start_count))
    with transaction.atomic():
        written = bulk.update_unchanged(
            Order,
            ("status", "remains", "start_count", "started_at", "ended_at"),
            rows,
            expected=("status", "remains", "start_count"),
            fill=("started_at", "ended_at"),
        )
        done = [step for step in steps if step.order_id in written]
        answered = _reject_cancellations(
            [step.order_id for step in done if step.decision.status in state_machine.TERMINAL]
        )
        new_events, messages = [], []
        for step in done:
            status = step.decision.status
            if status is not step.status:
                facts = _status_facts(step.decision, is_asked=step.order_id in answered)
                new_events.append((step.order_id, EventKind.STATUS.value, facts, now))
            if _is_visible(step.status, status):
                data = {"status": status.value}
                messages.append(ShopEvent(topic=Topic.ORDER, user_id=step.user_id, order_id=step.order_id, data=data))
        bulk.insert(OrderEvent, ("order", "kind", "data", "created_at"), new_events)
        events.publish(messages)
    return written


def _status_facts(decision: Decision, *, is_asked: bool) -> dict[str, Any]:
    """Return the data of the event for a new status; ``is_asked`` says whether a cancellation had been requested."""
    if decision.status not in state_machine.TERMINAL:
        return {"status": decision.status.value, "start_count": decision.start_count}
    asked = {"asked": False} if is_asked else {}
    return {"status": decision.status.value, "remains": decision.remains, **asked}


def record_oddity(order_id: int, oddity: Oddity, **data: Any) -> None:
    """Record a report of a panel that changes nothing but that an operator should look at."""
    add_event(Order(pk=order_id), kind=EventKind.ODDITY, oddity=oddity, **data)


def decide(order: Order | Run, progress: Progress) -> Decision:
    """Return what ``progress`` would change on ``order``, without any query."""
    return state_machine.decide(
        current=order.state,
        quantity=order.quantity,
        start_count=order.start_count,
        remains=order.remains,
        progress=progress,
    )


def changes(order: Order, decision: Decision) -> bool:
    """Return whether ``decision`` changes anything, and therefore needs a transaction."""
    return bool(decision.oddity or decision.undelivered) or (
        (decision.status, decision.remains, decision.start_count) != (order.state, order.remains, order.start_count)
    )


def add_event(order: Order, *, kind: EventKind, actor: Any = None, **data: Any) -> None:
    """Add an event to the order's timeline.

    An oddity is written once, however often the panel repeats it, and flags the order until an operator has seen it.
    """
    if kind is EventKind.ODDITY:
        earlier = OrderEvent.objects.filter(order=order, kind=kind).values_list("data", flat=True)
        if data in list(earlier):
            return
        Order.objects.filter(pk=order.pk, odd_at=None).update(odd_at=timezone.now())
    OrderEvent.objects.create(order=order, kind=kind, data=data, actor=actor)


def mark_seen(order_id: int, *, actor: Any = None) -> Order:
    """Clear the oddity flag of an order that an operator has looked at; do nothing if it has none."""
    with transaction.atomic():
        order = _lock_order(order_id)
        if order.odd_at is not None:
            order.odd_at = None
            order.save(update_fields=["odd_at"])
            add_event(order, kind=EventKind.NOTE, actor=actor, decision=EventDecision.REPORT_SEEN)
        return order


def _is_visible(before: Status, after: Status) -> bool:
    """Return whether the customer sees a difference between the two statuses."""
    return after is not before and not (before in _WAITING and after in _WAITING)


def _publish(order: Order, *, before: Status, is_paid_back: bool = False) -> None:
    """Publish an event of the (locked, saved) order if its customer sees a new status or received a refund."""
    if is_paid_back or _is_visible(before, order.state):
        data = {"status": order.state.value}
        events.publish([ShopEvent(topic=Topic.ORDER, user_id=order.user_id, order_id=order.pk, data=data)])


def _started_at(status: Status) -> datetime | None:
    """Return the current time if ``status`` shows that delivery has started, otherwise None."""
    return timezone.now() if status in _STARTED else None


def _lock_order(order_id: int) -> Order:
    return Order.objects.select_for_update().get(pk=order_id)


def _subject(order: Order, run: int) -> Order | Run:
    """Return the (locked) order or one of its runs; the lock on the order also protects its runs."""
    return order.run_rows.get(number=run) if run else order


def _step(
    order_id: int,
    run: int,
    allowed: tuple[Status, ...],
    status: Status,
    kind: EventKind,
    data: dict[str, Any],
    *,
    due_at: datetime | None = None,
) -> Order:
    with transaction.atomic():
        order = _lock_order(order_id)
        subject = _subject(order, run)
        if subject.state in allowed:
            before, subject.status = subject.state, status
            if isinstance(subject, Run):
                subject.due_at = due_at or subject.due_at
                add_event(order, kind=EventKind.RUN, run=run, step=kind.value, **data)
            else:
                subject.due_at = due_at
                add_event(order, kind=kind, **data)
            subject.save(update_fields=["status", "due_at"])
            if run:
                _follow_runs(order)
            else:
                _publish(order, before=before)
        return order


def _finish(
    order: Order,
    status: Status,
    *,
    remains: int | None,
    undelivered: int,
    start_count: int | None = None,
    actor: Any = None,
    **data: Any,
) -> None:
    """End the (locked) order, or change how it ended, and refund what was not delivered."""
    before = order.state
    order.status, order.remains, order.ended_at = status, remains, order.ended_at or timezone.now()
    order.start_count = start_count if start_count is not None else order.start_count
    order.started_at = order.started_at or _started_at(status)
    order.save(update_fields=["status", "remains", "start_count", "started_at", "ended_at"])
    if status is not before:
        data |= _answer_cancellations(order)
        add_event(order, kind=EventKind.STATUS, actor=actor, status=status.value, remains=remains, **data)
    is_paid_back = _refund(order, undelivered, actor=actor)
    _publish(order, before=before, is_paid_back=is_paid_back)


def _refund(order: Order, undelivered: int, *, actor: Any = None) -> bool:
    """Refund what is still owed for ``undelivered`` pieces in total, and return whether any money moved."""
    target = charges.refund(order.charge, quantity=order.quantity, remains=undelivered)
    added = transfers.refund(order, target=target)
    if added:
        add_event(order, kind=EventKind.REFUNDED, actor=actor, amount=amounts.plain(added), remains=undelivered)
    return bool(added)


def _answer_cancellations(order: Order) -> dict[str, bool]:
    """Close the open cancellation of the (locked) order that has ended.

    It is completed, or rejected if the order was delivered in full.

    Returns:
        Data for the status event: whether the cancellation was carried out. Empty if none was open.
    """
    is_done = order.state is not Status.COMPLETED
    answer = RequestStatus.COMPLETED if is_done else RequestStatus.REJECTED
    reason = "" if is_done else RejectionReason.DELIVERED
    asked = Cancellation.objects.open().filter(order=order)
    if not asked.update(status=answer, needs_operator=False, reason=reason, ended_at=order.ended_at):
        return {}
    if not is_done:
        add_event(order, kind=EventKind.CANCELLATION, step=EventStep.REJECTED, why=RejectionReason.DELIVERED)
    return {"asked": is_done}


def _reject_cancellations(order_ids: Sequence[int]) -> set[int]:
    """Reject the open cancellations of (locked) orders that were delivered in full, and return those orders' ids."""
    if not order_ids:
        return set()
    asked = list(Cancellation.objects.open().filter(order__in=bulk.keys(order_ids)).values_list("order_id", flat=True))
    if asked:
        answer = {"status": RequestStatus.REJECTED, "reason": RejectionReason.DELIVERED, "needs_operator": False}
        Cancellation.objects.open().filter(order__in=asked).update(**answer, ended_at=timezone.now())
        facts = {"step": EventStep.REJECTED, "why": RejectionReason.DELIVERED}
        OrderEvent.objects.bulk_create(
            [OrderEvent(order_id=order_id, kind=EventKind.CANCELLATION, data=facts) for order_id in asked]
        )
    return set(asked)


# ------------------------------------------------------------------------------------------------ runs


def _apply_run_progress(order: Order, run: Order | Run, progress: Progress) -> Decision:
    """Apply a report about one run of the (locked) order."""
    decision = decide(run, progress)
    if decision.oddity:
        add_event(order, kind=EventKind.ODDITY, oddity=decision.oddity.value, panel_status=progress.panel_status[:64])
    is_over = decision.status in state_machine.TERMINAL
    run.status, run.remains, run.start_count = decision.status, decision.remains, decision.start_count
    run.ended_at = run.ended_at or (timezone.now() if is_over else None)
    run.save(update_fields=["status", "remains", "start_count", "ended_at"])
    _follow_runs(order)
    return decision


def _follow_runs(order: Order) -> None:
    """Derive the status of the (locked) order from its runs, and refund what the ended runs did not deliver.

    An order that has ended changes only if more of it turns out to be undelivered. An order that a person canceled as a
    whole stays canceled.
    """
    parts = [
        dripfeed.RunState(Status(status), quantity, remains, start_count)
        for status, quantity, remains, start_count in order.run_rows.order_by("number").values_list(
            "status", "quantity", "remains", "start_count"
        )
    ]
    found = dripfeed.order_state(parts)
    if found.status in state_machine.TERMINAL:
        if order.is_open or found.undelivered > (order.remains or 0):
            _finish(
                order,
                found.status,
                remains=found.remains,
                undelivered=found.undelivered,
                start_count=found.start_count,
            )
    else:
        before = order.state
        if order.is_open:
            _move_with_runs(order, found)
        is_paid_back = _refund(order, found.undelivered)
        _publish(order, before=before, is_paid_back=is_paid_back)


def _move_with_runs(order: Order, found: dripfeed.OrderState) -> None:
    moved = found.status is not order.state
    order.status, order.remains, order.start_count = found.status, found.remains, found.start_count
    order.started_at = order.started_at or _started_at(found.status)
    order.save(update_fields=["status", "remains", "start_count", "started_at"])
    if moved and found.status is Status.PENDING:
        add_event(order, kind=EventKind.ACCEPTED)
    elif moved and found.status in state_machine.FOLLOWED:
        add_event(order, kind=EventKind.STATUS, status=found.status.value, start_count=found.start_count)


def _cancel_waiting(order: Order) -> None:
    """Cancel the queued runs of the (locked) order, so that none of them is placed."""
    waiting = order.run_rows.filter(status=Status.QUEUED)
    if waiting.update(status=Status.CANCELED, remains=F("quantity"), ended_at=timezone.now()):
        _follow_runs(order)


def _is_stopped(order: Order) -> bool:
    return OrderEvent.objects.filter(order=order, kind=EventKind.RUN, data__step=EventStep.STOPPED).exists()
