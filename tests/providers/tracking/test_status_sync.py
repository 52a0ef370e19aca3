"""Status sync: in batches, on schedule, and without applying impossible reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Q
from django.utils import timezone

from orders.ledger import audit
from orders.lifecycle import fulfillment
from orders.models import Cancellation, Order, OrderEvent, Service
from orders.rules.state_machine import Progress, Status
from providers.models import PanelCall, Placement, Provider
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.tracking import apply_reports, status_sync
from providers.transport import circuit_breaker, conversation
from providers.worker import turns
from providers.worker.clock import Deadline
from providers.worker.models import Turn
from tests.providers.conftest import buy, customer, provider_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(panel: Panel) -> Order:
    """An order of 100 that the panel has."""
    provider_at(panel, "v2")
    order = buy(customer(), Service.objects.filter(service_type="default", max_quantity__gte=100)[0], quantity="100")
    submission.submit_due(Provider.objects.get())
    return order


def sync(order: Order) -> Order:
    status_sync.sync_statuses(Provider.objects.get(), is_now=True)
    order.refresh_from_db()
    return order


def number_of(order: Order) -> str:
    return Placement.objects.get(order=order).upstream_id


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("html", {}),
        ("empty", {}),
        ("list", {}),
        ("http_500", {}),
        ("truncated", {}),
        ("error", {"text": "Invalid API key"}),
        ("error", {"text": "Too many requests"}),
        ("reset_after", {}),
        ("hang", {}),
        ("drip", {}),
        ("text", {"body": "{}"}),
        ("text", {"body": '{"status":"Sleeping"}'}),
        ("text", {"body": '{"error":"Incorrect order ID"}'}),
        ("wrong_types", {}),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.usefixtures("quick_calls")
def test_an_answer_that_says_nothing_changes_nothing(
    panel: Panel, order: Order, kind: str, options: dict[str, Any]
) -> None:
    panel.report(number_of(order), "In progress", remains=40)
    assert sync(order).status == "in_progress"
    panel.fault("status", kind, **options)
    sync(order)
    assert (order.status, order.remains, order.refunded) == ("in_progress", 40, 0)
    panel.report(number_of(order), "Completed", remains=0)
    assert sync(order).status == "completed", "the next good answer counts"


def test_a_row_the_panel_leaves_out_is_counted_and_changes_nothing(panel: Panel, order: Order) -> None:
    second = buy(order.user, order.service, link="https://x.example.com/p/2")
    submission.submit_due(Provider.objects.get())
    number = number_of(second)
    panel.fault("status", "text", body=f'{{"{number}":{{"status":"Completed","remains":"0"}}}}')
    sync(order)
    second.refresh_from_db()
    assert (order.status, second.status) == ("pending", "completed")
    assert Placement.objects.get(order=order).missed_checks == 1


@pytest.mark.parametrize(("remains", "refunded_pieces"), [("-5", 0), ("250", 100), ("0", 0), ("100", 100)])
def test_remains_out_of_range_is_clamped(panel: Panel, order: Order, remains: str, refunded_pieces: int) -> None:
    panel.fault("status", "text", body=f'{{"status":"Partial","remains":"{remains}"}}')
    sync(order)
    assert order.status == "partial"
    assert order.refunded == order.charge * refunded_pieces / 100
    assert list(audit.findings()) == []


@pytest.mark.parametrize("remains", ['"Unknown"', "null", '""'])
def test_a_partial_without_remains_moves_no_money_and_is_shown_to_a_person(
    panel: Panel, order: Order, remains: str
) -> None:
    body = f'{{"status":"Partial","remains":{remains}}}'
    for _ in range(3):
        panel.fault("status", "text", body=body)
        sync(order)
    assert (order.status, order.refunded) == ("pending", 0)
    assert OrderEvent.objects.filter(order=order, kind="oddity").count() == 1, "said once, not at every look"


def test_fail_is_left_to_an_operator_unless_this_panel_refunds(panel: Panel, order: Order) -> None:
    body = '{"status":"Fail","remains":"100","charge":"0.1"}'
    panel.fault("status", "text", body=body)
    assert (sync(order).status, order.refunded) == ("pending", 0)
    Provider.objects.update(has_failure_refunds=True)
    panel.fault("status", "text", body='{"status":"Fail"}')
    assert (sync(order).status, order.refunded) == ("pending", 0), "this may be the call that failed, not the order"
    panel.fault("status", "text", body=body)
    assert (sync(order).status, order.refunded) == ("canceled", order.charge)


def test_a_late_change_refunds_only_the_difference(panel: Panel, order: Order) -> None:
    for word, remains, refunded in (
        ("Completed", 0, Decimal(0)),
        ("Partial", 30, order.charge * 30 / 100),
        ("Partial", 20, order.charge * 30 / 100),
        ("Completed", 0, order.charge * 30 / 100),
        ("Canceled", 100, order.charge),
        ("In progress", 50, order.charge),
        ("Completed", 0, order.charge),
    ):
        panel.report(number_of(order), word, remains=remains)
        assert sync(order).refunded == refunded, word
    assert order.status == "canceled"
    assert list(audit.findings()) == []


def test_intervals_grow_with_age_and_end(panel: Panel, order: Order, settings: Any) -> None:
    settings.SYNC_INTERVAL = 60
    waits = []
    for hours in (0, 2, 12, 100, 1000):
        Placement.objects.update(created_at=timezone.now() - timedelta(hours=hours))
        waits.append(next_look())
    assert waits == [timedelta(minutes=minutes) for minutes in (1, 5, 10, 30, 120)]
    panel.report(number_of(order), "Completed")
    assert next_look() == timedelta(hours=1)
    Placement.objects.update(ended_at=timezone.now() - timedelta(hours=2))
    assert next_look() == timedelta(hours=5)
    Placement.objects.update(ended_at=timezone.now() - timedelta(days=8))
    assert next_look() is None


def next_look() -> timedelta | None:
    """Return how long after a look the next one is."""
    status_sync.sync_statuses(Provider.objects.get(), is_now=True)
    placement = Placement.objects.get()
    assert placement.synced_at
    return placement.sync_at - placement.synced_at if placement.sync_at else None


def test_only_what_is_due_is_asked_for(panel: Panel, order: Order) -> None:
    assert status_sync.sync_statuses(Provider.objects.get()) == {}
    assert panel.received("status") == []
    assert status_sync.providers_to_sync() == []
    Placement.objects.update(sync_at=timezone.now())
    assert status_sync.providers_to_sync() == [Provider.objects.get().pk]


def follow(panel: Panel, order: Order, count: int) -> None:
    """Beside ``order``, so many more that the panel has; all of them have its status there."""
    row, there = Placement.objects.get(), panel.orders[number_of(order)]
    copied = {"user": order.user, "service": order.service, "quantity": 100, "rate": 1, "charge": 0}
    orders = Order.objects.bulk_create([Order(**copied, link=f"x{n}", status="pending") for n in range(count)])
    shared = {name: getattr(row, name) for name in ("provider", "offer", "quantity", "cost", "currency")}
    shared |= {"exchange_rate": 1, "state": "accepted", "lease_until": row.lease_until, "sync_at": row.sync_at}
    for number in range(50_000, 50_000 + count):
        panel.orders[str(number)] = there
    Placement.objects.bulk_create(
        [Placement(order=made, upstream_id=str(number), **shared) for number, made in enumerate(orders, 50_000)]
    )


def make_due() -> Provider:
    Placement.objects.update(sync_at=timezone.now())
    return Provider.objects.get()


def test_statuses_of_a_thousand_orders_cost_ten_calls(
    panel: Panel, order: Order, django_assert_max_num_queries: Any
) -> None:
    follow(panel, order, 999)
    panel.report(number_of(order), "In progress", remains=40)
    with django_assert_max_num_queries(90):
        counts = status_sync.sync_statuses(make_due())
    assert (counts["calls"], counts["looked_at"], counts["changed"]) == (10, 1000, 1000)
    assert set(Order.objects.values_list("status", "remains")) == {("in_progress", 40)}
    assert OrderEvent.objects.filter(kind="status").count() == 1000
    before = PanelCall.objects.count()
    with django_assert_max_num_queries(40):
        counts = status_sync.sync_statuses(make_due())
    assert (counts["calls"], counts["looked_at"], counts["changed"]) == (10, 1000, 0)
    assert PanelCall.objects.count() == before, "good reads leave no rows"
    assert OrderEvent.objects.filter(kind="status").count() == 1000
    assert status_sync.providers_to_sync() == [], "nothing is due any more"
    assert panel.violations == []


def test_each_order_is_asked_for_once_in_a_pass_page_after_page(
    panel: Panel, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(panel, order, 249)
    monkeypatch.setattr(status_sync, "PAGE", 70)
    for is_now in (False, True):
        panel.requests.clear()
        status_sync.sync_statuses(make_due(), is_now=is_now)
        asked = [number for request in panel.received("status") for number in request.params["orders"].split(",")]
        assert len(asked) == len(set(asked)) == 250


def test_a_pass_keeps_the_parallel_calls_it_may_make_and_no_more(panel: Panel, order: Order) -> None:
    follow(panel, order, 1199)
    panel.latency = 0.1
    Provider.objects.update(parallel=3)
    panel.peak_parallel = 0
    status_sync.sync_statuses(make_due())
    assert panel.peak_parallel == 3


def test_a_second_pass_of_the_same_provider_does_nothing_and_a_dead_ones_turn_ends(panel: Panel, order: Order) -> None:
    provider = make_due()
    assert turns.take(f"sync:{provider.pk}", seconds=30)
    assert status_sync.sync_statuses(provider) == {}
    assert status_sync.sync_statuses(provider, is_now=True) == {}
    Turn.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert status_sync.sync_statuses(provider)["calls"] == 1
    assert not turns.is_taken(f"sync:{provider.pk}")


def test_a_pass_that_lost_its_turn_applies_nothing_and_makes_no_calls(
    panel: Panel, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped while it waited for an answer: another pass may have brought a newer one."""
    follow(panel, order, 250)
    exchange = conversation.exchange

    def exchange_and_lose_the_turn(*args: Any, **options: Any) -> Any:
        outcome = exchange(*args, **options)
        monkeypatch.setattr(turns.HeldTurn, "hold", lambda held: False)
        return outcome

    Provider.objects.update(parallel=1)
    provider = make_due()
    monkeypatch.setattr(conversation, "exchange", exchange_and_lose_the_turn)
    assert status_sync.sync_statuses(provider)["looked_at"] == 0
    assert len(panel.received("status")) < 3
    assert status_sync.due(provider).count() == 251


