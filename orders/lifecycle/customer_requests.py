"""Rules and state changes of refills and cancellations; the only module that writes their status.

A request is a row and an event in the order's timeline, both written under the lock of the order's row. Money moves
only with the order's status: a panel that answers "canceled: 1" has only accepted the request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias, TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

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
from orders.lifecycle import fulfillment
from orders.models import Cancellation, Order, OrderEvent, Refill
from orders.models.customer_request import OPEN_REQUEST, RequestStatus
from orders.models.event_codes import EventDecision, EventStep
from orders.models.order import EventKind
from orders.rules.state_machine import Status

Request: TypeAlias = Refill | Cancellation
R = TypeVar("R", Refill, Cancellation)

#: Minimum time between the requests for two refills of one order.
BETWEEN_REFILLS = timedelta(hours=24)
REFILLABLE = (Status.COMPLETED, Status.PARTIAL)
_ENDED = (RequestStatus.COMPLETED, RequestStatus.REJECTED)
_KINDS: Mapping[type[Request], EventKind] = {Refill: EventKind.REFILL, Cancellation: EventKind.CANCELLATION}


@dataclass(frozen=True, slots=True)
class RequestOption:
    """Whether a refill or cancellation of an order can be requested now.

    ``last`` is the latest request. ``problem`` says why none is possible; None means that one is. ``until`` is the end
    of the refill window, where there is one.
    """

    last: Request | None
    problem: NotPossible | None
    until: datetime | None = None

    @property
    def is_possible(self) -> bool:
        return self.problem is None


def refill_state(order: Order) -> RequestOption:
    """Return whether a refill of ``order`` can be requested. One query; none if the service has no refill."""
    last = Refill.objects.filter(order=order).first() if order.service.has_refill else None
    return RequestOption(last, why_no_refill(order, last), _window_end(order))


def cancel_state(order: Order) -> RequestOption:
    """Return whether a cancellation of ``order`` can be requested.

    Every scheduled order can be canceled before it starts. One query; none if the order cannot be canceled.
    """
    is_offered = order.service.has_cancel or order.is_scheduled
    last = Cancellation.objects.filter(order=order).first() if is_offered else None
    return RequestOption(last, why_no_cancel(order, last))


def request_refill(order: Order, *, actor: Any = None) -> Refill:
    """Request a refill of ``order``.

    Raises:
        NotPossible: As RefillNotOffered, OrderNotCompleted, RefillWindowOver, RequestOpen or RefillTooSoon.
    """
    return _single(request_refills(Order.objects.filter(pk=order.pk), actor=actor))


def request_cancellation(order: Order, *, actor: Any = None) -> Cancellation:
    """Request the cancellation of ``order``.

    A queued order, which no panel has, is canceled at once and refunded in full. Otherwise the request goes to the
    panel.

    Raises:
        NotPossible: As CancelNotOffered, OrderEnded, NothingRemains or RequestOpen.
    """
    return _single(request_cancellations(Order.objects.filter(pk=order.pk), actor=actor))


def request_refills(orders: QuerySet[Order], *, actor: Any = None) -> dict[int, Refill | NotPossible]:
    """Request refills of many orders; return the refill, or why it is not possible, by order id.

    The number of queries does not depend on the number of orders.
    """
    return _create_requests(Refill, orders, why_no_refill, actor)


def request_cancellations(orders: QuerySet[Order], *, actor: Any = None) -> dict[int, Cancellation | NotPossible]:
    """Request cancellations of many orders; return the cancellation, or why it is not possible, by order id.

    For orders that panels have, the number of queries does not depend on the number of orders.
    """
    return _create_requests(Cancellation, orders, why_no_cancel, actor)


# ------------------------------------------------------------------------------------------------ state changes


def mark_sent(request: R, **data: Any) -> R:
    """Mark the request as accepted by a panel."""
    return _step(
        request, RequestStatus.SENT, allowed=(RequestStatus.WAITING,), needs_operator=False, due_at=None, **data
    )


def apply_refill_status(request: Refill, *, status: RequestStatus, **data: Any) -> Refill:
    """Apply the status of a refill that the panel reports; never move it backward or change one that has ended."""
    if status in _ENDED:
        return _step(request, status, allowed=OPEN_REQUEST, needs_operator=False, **data)
    return _step(request, status, allowed=OPEN_REQUEST[: OPEN_REQUEST.index(status)], **data)


def complete(request: R, *, actor: Any = None) -> R:
    """Mark the request as completed on a person's decision. Raises RequestClosed if it has ended."""
    return _close(request, RequestStatus.COMPLETED, actor=actor)


