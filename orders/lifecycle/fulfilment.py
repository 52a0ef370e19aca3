"""What becomes of a paid order: the only writer of Order.status after checkout.

Every function locks the order's row, checks that the step is still right, writes, and adds to the timeline, in one
transaction. A step that is no longer right changes nothing, so that every caller may come twice or late.

An order whose runs we place ourselves has a row for each. ``run`` names the one a step is about (0: the order as a
whole); the order's own status then follows from its runs.
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
from orders.models.order import EventKind
from orders.rules import amounts, charges, dripfeed, state_machine
from orders.rules.state_machine import Decision, Progress, Status

#: To its customer an order only waits in each of these: a step between two of them is no news.
_WAITING = (Status.QUEUED, Status.SUBMITTING, Status.PENDING)
#: An order that has come to one of these has been started.
_STARTED = (Status.IN_PROGRESS, Status.COMPLETED, Status.PARTIAL)
#: Why a request to cancel is rejected that came too late, as the operator reads it.
_ALL_DELIVERED = "everything was delivered"


def mark_submitting(order_ids: Iterable[int]) -> None:
    """Queued orders that the caller has locked and is about to submit."""
    Order.objects.filter(pk__in=list(order_ids), status=Status.QUEUED).update(status=Status.SUBMITTING)


def split_into_runs(order: Order) -> None:
    """The (locked) order's runs are placed by ourselves, each at its time. Harmless on one that is split already."""
    if not order.parts.exists():
        due = dripfeed.due_times(timezone.now(), runs=order.runs, interval=order.interval)
        each = order.quantity // order.runs
        Run.objects.bulk_create(
            [Run(order=order, number=number, quantity=each, due_at=at) for number, at in enumerate(due, start=1)]
        )


def mark_run_submitting(order: Order, number: int) -> None:
    """The queued run ``number`` of an order that the caller has locked, and that it is about to submit."""
    split_into_runs(order)
    order.parts.filter(number=number, status=Status.QUEUED).update(status=Status.SUBMITTING)
    _follow_runs(order)


def accept(order_id: int, *, run: int = 0, **data: Any) -> Order:
    """A panel has the order."""
    return _step(order_id, run, (Status.SUBMITTING, Status.IN_DOUBT), Status.PENDING, EventKind.ACCEPTED, data)


def accept_many(upstream_ids: Mapping[int, str], *, provider: int) -> int:
    """A panel has these whole orders, by id: as ``accepted`` for each, in a few statements for all of them.

    Returns how many moved. Call it in a transaction, and roll that back unless all of them did: one that no longer is
    being submitted is for ``accepted`` to judge.
    """
    waiting = Order.objects.filter(pk__in=list(upstream_ids), status=Status.SUBMITTING)
    # From submitting to pending is no news to a customer: nobody is told.
    moved = waiting.update(status=Status.PENDING, due_at=None)
    now = timezone.now()
    events = [
        (pk, EventKind.ACCEPTED.value, {"provider": provider, "upstream_id": upstream_id}, now)
        for pk, upstream_id in upstream_ids.items()
    ]
    bulk.insert(OrderEvent, ("order", "kind", "data", "created_at"), events)
    return moved


def requeue(order_id: int, *, why: EventKind, run: int = 0, due_at: datetime | None = None, **data: Any) -> Order:
    """It is proven that no panel has the order; it may be sent again from ``due_at`` on.

    If its customer has asked to cancel it meanwhile, it ends instead, and everything goes back.
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
    """Nobody knows whether a panel has the order: it stands still until that is found out."""
    return _step(order_id, run, (Status.SUBMITTING,), Status.IN_DOUBT, EventKind.IN_DOUBT, data)


def fail(order_id: int, *, run: int = 0, why: EventKind = EventKind.REFUSED, **data: Any) -> Order:
    """No panel takes the order: it ends, and everything goes back to the wallet. Of a run: what the run cost."""
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
    """A person ends the order; what is not yet paid back goes back to the wallet.

    Nothing changes where a panel may be buying it right now, or may have bought it: that is found out first.
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
    """Ends an order in runs after the ones that have started: those that have not are paid back at once.

    What started goes on at its panel; what it leaves undelivered is paid back when the panel says so. Harmless on
    orders without runs of their own, and on a second call.
    """
    with transaction.atomic():
        order = _lock_order(order_id)
        if order.is_open and order.parts.exists() and not _is_stopped(order):
            add_event(order, kind=EventKind.RUN, actor=actor, step=_STOPPED)
            _cancel_waiting(order)
        return order


