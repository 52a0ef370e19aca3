from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from orders.ledger import audit, transfers
from orders.lifecycle import fulfillment
from orders.models import Order, OrderEvent
from orders.models.order import EventKind
from orders.rules.state_machine import Progress, Status
from tests import factories
from tests.orders.parallel import together

pytestmark = pytest.mark.django_db

ALL = tuple(status.value for status in Status)
HALF_WAY = {"queued", "submitting", "in_doubt"}
STEPS: dict[str, tuple[Callable[[int], Any], set[str], str]] = {
    "accepted": (fulfillment.accept, {"submitting", "in_doubt"}, "pending"),
    "requeued": (partial(fulfillment.requeue, why=EventKind.NOT_SENT), {"submitting", "in_doubt"}, "queued"),
    "doubted": (fulfillment.mark_in_doubt, {"submitting"}, "in_doubt"),
    "failed": (fulfillment.fail, HALF_WAY, "failed"),
    "canceled": (fulfillment.cancel, set(ALL) - {"canceled", "failed", "submitting", "in_doubt"}, "canceled"),
    "claimed": (lambda order_id: fulfillment.mark_submitting([order_id]), {"queued"}, "submitting"),
}


def report(order: Order, status: Status | None, remains: int | None = None, **more: Any) -> Order:
    fulfillment.apply_progress(order.pk, progress=Progress(status=status, remains=remains, **more))
    order.refresh_from_db()
    return order


def create_order(status: str = "in_progress") -> Order:
    """Return an order of 100 pieces for 0.09, paid from a balance of 1.00."""
    return factories.order(factories.customer("1"), status=status)


def balance(order: Order) -> Any:
    return transfers.open_wallet(order.user).balance


def story(order: Order) -> list[str]:
    return [str(event.kind) for event in order.events.all()]


@pytest.fixture(autouse=True)
def _books_stay_true(settings: Any) -> Any:
    settings.ORDERS_AUDITS = []  # no provider has these orders, so the layers above have nothing to audit
    yield
    assert list(audit.findings()) == []


# ------------------------------------------------------------------------------------------------ single steps
@pytest.mark.parametrize("status", ALL)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_applies_only_in_its_allowed_statuses(step: str, status: str) -> None:
    act, allowed, becomes = STEPS[step]
    order = create_order()
    if status in ("canceled", "failed"):
        Order.objects.filter(pk=order.pk).update(status="queued")
        (fulfillment.cancel if status == "canceled" else fulfillment.fail)(order.pk)
    else:
        Order.objects.filter(pk=order.pk).update(status=status)
    before = Order.objects.filter(pk=order.pk).values().get(), OrderEvent.objects.count()
    act(order.pk)
    order.refresh_from_db()
    if status in allowed:
        assert order.status == becomes
        assert balance(order) == (1 if becomes in ("canceled", "failed") else Decimal("0.91"))
        assert (order.ended_at is not None) is (becomes in ("canceled", "failed"))
    else:
        assert (Order.objects.filter(pk=order.pk).values().get(), OrderEvent.objects.count()) == before


@pytest.mark.parametrize("step", STEPS)
def test_a_repeated_step_changes_nothing(step: str) -> None:
    act, allowed, becomes = STEPS[step]
    order = create_order(status=sorted(allowed)[-1])
    act(order.pk)
    once = story(order), balance(order)
    act(order.pk)
    assert (story(order), balance(order)) == once
    assert Order.objects.get().status == becomes


def test_a_requeued_order_waits_until_it_is_due() -> None:
    order, later = create_order("submitting"), timezone.now() + timedelta(minutes=5)
    assert fulfillment.requeue(order.pk, why=EventKind.NOT_SENT, due_at=later).due_at == later
    fulfillment.mark_submitting([order.pk])
    assert fulfillment.accept(order.pk).due_at is None