def reject(request: R, *, reason: str, actor: Any = None) -> R:
    """Reject the request. Raises RequestClosed if it has ended.

    Args:
        reason: Shown to operators only; customers see a text of the shop.
    """
    return _close(request, RequestStatus.REJECTED, actor=actor, reason=reason[:500], why=reason[:500])


def postpone(request: R, *, due_at: datetime, why: str) -> R:
    """Keep the request waiting because the panel did not accept it; it is sent again from ``due_at`` on."""
    return _step(
        request,
        RequestStatus.WAITING,
        allowed=(RequestStatus.WAITING,),
        has_event=False,
        due_at=due_at,
        reason=why[:500],
    )


def hand_to_staff(request: R, *, why: str) -> R:
    """Put the request into the operators' queue, for when no panel can be asked or its answer is not understood.

    The event is added once, however often this is called.
    """
    with transaction.atomic():
        row = _lock_request(request)
        if row.is_open and not row.needs_operator:
            row.needs_operator, row.reason = True, why[:500]
            row.save(update_fields=["needs_operator", "reason"])
            fulfillment.add_event(row.order, kind=_KINDS[type(row)], step=EventStep.STAFF, why=why[:500])
        return row


def release(request: R, *, actor: Any) -> R:
    """Send the request to the panel (again) at once, on a person's decision. Raises RequestClosed if it has ended."""
    with transaction.atomic():
        row = _lock_request(request)
        if not row.is_open:
            raise RequestClosed(_("The request has already ended (%s)") % row.get_status_display())
        is_moved = row.status != RequestStatus.WAITING
        row.status, row.needs_operator, row.due_at, row.reason = RequestStatus.WAITING, False, None, ""
        row.save(update_fields=["status", "needs_operator", "due_at", "reason"])
        if is_moved:
            _publish([row])
        # A note, because customers must not see this event.
        fulfillment.add_event(row.order, kind=EventKind.NOTE, actor=actor, decision=EventDecision.RESEND_REQUEST)
        transaction.on_commit(lambda: checkout.wake(row.order), robust=True)
        return row


def take_by_hand(model: type[R], *, limit: int, service_ids: Sequence[int] = (), actor: Any = None) -> list[R]:
    """Hand out waiting requests for orders that are delivered by hand, the oldest first, each once.

    A cancellation counts as sent from then on, a refill as in progress.

    Args:
        service_ids: Only requests of these services; all services if empty.
    """
    waiting = model.objects.filter(status=RequestStatus.WAITING, order__service__is_manual=True)
    if service_ids:
        waiting = waiting.filter(order__service__in=service_ids)
    status = RequestStatus.SENT if model is Cancellation else RequestStatus.IN_PROGRESS
    allowed = (RequestStatus.WAITING,)
    with transaction.atomic():
        chosen = list(waiting.order_by("pk").values_list("order_id", flat=True)[:limit])
        # Of two programs that ask at once, the second waits here and finds the requests of the first taken.
        list(Order.objects.select_for_update().filter(pk__in=chosen).order_by("pk").values_list("pk"))
        rows = list(waiting.filter(order__in=chosen).order_by("pk"))
        return [_step(row, status, allowed=allowed, needs_person=False, actor=actor) for row in rows]


# ------------------------------------------------------------------------------------------------ rules


def why_no_refill(order: Order, last: Request | None) -> NotPossible | None:
    """Return why no refill of ``order`` can be requested, or None if it can; ``last`` is its latest refill.

    Makes no query and writes nothing.
    """
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
    """Return why no cancellation of ``order`` can be requested, or None if it can; ``last`` is its latest one.

    Makes no query and writes nothing.
    """
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
    """Return the end of the refill window, or None unless the order is completed or partial."""
    if order.state not in REFILLABLE:
        return None
    return (order.ended_at or order.created_at) + timedelta(days=order.service.refill_days)


# ------------------------------------------------------------------------------------------------ helpers