def apply_progress(order_id: int, *, progress: Progress, run: int = 0) -> Decision:
    """Applies one report of the panel that has the order, or its ``run``; returns what was decided."""
    with transaction.atomic():
        order = _lock_order(order_id)
        if run:
            return _apply_run_progress(order, _subject(order, run), progress)
        decision = decide(order, progress)
        if decision.oddity:
            add_event(order, kind=EventKind.ODDITY, oddity=decision.oddity, word=progress.word[:64])
        if decision.undelivered or (decision.status in state_machine.TERMINAL and decision.status is not order.state):
            _finish(
                order,
                decision.status,
                remains=decision.remains,
                undelivered=decision.undelivered or 0,
                start_count=decision.start_count,
            )
            if order.runs > 1:
                _cancel_waiting(order)
        else:
            before = order.state
            order.status, order.remains, order.start_count = decision.status, decision.remains, decision.start_count
            order.started_at = order.started_at or _started_at(decision.status)
            order.save(update_fields=["status", "remains", "start_count", "started_at"])
            if decision.status is not before:
                add_event(order, kind=EventKind.STATUS, status=decision.status.value, start_count=decision.start_count)
            _publish(order, before=before)
        return decision


class Step(NamedTuple):
    """What a report changes on one order that still has all its deliveries in one placement.

    ``status``, ``remains`` and ``start_count`` are the order's as they were when ``decision`` was made.
    """

    order_id: int
    user_id: int
    status: Status
    remains: int | None
    start_count: int | None
    decision: Decision


def is_simple(status: Status, decision: Decision) -> bool:
    """Whether ``advance_orders`` can apply ``decision``: it moves no money, and no person has to see it."""
    if decision.oddity or decision.undelivered is not None or status not in state_machine.FOLLOWED:
        return False
    return decision.status in state_machine.FOLLOWED or decision.status is Status.COMPLETED


def advance_orders(steps: Sequence[Step]) -> set[int]:
    """Apply simple steps of many orders, each at most once, in one transaction and a few statements for all of them.

    Returns:
        The orders that were changed. The others were changed by somebody else since they were read: nothing was
        written, and their reports must be judged again by ``progressed``.
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
    """The facts of the timeline's line about a new status; ``is_asked``: the customer wanted to cancel the order."""
    if decision.status not in state_machine.TERMINAL:
        return {"status": decision.status.value, "start_count": decision.start_count}
    asked = {"asked": False} if is_asked else {}
    return {"status": decision.status.value, "remains": decision.remains, **asked}


def record_oddity(order_id: int, **data: Any) -> None:
    """A panel says something about the order that changes nothing and that a person should see."""
    add_event(Order(pk=order_id), kind=EventKind.ODDITY, **data)