def test_only_queued_orders_are_claimed() -> None:
    orders = [create_order(status) for status in ("queued", "canceled", "in_doubt", "queued")]
    Order.objects.filter(pk=orders[1].pk).update(refunded=0, status="pending")
    fulfillment.mark_submitting(iter(order.pk for order in orders))
    assert [Order.objects.get(pk=order.pk).status for order in orders] == [
        "submitting", "pending", "in_doubt", "submitting",
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------ money
def test_partial_refunds_what_was_not_delivered() -> None:
    order = report(create_order(), Status.PARTIAL, remains=30)
    assert (order.status, order.refunded, balance(order)) == ("partial", Decimal("0.027"), Decimal("0.937"))
    assert (order.delivered, order.paid) == (70, Decimal("0.063"))


def test_partial_and_then_canceled_refunds_no_more_than_the_charge() -> None:
    order = report(create_order(), Status.PARTIAL, remains=30)
    report(order, Status.CANCELED)
    assert (order.status, order.refunded, balance(order)) == ("canceled", Decimal("0.09"), 1)
    assert [str(refund.amount) for refund in order.transfers.filter(kind="refund")] == ["0.063000", "0.027000"]


def test_late_reports_refund_only_the_difference() -> None:
    order = create_order()
    paid_back = []
    for status, remains in (
        (Status.COMPLETED, None),
        (Status.PARTIAL, 10),
        (Status.PARTIAL, 10),
        (Status.PARTIAL, 40),
        (Status.PARTIAL, 20),
        (Status.COMPLETED, 0),
        (Status.CANCELED, None),
        (Status.CANCELED, 100),
        (Status.PARTIAL, 50),
        (Status.COMPLETED, 0),
    ):
        paid_back.append(report(order, status, remains).refunded * 1000)
    assert paid_back == [0, 9, 9, 36, 36, 36, 90, 90, 90, 90]
    assert order.status == "canceled"


@pytest.mark.parametrize(
    ("remains", "refunded"), [(-1, "0"), (-(10**18), "0"), (0, "0"), (100, "0.09"), (101, "0.09"), (10**18, "0.09")]
)
def test_remains_is_clamped_to_the_order(remains: int, refunded: str) -> None:
    order = report(create_order(), Status.PARTIAL, remains)
    assert (order.status, order.refunded) == ("partial", Decimal(refunded))
    assert ("oddity" in story(order)) is (not 0 <= remains <= 100)


def test_a_partial_without_remains_changes_nothing_and_is_recorded_once() -> None:
    order = create_order()
    for _ in range(3):
        report(order, Status.PARTIAL)
    assert (order.status, order.refunded, story(order)) == ("in_progress", 0, ["oddity"])


@pytest.mark.parametrize("word", [None, Status.QUEUED, Status.SUBMITTING, Status.IN_DOUBT])
def test_an_unknown_status_changes_nothing_and_is_recorded_once(word: Status | None) -> None:
    order = create_order()
    for _ in range(3):
        report(order, word, remains=5, panel_status="Zagotovka" * 20)
    assert (order.status, order.remains, story(order)) == ("in_progress", None, ["oddity"])
    assert order.events.get().data == {"oddity": "unknown_status", "panel_status": ("Zagotovka" * 20)[:64]}


def test_a_failure_at_the_panel_moves_no_money_until_an_operator_decides() -> None:
    order = report(create_order(), Status.FAILED)
    assert (order.status, order.refunded, story(order)) == ("in_progress", 0, ["oddity"])


def test_a_failed_order_ignores_later_reports() -> None:
    order = create_order("submitting")
    fulfillment.fail(order.pk)
    for status in Status:
        report(order, status, remains=40)
        assert (order.status, order.refunded) == ("failed", Decimal("0.09"))


def test_failing_twice_refunds_once() -> None:
    order = create_order("submitting")
    fulfillment.fail(order.pk, provider=7, panel_error="no balance")
    fulfillment.fail(order.pk, provider=8, panel_error="no balance")
    assert (balance(order), story(order)) == (1, ["refused", "status", "refunded"])


# ------------------------------------------------------------------------------------------------ the timeline
def test_each_step_adds_one_event() -> None:
    order = create_order("submitting")
    fulfillment.accept(order.pk, provider=1, upstream_id="23501")
    for _ in range(2):
        report(order, Status.IN_PROGRESS, remains=100, start_count=5)
        report(order, Status.IN_PROGRESS, remains=60, start_count=5)
        report(order, Status.PARTIAL, remains=50)
    assert [(event.kind, event.data) for event in order.events.all()] == [
        ("accepted", {"provider": 1, "upstream_id": "23501"}),
        ("status", {"status": "in_progress", "start_count": 5}),
        ("status", {"status": "partial", "remains": 50}),
        ("refunded", {"amount": "0.045", "remains": 50}),
    ]
    assert (order.start_count, order.remains) == (5, 50)


def test_messages_of_the_panel_are_in_events_hidden_from_customers() -> None:
    order = create_order("submitting")
    fulfillment.fail(order.pk, provider=1, panel_error="Your panel account is out of money")
    public = order.events.filter(kind__in=OrderEvent.PUBLIC)
    assert [event.kind for event in public] == ["status", "refunded"]
    assert "panel" not in "".join(str(event.data) for event in public)


def test_the_event_stores_who_canceled() -> None:
    order, operator = create_order(), factories.user(is_staff=True)
    fulfillment.cancel(order.pk, actor=operator)
    assert {event.actor for event in order.events.all()} == {operator}


def test_an_unexpected_report_is_recorded_once_and_flags_the_order() -> None:
    order = create_order("pending")
    report(order, None, panel_status="x")
    report(order, None, panel_status="x")
    report(order, Status.IN_PROGRESS)
    assert report(order, None, panel_status="x").odd_at is not None
    assert story(order) == ["oddity", "status"]
    assert fulfillment.mark_seen(order.pk).odd_at is None
    assert report(order, None, panel_status="x").odd_at is None
    assert report(order, None, panel_status="y").odd_at is not None
    assert story(order) == ["oddity", "status", "note", "oddity"]


def test_a_report_that_changes_nothing_needs_no_transaction() -> None:
    order = report(create_order(), Status.IN_PROGRESS, remains=60, start_count=5)
    same = fulfillment.decide(order, Progress(status=Status.IN_PROGRESS, remains=60, start_count=5))
    assert not fulfillment.changes(order, same)
    for progress in (
        Progress(status=Status.IN_PROGRESS, remains=59, start_count=5),
        Progress(status=Status.COMPLETED),
        Progress(status=None),
        Progress(status=Status.PARTIAL, remains=0),
    ):
        assert fulfillment.changes(order, fulfillment.decide(order, progress))


# ------------------------------------------------------------------------------------------------ concurrent steps
RIVALS: dict[str, Callable[[int], Any]] = {
    "cancel": fulfillment.cancel,
    "partial": lambda order_id: fulfillment.apply_progress(
        order_id, progress=Progress(status=Status.PARTIAL, remains=30)
    ),
    "canceled": lambda order_id: fulfillment.apply_progress(order_id, progress=Progress(status=Status.CANCELED)),
    "complete": lambda order_id: fulfillment.apply_progress(order_id, progress=Progress(status=Status.COMPLETED)),
    "fail": fulfillment.fail,
    "accept": fulfillment.accept,
    "doubt": fulfillment.mark_in_doubt,
    "requeue": partial(fulfillment.requeue, why=EventKind.NOT_SENT),
}


def run_during(early: str, late: str, order: Order, monkeypatch: pytest.MonkeyPatch, *, patience: float = 0.05) -> None:
    """Run ``late`` on another connection after ``early`` has read the order and before it writes.

    Raises:
        AssertionError: ``late`` finished within ``patience`` seconds and so did not wait.
    """
    read, started, finished = fulfillment._lock_order, Event(), Event()
    rivals: list[Thread] = []

    def rival() -> None:
        try:
            connection.ensure_connection()
            started.set()
            RIVALS[late](order.pk)
        finally:
            connection.close()
            finished.set()

    def read_and_be_disturbed(order_id: int) -> Order:
        row = read(order_id)
        if not rivals:
            rivals.append(Thread(target=rival))
            rivals[0].start()
            assert started.wait(20)
            assert not finished.wait(patience), f"{late} did not wait for {early}"
        return row

    with monkeypatch.context() as patch:
        patch.setattr(fulfillment, "_lock_order", read_and_be_disturbed)
        RIVALS[early](order.pk)
        assert finished.wait(20)
    rivals[0].join(20)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("early", RIVALS)
def test_a_concurrent_step_waits_and_sees_the_new_status(early: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for late in RIVALS:
        order, expected = create_order("submitting"), create_order("submitting")
        run_during(early, late, order, monkeypatch)
        RIVALS[early](expected.pk)
        RIVALS[late](expected.pk)
        outcome, wanted = (
            Order.objects.filter(pk=row.pk).values("status", "refunded", "remains", "charge").get()
            for row in (order, expected)
        )
        assert outcome == wanted, late
        assert story(order) == story(expected), late
        assert balance(order) == balance(expected), late


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="there the transaction itself is the lock")
def test_without_the_lock_a_concurrent_step_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails, the steps do not overlap, and the test above proves nothing."""
    monkeypatch.setattr(fulfillment, "_lock_order", lambda order_id: Order.objects.get(pk=order_id))
    with pytest.raises(AssertionError, match="did not wait"):
        run_during("accept", "doubt", create_order("submitting"), monkeypatch, patience=20)


@pytest.mark.django_db(transaction=True)
def test_concurrent_steps_refund_no_more_than_was_paid() -> None:
    for _ in range(3):
        order = create_order("submitting")
        results = together([partial(act, order.pk) for act in RIVALS.values()] * 2)
        assert not [result for result in results if isinstance(result, Exception)]
        order.refresh_from_db()
        assert order.refunded <= order.charge
        assert balance(order) == 1 - order.paid
        assert order.events.filter(kind="refunded").count() == order.transfers.filter(kind="refund").count()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="there every writer waits for every other")
def test_orders_of_one_customer_wait_for_each_other_only_for_money() -> None:
    buyer = factories.customer("1")
    first, second = (factories.order(buyer, status="pending") for _ in range(2))
    with transaction.atomic():
        fulfillment.cancel(first.pk)
        progress = Progress(status=Status.IN_PROGRESS, remains=5)
        (decision,) = together([partial(fulfillment.apply_progress, second.pk, progress=progress)])
    assert decision.status is Status.IN_PROGRESS
