"""After the purchase: refills and cancellations. Who may ask, when; and the only writer of what becomes of a request.

A request is a row and a line in the order's timeline, written under the lock of the order's row. Money moves only with
the order's status: a panel that says "canceled: 1" has taken the request, no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias, TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from orders import events
from orders.buying import checkout
from orders.errors import (
    CancelNotOffered,
    NothingRemains,
    NotPossible,
    OrderEnded,
    OrderNotCompleted,
    RefillNotOffered,
    RefillTooSoon,
    RefillWindowOver,
    RequestClosed,
    RequestOpen,
)
from orders.events import ShopEvent, Topic
from orders.lifecycle import fulfilment
from orders.models import Cancellation, Order, OrderEvent, Refill
from orders.models.customer_request import OPEN_REQUEST, RequestStatus
from orders.models.order import EventKind
from orders.rules.state_machine import Status

Request: TypeAlias = Refill | Cancellation
R = TypeVar("R", Refill, Cancellation)

#: Between two refills of one order, from asking to asking.
BETWEEN_REFILLS = timedelta(hours=24)
REFILLABLE = (Status.COMPLETED, Status.PARTIAL)
_ENDED = (RequestStatus.COMPLETED, RequestStatus.REJECTED)
_KINDS: Mapping[type[Request], EventKind] = {Refill: EventKind.REFILL, Cancellation: EventKind.CANCELLATION}


@dataclass(frozen=True, slots=True)
class RequestOption:
    """How a refill or cancellation of an order stands: the last request, and why none is possible now (None: it is).

    ``until`` is the end of the refill window, where there is one.
    """

    last: Request | None
    problem: NotPossible | None
    until: datetime | None = None

    @property
    def is_possible(self) -> bool:
        return self.problem is None


def refill_state(order: Order) -> RequestOption:
    """At most one query, none where the service has no refill."""
    last = Refill.objects.filter(order=order).first() if order.service.has_refill else None
    return RequestOption(last, why_no_refill(order, last), _window_end(order))


def cancel_state(order: Order) -> RequestOption:
    """At most one query, none where the order cannot be canceled: before its start every order can."""
    is_offered = order.service.has_cancel or order.is_scheduled
    last = Cancellation.objects.filter(order=order).first() if is_offered else None
    return RequestOption(last, why_no_cancel(order, last))


def request_refill(order: Order, *, actor: Any = None) -> Refill:
    """Asks for a refill. Raises a NotPossible: RefillNotOffered, OrderNotCompleted, RefillWindowOver, RequestOpen,
    RefillTooSoon."""
    return _only(request_refills(Order.objects.filter(pk=order.pk), actor=actor))


def request_cancellation(order: Order, *, actor: Any = None) -> Cancellation:
    """Asks to stop the order. One that no panel has yet ends at once and is paid back in full; otherwise the request
    goes to the panel. Raises a NotPossible: CancelNotOffered, OrderEnded, NothingRemains, RequestOpen."""
    return _only(request_cancellations(Order.objects.filter(pk=order.pk), actor=actor))


def request_refills(orders: QuerySet[Order], *, actor: Any = None) -> dict[int, Refill | NotPossible]:
    """A refill for each of ``orders`` (by id), or why not. The same few queries for any number."""
    return _ask(Refill, orders, why_no_refill, actor)


def request_cancellations(orders: QuerySet[Order], *, actor: Any = None) -> dict[int, Cancellation | NotPossible]:
    """A cancellation for each of ``orders`` (by id), or why not. The same few queries for those that panels have."""
    return _ask(Cancellation, orders, why_no_cancel, actor)


# ------------------------------------------------------------------------------------------------ what becomes of it


def mark_sent(request: R, **data: Any) -> R:
    """A panel took the request."""
    return _step(request, RequestStatus.SENT, allowed=(RequestStatus.WAITING,), needs_person=False, due_at=None, **data)


def apply_refill_status(request: Refill, *, status: RequestStatus, **data: Any) -> Refill:
    """The panel says how the refill stands. It never goes back, and one that has ended stays as it is."""
    if status in _ENDED:
        return _step(request, status, allowed=OPEN_REQUEST, needs_person=False, **data)
    return _step(request, status, allowed=OPEN_REQUEST[: OPEN_REQUEST.index(status)], **data)


def complete(request: R, *, actor: Any = None) -> R:
    """A person says that it is done. Raises RequestClosed."""
    return _close(request, RequestStatus.COMPLETED, actor=actor)


def reject(request: R, *, reason: str, actor: Any = None) -> R:
    """It will not be done; ``reason`` is for the operator, customers get words of ours. Raises RequestClosed."""
    return _close(request, RequestStatus.REJECTED, actor=actor, reason=reason[:500], why=reason[:500])


def postpone(request: R, *, due_at: datetime, why: str) -> R:
    """The panel did not take it now: it waits, and is sent again from ``due_at`` on."""
    return _step(
        request, RequestStatus.WAITING, allowed=(RequestStatus.WAITING,), is_told=False, due_at=due_at, reason=why[:500]
    )


def hand_to_staff(request: R, *, why: str) -> R:
    """No panel can be asked, or nobody understands its answer: an operator does it. The customer is told once."""
    with transaction.atomic():
        row = _lock_request(request)
        if row.is_open and not row.needs_person:
            row.needs_person, row.reason = True, why[:500]
            row.save(update_fields=["needs_person", "reason"])
            fulfilment.add_event(row.order, kind=_KINDS[type(row)], step="person", why=why[:500])
        return row


def release(request: R, *, actor: Any) -> R:
    """A person lets it be sent (again), at once. Raises RequestClosed."""
    with transaction.atomic():
        row = _lock_request(request)
        if not row.is_open:
            raise RequestClosed(f"request {row} is {row.get_status_display()}")
        is_moved = row.status != RequestStatus.WAITING
        row.status, row.needs_person, row.due_at, row.reason = RequestStatus.WAITING, False, None, ""
        row.save(update_fields=["status", "needs_person", "due_at", "reason"])
        if is_moved:
            _publish([row])
        # The operator's own business: no line that customers see.
        fulfilment.add_event(row.order, kind=EventKind.NOTE, actor=actor, decision="send request")
        transaction.on_commit(lambda: checkout.wake(row.order), robust=True)
        return row


# ------------------------------------------------------------------------------------------------ rules


def why_no_refill(order: Order, last: Request | None) -> NotPossible | None:
    """Why no refill of ``order``, whose last one is ``last``, can be asked for; None: it can. No query, no writing."""
    if not order.service.has_refill:
        return RefillNotOffered()
    if last is not None and last.is_open:
        return RequestOpen()
    until = _window_end(order)
    if until is None or not order.delivered:
        return OrderNotCompleted()
    now = timezone.now()
    if now > until:
        return RefillWindowOver(until=until)
    if last is not None and now < last.created_at + BETWEEN_REFILLS:
        return RefillTooSoon(until=last.created_at + BETWEEN_REFILLS)
    return None


def why_no_cancel(order: Order, last: Request | None) -> NotPossible | None:
    """As ``why_no_refill``, for a cancellation."""
    if not order.service.has_cancel and not order.is_scheduled:
        return CancelNotOffered()
    if not order.is_open:
        return OrderEnded()
    if last is not None and last.is_open:
        return RequestOpen()
    if order.remains == 0:
        return NothingRemains()
    return None


def _window_end(order: Order) -> datetime | None:
    """Until when a refill of the order can be asked for; None while it has not ended with something delivered."""
    if order.state not in REFILLABLE:
        return None
    return (order.ended_at or order.created_at) + timedelta(days=order.service.refill_days)


# ------------------------------------------------------------------------------------------------ pieces


def _ask(
    model: type[R],
    orders: QuerySet[Order],
    problem_of: Callable[[Order, Request | None], NotPossible | None],
    actor: Any,
) -> dict[int, R | NotPossible]:
    """What cannot be is told without a lock; the others are locked, in order, and judged again."""
    seen = orders.select_related("service").order_by("pk")
    outcome: dict[int, R | NotPossible] = {}
    hopeful = []
    for order in seen:
        if problem := problem_of(order, None):
            outcome[order.pk] = problem
        else:
            hopeful.append(order.pk)
    if not hopeful:
        return outcome
    with transaction.atomic():
        rows = list(seen.filter(pk__in=hopeful).select_for_update(of=("self",)))
        last = {request.order_id: request for request in model.objects.filter(order__in=hopeful).order_by("pk")}
        problems = {order.pk: problem_of(order, last.get(order.pk)) for order in rows}
        fine = [order for order in rows if problems[order.pk] is None]
        made = model.objects.bulk_create([model(order=order, actor=actor) for order in fine])
        OrderEvent.objects.bulk_create(
            [OrderEvent(order=order, kind=_KINDS[model], data={"step": "asked"}, actor=actor) for order in fine]
        )
        _publish(made)
        for request in made:
            # The row is locked as it was read: no claim can take the order any more.
            if isinstance(request, Cancellation) and request.order.state is Status.QUEUED:
                fulfilment.cancel(request.order_id, actor=actor)
                request.refresh_from_db()
            elif isinstance(request, Cancellation) and request.order.runs > 1:
                # Runs that have not started end here; the panel is asked about those that have.
                fulfilment.stop_runs(request.order_id, actor=actor)
                request.refresh_from_db()
        if fine:
            transaction.on_commit(lambda: checkout.wake(fine[0]), robust=True)
    outcome |= {pk: problem for pk, problem in problems.items() if problem}
    return outcome | {request.order_id: request for request in made}


def _only(outcome: dict[int, R | NotPossible]) -> R:
    (found,) = outcome.values()
    if isinstance(found, NotPossible):
        raise found
    return found


def _lock_request(request: R) -> R:
    """The request as it is now, under the lock of its order's row: the one lock that all writers take first."""
    order = Order.objects.select_for_update().get(pk=request.order_id)
    row = type(request).objects.get(pk=request.pk)
    row.order = order
    return row