def decide(order: Order | Run, progress: Progress) -> Decision:
    """What ``progress`` would change on ``order``; reads and writes nothing."""
    return state_machine.decide(
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


def add_event(order: Order, *, kind: EventKind, actor: Any = None, **data: Any) -> None:
    """Adds a line to the order's timeline.

    An odd report is written once, however often the panel repeats it, and marks the order until somebody has seen it.
    """
    if kind is EventKind.ODDITY:
        earlier = OrderEvent.objects.filter(order=order, kind=kind).values_list("data", flat=True)
        if data in list(earlier):
            return
        Order.objects.filter(pk=order.pk, odd_at=None).update(odd_at=timezone.now())
    OrderEvent.objects.create(order=order, kind=kind, data=data, actor=actor)


def mark_seen(order_id: int, *, actor: Any = None) -> Order:
    """A person has looked at the order's odd reports; harmless where there are none."""
    with transaction.atomic():
        order = _lock_order(order_id)
        if order.odd_at is not None:
            order.odd_at = None
            order.save(update_fields=["odd_at"])
            add_event(order, kind=EventKind.NOTE, actor=actor, decision="odd report seen")
        return order


def _is_visible(before: Status, after: Status) -> bool:
    """Whether the step shows to the customer."""
    return after is not before and not (before in _WAITING and after in _WAITING)


def _publish(order: Order, *, before: Status, is_paid_back: bool = False) -> None:
    """The (locked, saved) order's customer is told if the step from ``before`` shows, or if money came back."""
    if is_paid_back or _is_visible(before, order.state):
        data = {"status": order.state.value}
        events.publish([ShopEvent(topic=Topic.ORDER, user_id=order.user_id, order_id=order.pk, data=data)])


def _started_at(status: Status) -> datetime | None:
    """Now, if an order that comes to ``status`` has been started."""
    return timezone.now() if status in _STARTED else None


def _lock_order(order_id: int) -> Order:
    return Order.objects.select_for_update().get(pk=order_id)


def _subject(order: Order, run: int) -> Order | Run:
    """What a step is about: the (locked) order itself, or one of its runs, which only who locked the order writes."""
    return order.parts.get(number=run) if run else order


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
    """Ends the (locked) order, or ends it otherwise than before, and pays back what was not delivered."""
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
    """What is still owed of the charge for ``undelivered`` pieces in all; whether that moved any money."""
    target = charges.refund(order.charge, quantity=order.quantity, remains=undelivered)
    added = transfers.refund(order, target=target)
    if added:
        add_event(order, kind=EventKind.REFUNDED, actor=actor, amount=amounts.plain(added), remains=undelivered)
    return bool(added)


def _answer_cancellations(order: Order) -> dict[str, bool]:
    """The end of the (locked) order answers whoever asked to cancel it: done, unless all was delivered after all."""
    is_done = order.state is not Status.COMPLETED
    answer = RequestStatus.COMPLETED if is_done else RequestStatus.REJECTED
    reason = "" if is_done else _ALL_DELIVERED
    asked = Cancellation.objects.open().filter(order=order)
    if not asked.update(status=answer, needs_person=False, reason=reason, ended_at=order.ended_at):
        return {}
    if not is_done:
        add_event(order, kind=EventKind.CANCELLATION, step=RequestStatus.REJECTED.value, why="delivered")
    return {"asked": is_done}


def _reject_cancellations(order_ids: Sequence[int]) -> set[int]:
    """Answer the requests to cancel (locked) orders that were delivered in full; returns the orders that had one."""
    if not order_ids:
        return set()
    asked = list(Cancellation.objects.open().filter(order__in=bulk.keys(order_ids)).values_list("order_id", flat=True))
    if asked:
        answer = {"status": RequestStatus.REJECTED, "reason": _ALL_DELIVERED, "needs_person": False}
        Cancellation.objects.open().filter(order__in=asked).update(**answer, ended_at=timezone.now())
        facts = {"step": RequestStatus.REJECTED.value, "why": "delivered"}
        OrderEvent.objects.bulk_create(
            [OrderEvent(order_id=order_id, kind=EventKind.CANCELLATION, data=facts) for order_id in asked]
        )
    return set(asked)


# ------------------------------------------------------------------------------------------------ runs

#: The step that the timeline keeps of ``stop``.
_STOPPED = "stopped"


def _apply_run_progress(order: Order, run: Order | Run, progress: Progress) -> Decision:
    """A report about one run of the (locked) order."""
    decision = decide(run, progress)
    if decision.oddity:
        add_event(order, kind=EventKind.ODDITY, oddity=decision.oddity, word=progress.word[:64])
    is_over = decision.status in state_machine.TERMINAL
    run.status, run.remains, run.start_count = decision.status, decision.remains, decision.start_count
    run.ended_at = run.ended_at or (timezone.now() if is_over else None)
    run.save(update_fields=["status", "remains", "start_count", "ended_at"])
    _follow_runs(order)
    return decision


def _follow_runs(order: Order) -> None:
    """The (locked) order stands as its runs do, and what those that ended did not deliver is paid back.

    An order that has ended only moves on where more of it turns out undelivered; one that a person ended as a whole
    stays as it is.
    """
    parts = [
        dripfeed.RunState(Status(status), quantity, remains, start_count)
        for status, quantity, remains, start_count in order.parts.order_by("number").values_list(
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
    """No run of the (locked) order is placed any more."""
    waiting = order.parts.filter(status=Status.QUEUED)
    if waiting.update(status=Status.CANCELED, remains=F("quantity"), ended_at=timezone.now()):
        _follow_runs(order)


def _is_stopped(order: Order) -> bool:
    return OrderEvent.objects.filter(order=order, kind=EventKind.RUN, data__step=_STOPPED).exists()