def test_a_call_that_would_outlast_the_turn_is_not_made(
    panel: Panel, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = make_due()
    monkeypatch.setattr(turns.HeldTurn, "send_by", lambda held, longest_call: Deadline.after(0))
    assert status_sync.sync_statuses(provider) == {}
    assert len(panel.received("status")) == 0
    assert status_sync.due(provider).count() == 1, "what was not asked for stays due"


def test_a_pass_that_ran_out_of_time_leaves_the_rest_due(panel: Panel, order: Order) -> None:
    follow(panel, order, 9)
    assert status_sync.sync_statuses(make_due(), budget=-1)["looked_at"] == 0
    assert status_sync.providers_to_sync() == [Provider.objects.get().pk]


def test_a_pass_that_dies_between_two_writes_is_made_again_without_harm(
    panel: Panel, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(panel, order, 4)
    panel.report(number_of(order), "Partial", remains=30)

    def die(*args: object) -> None:
        raise KeyboardInterrupt

    provider = make_due()
    with monkeypatch.context() as patch:
        patch.setattr(apply_reports, "_write", die)
        with pytest.raises(KeyboardInterrupt):
            status_sync.sync_statuses(provider)
    order.refresh_from_db()
    paid_back = order.refunded
    assert paid_back == order.charge * 30 / 100
    assert Placement.objects.filter(state="closed").count() == 0
    counts = status_sync.sync_statuses(Provider.objects.get())
    order.refresh_from_db()
    assert (counts["looked_at"], counts["changed"], order.refunded) == (5, 0, paid_back)
    assert Placement.objects.filter(state="closed").count() == 5
    assert list(audit.findings()) == []


def test_a_report_that_cannot_be_applied_does_not_delay_others(
    panel: Panel, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(panel, order, 3)
    panel.report(number_of(order), "Completed")
    apply, apply_many = fulfillment.apply_progress, fulfillment.advance_orders

    def fail(order_id: int, **report: Any) -> Any:
        if order_id == order.pk:
            raise ValueError("as if the database would not take it")
        return apply(order_id, **report)

    def fail_many(steps: Sequence[fulfillment.Step]) -> set[int]:
        if order.pk in {step.order_id for step in steps}:
            raise ValueError("as if the database would not take it")
        return apply_many(steps)

    monkeypatch.setattr(fulfillment, "apply_progress", fail)
    monkeypatch.setattr(fulfillment, "advance_orders", fail_many)
    status_sync.sync_statuses(make_due())
    assert Order.objects.filter(status="completed").count() == 3
    assert Placement.objects.filter(state="closed").count() == 3
    monkeypatch.undo()
    sync(order)
    assert Order.objects.filter(status="completed").count() == 4


def test_a_report_that_came_true_too_late_changes_nothing(order: Order) -> None:
    """Between the look and the write a person canceled the order: nothing is written, it has to be judged again."""
    decision = fulfillment.decide(order, Progress(status=Status.IN_PROGRESS, remains=5))
    step = fulfillment.Step(order.pk, order.user_id, Status.PENDING, order.remains, order.start_count, decision)
    fulfillment.cancel(order.pk)
    assert fulfillment.advance_orders([step]) == set()
    order.refresh_from_db()
    assert (order.status, order.remains) == ("canceled", 100)


def test_a_batch_of_completed_orders_is_written_in_a_few_statements(
    panel: Panel, order: Order, django_assert_max_num_queries: Any
) -> None:
    follow(panel, order, 999)
    panel.report(number_of(order), "Completed", remains=0)
    with django_assert_max_num_queries(90):
        counts = status_sync.sync_statuses(make_due())
    assert (counts["looked_at"], counts["changed"]) == (1000, 1000)
    assert set(Order.objects.values_list("status", "remains", "refunded")) == {("completed", 0, 0)}
    assert not Order.objects.filter(Q(started_at=None) | Q(ended_at=None)).exists()
    assert Placement.objects.filter(state="closed", ended_at__isnull=False).count() == 1000
    facts = OrderEvent.objects.filter(kind="status").values_list("data", flat=True)
    assert list(facts) == [{"status": "completed", "remains": 0}] * 1000


def test_a_batch_answers_requests_to_cancel_what_was_delivered(panel: Panel, order: Order) -> None:
    follow(panel, order, 3)
    asked = Cancellation.objects.create(order=order)
    panel.report(number_of(order), "Completed", remains=0)
    status_sync.sync_statuses(make_due())
    asked.refresh_from_db()
    assert (asked.status, asked.reason) == ("rejected", "delivered")
    assert asked.reason_label == "Everything was delivered before the order could be stopped"
    lines = OrderEvent.objects.filter(order=order).order_by("pk").values_list("kind", "data")
    assert list(lines)[-2:] == [
        ("cancellation", {"step": "rejected", "why": "delivered"}),
        ("status", {"status": "completed", "remains": 0, "asked": False}),
    ]
    assert OrderEvent.objects.filter(kind="cancellation").count() == 1


def test_a_batch_keeps_when_an_order_started(panel: Panel, order: Order) -> None:
    began = timezone.now() - timedelta(hours=3)
    Order.objects.filter(pk=order.pk).update(status="in_progress", started_at=began)
    panel.report(number_of(order), "Completed", remains=0)
    assert sync(order).started_at == began


def test_an_order_that_changed_since_it_was_read_is_judged_again_at_once(
    panel: Panel, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(panel, order, 2)
    panel.report(number_of(order), "In progress", remains=40)
    apply_many = fulfillment.advance_orders

    def change_first(steps: Sequence[fulfillment.Step]) -> set[int]:
        Order.objects.filter(pk=order.pk).update(status="processing")
        return apply_many(steps)

    monkeypatch.setattr(fulfillment, "advance_orders", change_first)
    status_sync.sync_statuses(make_due())
    assert set(Order.objects.values_list("status", "remains")) == {("in_progress", 40)}


@pytest.mark.parametrize(("text", "reason"), [("Invalid API key", "key"), ("Too many requests", "busy"), ("", "gone")])
def test_a_panel_that_rejects_status_calls_is_left_alone(text: str, reason: str, panel: Panel, order: Order) -> None:
    follow(panel, order, 2999)
    Provider.objects.update(parallel=1)
    if reason == "gone":
        panel.stop()
    else:
        panel.fault("status", "error", times=99, text=text)
    counts = status_sync.sync_statuses(make_due())
    assert counts["calls"] <= 5, "what was under way, and no more of the thirty"
    assert status_sync.providers_to_sync() == []
    assert set(Order.objects.values_list("status", flat=True)) == {"pending"}
    provider = Provider.objects.get()
    assert provider.sync_paused_until is not None
    assert provider.is_paused == (reason == "key"), "orders would fare the same only where the key is wrong"
    assert provider.sync_paused_until - timezone.now() < timedelta(minutes=2), "one such answer is no proof"


def test_a_list_that_fails_once_is_asked_for_again_as_a_list(panel: Panel, order: Order) -> None:
    follow(panel, order, 99)
    panel.report(number_of(order), "In progress", remains=40)
    panel.fault("status", "text", body='{"error":"Incorrect order ID"}')
    assert status_sync.sync_statuses(make_due())["calls"] == 5, "the list, two alone, the two together, the list"
    assert Order.objects.filter(status="in_progress").count() == 100


@pytest.mark.parametrize(
    ("kind", "options"),
    [("html", {}), ("text", {"body": '{"error":"We are down, come back later"}'}), ("text", {"body": "[]x"})],
)
def test_the_same_error_for_every_call_ends_the_pass_after_three_calls(
    panel: Panel, order: Order, kind: str, options: dict[str, Any]
) -> None:
    follow(panel, order, 195)
    Provider.objects.update(parallel=1)
    panel.fault("status", kind, times=999, **options)
    waits = []
    for _ in range(3):
        assert status_sync.sync_statuses(make_due())["calls"] <= 4, "two lists under way and two orders alone"
        provider = Provider.objects.get()
        assert provider.sync_paused_until is not None
        waits.append(round((provider.sync_paused_until - timezone.now()).total_seconds() / 60))
        Provider.objects.update(sync_paused_until=None)
    assert waits == [1, 2, 4]
    assert not Placement.objects.filter(missed_checks__gt=0).exists(), "it was not about any order"
    panel.clear_faults()
    panel.report(number_of(order), "In progress", remains=40)
    assert status_sync.sync_statuses(make_due())["changed"] == 196
    assert Provider.objects.get().sync_failures == 0


def without_lists(panel: Panel, monkeypatch: pytest.MonkeyPatch, refuses: Callable[[list[str]], bool]) -> None:
    """The panel says to lists that ``refuses`` names what it says to a call without an order's number."""
    answer = panel.status

    def status(params: dict[str, str]) -> object:
        if "orders" in params and refuses(params["orders"].split(",")):
            return {"error": "Incorrect order ID"}
        return answer(params)

    monkeypatch.setattr(panel, "_answers", {**panel._answers, "status": status})


def test_a_panel_that_answers_for_one_order_only_is_asked_one_by_one(
    panel: Panel, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(panel, order, 249)
    Provider.objects.update(parallel=4)
    panel.report(number_of(order), "In progress", remains=40)
    without_lists(panel, monkeypatch, lambda asked: True)
    counts = status_sync.sync_statuses(make_due())
    assert (counts["changed"], counts["calls"]) == (250, 250 + 3 + 1), "three lists, and two orders together"
    assert panel.peak_parallel <= 4
    panel.report(number_of(order), "In progress", remains=30)
    assert status_sync.sync_statuses(make_due())["calls"] == 250, "it is remembered"
    monkeypatch.undo()
    Provider.objects.update(batch_refused_at=timezone.now() - timedelta(days=2))
    assert status_sync.sync_statuses(make_due())["calls"] == 3, "and tried again after a day"


def test_one_order_that_makes_batches_fail_does_not_delay_others(
    panel: Panel, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(panel, order, 99)
    panel.report(number_of(order), "In progress", remains=40)
    without_lists(panel, monkeypatch, lambda asked: "50042" in asked)
    panel.orders.pop("50042")
    counts = status_sync.sync_statuses(make_due())
    assert Order.objects.filter(status="in_progress").count() == 99
    assert counts["calls"] < 30
    assert Placement.objects.get(missed_checks=1).upstream_id == "50042"
    assert Provider.objects.get().batch_refused_at is None
    calls = status_sync.sync_statuses(make_due())["calls"]
    assert calls == 2, "the next time it is asked for apart from the others"


def test_a_fixed_currency_in_statuses_stops_the_provider_once(panel: Panel, order: Order) -> None:
    panel.fault("status", "rows", times=2, currency="EUR")
    sync(order)
    assert Provider.objects.get().is_paused
    circuit_breaker.resume(Provider.objects.get())
    sync(order)
    assert not Provider.objects.get().is_paused, "the operator has seen it"
    panel.fault("status", "rows", currency="KZT")
    sync(order)
    assert "KZT" in Provider.objects.get().pause_reason, "another one is news"


def test_a_short_pause_ends_no_longer_one(panel: Panel, order: Order) -> None:
    panel.fault("status", "rows", currency="EUR")
    sync(order)
    provider = Provider.objects.get()
    circuit_breaker.pause(provider, seconds=60, reason="Too many requests")
    provider.refresh_from_db()
    assert "EUR" in provider.pause_reason
    assert provider.paused_until is not None
    assert provider.paused_until > timezone.now() + timedelta(days=300)