def _step(
    request: R, status: RequestStatus, *, allowed: tuple[RequestStatus, ...], is_told: bool = True, **values: Any
) -> R:
    """Moves the request where it is still right. ``values`` are columns, or else facts for the timeline."""
    columns = {name: values.pop(name) for name in ("needs_person", "due_at", "reason") if name in values}
    with transaction.atomic():
        row = _lock_request(request)
        if row.status not in allowed:
            return row
        is_moved = row.status != status
        columns |= {"status": status} | ({"ended_at": timezone.now()} if status in _ENDED else {})
        for name, value in columns.items():
            setattr(row, name, value)
        row.save(update_fields=list(columns))
        if is_told:
            actor = values.pop("actor", None)
            fulfilment.add_event(row.order, kind=_KINDS[type(row)], actor=actor, step=status.value, **values)
        if is_moved:
            _publish([row])
        return row


def _publish(requests: Sequence[Request]) -> None:
    """Programs hear of refills. What becomes of a cancellation is news of its order."""
    events.publish(
        ShopEvent(topic=Topic.REFILL, user_id=row.order.user_id, order_id=row.order_id, refill_id=row.pk)
        for row in requests
        if isinstance(row, Refill)
    )


def _close(request: R, status: RequestStatus, *, actor: Any, **values: Any) -> R:
    with transaction.atomic():
        row = _lock_request(request)
        if not row.is_open:
            raise RequestClosed(f"request {row} is {row.get_status_display()}")
        return _step(row, status, allowed=OPEN_REQUEST, needs_person=False, actor=actor, **values)