def _create_requests(
    model: type[R],
    orders: QuerySet[Order],
    problem_of: Callable[[Order, Request | None], NotPossible | None],
    actor: Any,
) -> dict[int, R | NotPossible]:
    """Create the requests that are possible, and return the request or the problem by order id.

    Orders that fail the check at first sight are not locked. The others are locked, in the order of their ids, and
    checked again.
    """
    seen = orders.select_related("service").order_by("pk")
    outcome: dict[int, R | NotPossible] = {}
    candidates = []
    for order in seen:
        if problem := problem_of(order, None):
            outcome[order.pk] = problem
        else:
            candidates.append(order.pk)
    if not candidates:
        return outcome
    with transaction.atomic():
        rows = list(seen.filter(pk__in=candidates).select_for_update(of=("self",)))
        last = {request.order_id: request for request in model.objects.filter(order__in=candidates).order_by("pk")}
        problems = {order.pk: problem_of(order, last.get(order.pk)) for order in rows}
        fine = [order for order in rows if problems[order.pk] is None]
        made = model.objects.bulk_create([model(order=order, actor=actor) for order in fine])
        OrderEvent.objects.bulk_create(
            [
                OrderEvent(order=order, kind=_KINDS[model], data={"step": EventStep.REQUESTED}, actor=actor)
                for order in fine
            ]
        )
        _publish(made)
        for request in made:
            # The row is locked and was read under that lock, so no worker can claim the order anymore.
            if isinstance(request, Cancellation) and request.order.state is Status.QUEUED:
                fulfillment.cancel(request.order_id, actor=actor)
                request.refresh_from_db()
            elif isinstance(request, Cancellation) and request.order.runs > 1:
                # Runs that have not started are canceled here; the panel is asked to cancel the others.
                fulfillment.stop_runs(request.order_id, actor=actor)
                request.refresh_from_db()
        if fine:
            transaction.on_commit(lambda: checkout.wake(fine[0]), robust=True)
    outcome |= {pk: problem for pk, problem in problems.items() if problem}
    return outcome | {request.order_id: request for request in made}


def _single(outcome: dict[int, R | NotPossible]) -> R:
    (found,) = outcome.values()
    if isinstance(found, NotPossible):
        raise found
    return found


def _lock_request(request: R) -> R:
    """Lock the order's row, the lock that every writer takes first, and return the request as it is now."""
    order = Order.objects.select_for_update().get(pk=request.order_id)
    row = type(request).objects.get(pk=request.pk)
    row.order = order
    return row


def _step(
    request: R, status: RequestStatus, *, allowed: tuple[RequestStatus, ...], has_event: bool = True, **values: Any
) -> R:
    """Change the status of the request if its present status is in ``allowed``.

    Args:
        has_event: Whether to add an event to the order's timeline.
        values: Columns to set (needs_operator, due_at, reason); all others are data of the event.
    """
    columns = {name: values.pop(name) for name in ("needs_operator", "due_at", "reason") if name in values}
    with transaction.atomic():
        row = _lock_request(request)
        if row.status not in allowed:
            return row
        is_moved = row.status != status
        columns |= {"status": status} | ({"ended_at": timezone.now()} if status in _ENDED else {})
        for name, value in columns.items():
            setattr(row, name, value)
        row.save(update_fields=list(columns))
        if has_event:
            actor = values.pop("actor", None)
            fulfillment.add_event(row.order, kind=_KINDS[type(row)], actor=actor, step=status.value, **values)
        if is_moved:
            _publish([row])
        return row


def _publish(requests: Sequence[Request]) -> None:
    """Publish events for refills only; the result of a cancellation is published as a change of its order."""
    events.publish(
        ShopEvent(topic=Topic.REFILL, user_id=row.order.user_id, order_id=row.order_id, refill_id=row.pk)
        for row in requests
        if isinstance(row, Refill)
    )


def _close(request: R, status: RequestStatus, *, actor: Any, **values: Any) -> R:
    with transaction.atomic():
        row = _lock_request(request)
        if not row.is_open:
            raise RequestClosed(_("The request has already ended (%s)") % row.get_status_display())
        return _step(row, status, allowed=OPEN_REQUEST, needs_operator=False, actor=actor, **values)
