"""Refills and cancellations: when they are possible, and what each answer changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone

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
from orders.ledger import audit
from orders.lifecycle import customer_requests, fulfillment
from orders.models import Account, Cancellation, Order, OrderEvent, Refill
from orders.models.customer_request import RequestStatus
from orders.models.order import EventKind
from orders.rules.state_machine import Progress, Status
from tests import factories
from tests.orders.parallel import together

pytestmark = pytest.mark.django_db


def create_order(status: str = "queued", **details: Any) -> Order:
    order = factories.order(of=factories.service(has_refill=True, has_cancel=True, **details), status=status)
    if status in ("completed", "partial"):
        Order.objects.filter(pk=order.pk).update(ended_at=timezone.now(), remains=40 if status == "partial" else 0)
        order.refresh_from_db()
    return order


def steps(order: Order) -> list[tuple[str, str]]:
    kinds = (EventKind.REFILL, EventKind.CANCELLATION)
    events = OrderEvent.objects.filter(order=order, kind__in=kinds).order_by("id")
    return [(event.kind, event.data["step"]) for event in events]


def end_order(order: Order, status: Status, remains: int | None = None) -> Order:
    fulfillment.apply_progress(order.pk, progress=Progress(status=status, remains=remains))
    order.refresh_from_db()
    return order


# ------------------------------------------------------------------------------------------------ refills
@pytest.mark.parametrize("status", ["completed", "partial"])
def test_a_delivered_order_can_be_refilled(
    status: str, woken_orders: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    order = create_order(status)
    woken_orders.clear()
    with django_capture_on_commit_callbacks(execute=True):
        refill = customer_requests.request_refill(order, actor=order.user)
    assert (refill.status, refill.order_id, refill.actor) == ("waiting", order.pk, order.user)
    assert steps(order) == [("refill", "requested")]
    assert woken_orders == [order.pk]


@pytest.mark.parametrize("status", ["queued", "submitting", "in_doubt", "pending", "in_progress", "canceled", "failed"])
def test_an_order_that_was_not_delivered_cannot_be_refilled(status: str) -> None:
    order = create_order(status)
    with pytest.raises(OrderNotCompleted):
        customer_requests.request_refill(order)
    assert not Refill.objects.exists()


def test_a_partial_order_with_nothing_delivered_cannot_be_refilled() -> None:
    order = create_order("partial")
    Order.objects.update(remains=order.quantity)
    with pytest.raises(OrderNotCompleted):
        customer_requests.request_refill(order)


def test_a_service_without_refill_rejects_refills() -> None:
    order = create_order("completed")
    order.service.has_refill = False
    order.service.save()
    with pytest.raises(RefillNotOffered):
        customer_requests.request_refill(order)


@pytest.mark.parametrize("days", [30, 7])
def test_the_refill_window_includes_its_last_moment(days: int) -> None:
    order = create_order("completed", refill_days=days)
    assert order.ended_at
    until = order.ended_at + timedelta(days=days)
    with time_machine.travel(until + timedelta(seconds=1), tick=False), pytest.raises(RefillWindowOver) as over:
        customer_requests.request_refill(order)
    assert over.value.until == until
    with time_machine.travel(until, tick=False):
        assert customer_requests.request_refill(order).is_open


def test_one_open_refill_and_one_a_day() -> None:
    order = create_order("completed")
    refill = customer_requests.request_refill(order)
    with pytest.raises(RequestOpen):
        customer_requests.request_refill(order)
    customer_requests.complete(refill)
    with pytest.raises(RefillTooSoon) as soon:
        customer_requests.request_refill(order)
    assert soon.value.until == refill.created_at + timedelta(hours=24)
    with time_machine.travel(soon.value.until, tick=False):
        assert customer_requests.request_refill(order).pk != refill.pk


def test_the_request_fails_for_the_reason_that_is_shown() -> None:
    order = create_order("completed")
    assert customer_requests.refill_state(order).is_possible
    assert order.ended_at
    assert customer_requests.refill_state(order).until == order.ended_at + timedelta(days=30)
    customer_requests.request_refill(order)
    state = customer_requests.refill_state(order)
    assert (type(state.problem), state.is_possible) == (RequestOpen, False)
    assert state.last == Refill.objects.get()


@pytest.mark.parametrize("count", [3, 60])
def test_many_requests_take_the_same_queries_as_one(count: int, django_assert_num_queries: Callable[..., Any]) -> None:
    service, user = factories.service(has_refill=True), factories.customer()
    Order.objects.bulk_create(
        Order(user=user, service=service, status="completed", quantity=9, rate=1, charge=Decimal("0.01"), remains=0)
        for _ in range(count)
    )
    with django_assert_num_queries(8):  # look, begin, lock, last requests, requests, events, who listens, end
        outcome = customer_requests.request_refills(Order.objects.filter(user=user), actor=user)
    assert [type(found) for found in outcome.values()] == [Refill] * count
    with django_assert_num_queries(5):  # nothing to be written
        again = customer_requests.request_refills(Order.objects.filter(user=user), actor=user)
    assert {type(found) for found in again.values()} == {RequestOpen}


def test_a_refill_never_moves_backward_or_reopens() -> None:
    order = create_order("completed")
    refill = customer_requests.mark_sent(customer_requests.request_refill(order), upstream_id="1")
    for status in ("in_progress", "sent", "completed", "in_progress", "rejected"):
        refill = customer_requests.apply_refill_status(refill, status=RequestStatus(status))
    assert (refill.status, refill.is_open) == ("completed", False)
    assert refill.ended_at
    assert steps(order) == [
        ("refill", "requested"),
        ("refill", "sent"),
        ("refill", "in_progress"),
        ("refill", "completed"),
    ]
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("completed", 0)


def test_a_request_handed_to_staff_is_recorded_once_and_decided() -> None:
    order = create_order("completed")
    refill = customer_requests.request_refill(order)
    customer_requests.hand_to_staff(refill, why="no panel")
    customer_requests.hand_to_staff(refill, why="no panel")
    assert steps(order) == [("refill", "requested"), ("refill", "staff")]
    assert list(Refill.objects.queue()) == [refill]
    customer_requests.reject(refill, reason="it did not drop", actor=order.user)
    refill.refresh_from_db()
    assert (refill.status, refill.needs_operator, refill.reason) == ("rejected", False, "it did not drop")
    with pytest.raises(RequestClosed):
        customer_requests.complete(refill)
    with pytest.raises(RequestClosed):
        customer_requests.release(refill, actor=None)


def test_postponing_a_request_adds_no_event() -> None:
    order = create_order("completed")
    later = timezone.now() + timedelta(hours=1)
    refill = customer_requests.postpone(customer_requests.request_refill(order), due_at=later, why="busy")
    assert (refill.status, refill.due_at, steps(order)) == ("waiting", later, [("refill", "requested")])


# ------------------------------------------------------------------------------------------------ cancellations
def test_canceling_a_queued_order_refunds_it_at_once() -> None:
    order = create_order("queued")
    before = Account.objects.get(user=order.user).balance
    assert before is not None
    request = customer_requests.request_cancellation(order, actor=order.user)
    order.refresh_from_db()
    assert (order.status, order.refunded, order.remains) == ("canceled", order.charge, order.quantity)
    assert Account.objects.get(user=order.user).balance == before + order.charge
    assert (request.status, request.is_open) == ("completed", False)
    assert OrderEvent.objects.get(order=order, kind=EventKind.STATUS).data["asked"] is True
    assert list(audit.findings()) == []
    with pytest.raises(OrderEnded):
        customer_requests.request_cancellation(order)


@pytest.mark.parametrize("status", ["submitting", "in_doubt", "pending", "processing", "in_progress"])
def test_a_cancellation_of_a_placed_order_moves_no_money(status: str) -> None:
    order = create_order(status)
    request = customer_requests.request_cancellation(order)
    customer_requests.mark_sent(request)
    order.refresh_from_db()
    assert (order.status, order.refunded) == (status, 0)
    with pytest.raises(RequestOpen):
        customer_requests.request_cancellation(order)


@pytest.mark.parametrize("status", ["completed", "partial", "canceled", "failed"])
def test_an_ended_order_cannot_be_canceled(status: str) -> None:
    with pytest.raises(OrderEnded):
        customer_requests.request_cancellation(create_order(status))


def test_cancellation_needs_remains_and_a_service_that_offers_it() -> None:
    order = create_order("in_progress")
    Order.objects.update(remains=0)
    with pytest.raises(NothingRemains):
        customer_requests.request_cancellation(order)
    order.service.has_cancel = False
    order.service.save()
    with pytest.raises(CancelNotOffered):
        customer_requests.request_cancellation(order)
    assert not Cancellation.objects.exists()


@pytest.mark.parametrize(
    ("status", "remains", "answer"),
    [
        (Status.CANCELED, None, "completed"),
        (Status.PARTIAL, 40, "completed"),
        (Status.COMPLETED, 0, "rejected"),
    ],
)
def test_the_end_of_an_order_closes_its_cancellation(status: Status, remains: int | None, answer: str) -> None:
    order = create_order("in_progress")
    request = customer_requests.mark_sent(customer_requests.request_cancellation(order))
    end_order(order, status, remains)
    request.refresh_from_db()
    assert (order.status, request.status) == (status.value, answer)
    assert request.ended_at == order.ended_at
    left = {Status.CANCELED: 100, Status.PARTIAL: 40, Status.COMPLETED: 0}[status]
    assert order.refunded == order.charge * left / 100
    assert list(audit.findings()) == []


def test_a_late_report_refunds_after_a_rejected_cancellation() -> None:
    order = create_order("in_progress")
    customer_requests.request_cancellation(order)
    end_order(order, Status.COMPLETED)
    end_order(order, Status.PARTIAL, 10)
    assert steps(order) == [("cancellation", "requested"), ("cancellation", "rejected")]
    assert order.refunded == order.charge / 10


def test_a_requeued_order_with_an_open_cancellation_is_canceled() -> None:
    order = create_order("submitting")
    request = customer_requests.request_cancellation(order, actor=order.user)
    fulfillment.requeue(order.pk, why=EventKind.NOT_SENT)
    order.refresh_from_db()
    request.refresh_from_db()
    assert (order.status, order.refunded, request.status) == ("canceled", order.charge, "completed")
    assert list(audit.findings()) == []


def test_each_of_many_cancellations_gets_its_result() -> None:
    service, user = factories.service(has_cancel=True), factories.customer()
    mine = [factories.order(user, service, status=status) for status in ("queued", "in_progress", "completed")]
    outcome = customer_requests.request_cancellations(Order.objects.filter(user=user), actor=user)
    told = [
        found.status if isinstance(found, Cancellation) else type(found)
        for found in (outcome[order.pk] for order in mine)
    ]
    assert told == ["completed", "waiting", OrderEnded]


# ------------------------------------------------------------------------------------------------ concurrent calls
@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_create_one_refill() -> None:
    order = create_order("completed")
    outcome = together([lambda: customer_requests.request_refill(order)] * 6)
    assert sorted(type(found).__name__ for found in outcome) == ["Refill"] + ["RequestOpen"] * 5
    assert Refill.objects.count() == 1
    assert steps(order) == [("refill", "requested")]


@pytest.mark.django_db(transaction=True)
def test_concurrent_cancellations_refund_once() -> None:
    order = create_order("queued")
    outcome = together([lambda: customer_requests.request_cancellation(order)] * 6)
    assert sum(isinstance(found, Cancellation) for found in outcome) == 1
    assert all(isinstance(found, Cancellation | NotPossible) for found in outcome)
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("canceled", order.charge)
    assert list(audit.findings()) == []
