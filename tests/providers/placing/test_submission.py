"""Placing orders at a panel with faults: every outcome is recorded as designed, and nothing is placed twice."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from orders.ledger import audit
from orders.models import Order, Service
from providers.http.messages import Answer
from providers.models import Offer, Placement, Provider, Route
from providers.notes import Note
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.transport import circuit_breaker
from providers.worker import turns
from tests.providers.conftest import buy, claim, customer, provider_at, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(panel: Panel) -> Order:
    provider_at(panel, "v2")
    return buy(customer(), Service.objects.filter(service_type="default")[0])


def submit(**options: Any) -> None:
    submission.submit_due(Provider.objects.get(), **options)


IN_DOUBT = [
    ("reset_before", {}),
    ("reset_after", {}),
    ("hang", {}),
    ("execute_then_hang", {}),
    ("drip", {}),
    ("html", {}),
    ("challenge", {}),
    ("http_500", {}),
    ("http_500", {"executed": True}),
    ("http_error", {"status": 503, "body": '{"error":"Not enough funds on balance"}'}),
    ("empty", {}),
    ("list", {}),
    ("truncated", {}),
    ("redirect", {"status": 302}),
    ("redirect", {"status": 307}),
    ("error", {"text": "Something went wrong"}),
    ("text", {"body": '{"status":"success"}'}),
    ("text", {"body": '{"order":0}'}),
    ("text", {"body": '{"order":-1}'}),
    ("text", {"body": '{"order":null}'}),
    ("text", {"body": '{"order":true}'}),
    ("text", {"body": '{"order":1e30}'}),
    ("text", {"body": '{"order":[1]}'}),
    ("text", {"body": '{"order":5,"error":"x"}'}),
    ("text", {"body": "null"}),
    ("text", {"body": '"ok"'}),
    ("text", {"body": '{"order":"23501 "}'}),
    ("text", {"body": '{"order":"abc"}'}),
    ("text", {"body": '{"order":1,"order":2}'}),
    ("text", {"body": '{"order":NaN}'}),
    ("text", {"body": b"\xff\xfe{\x00}"}),
    ("text", {"body": "[" * 100_000}),
    ("http_error", {"status": 422, "body": '{"error":"Something went wrong"}'}),
    ("http_error", {"status": 404, "body": "<h1>Not found</h1>", "content_type": "text/html"}),
    ("http_error", {"status": 405, "body": "<h1>Not allowed</h1>", "content_type": "text/html"}),
    ("http_error", {"status": 520, "executed": True}),
    ("http_error", {"status": 524, "executed": True}),
    ("http_error", {"status": 302, "body": '{"error":"Bad link"}'}),
    ("http_error", {"status": 429, "body": '{"order":7}'}),
    ("truncated", {"announce_all": True}),
    ("wrong_types", {}),
    ("late", {"seconds": 1.2}),
    ("bomb", {"mb": 1}),
    ("huge", {"mb": 1}),
]


@pytest.mark.usefixtures("quick_calls")
@pytest.mark.parametrize(("kind", "options"), IN_DOUBT, ids=lambda value: str(value)[:40])
def test_an_answer_that_is_neither_yes_nor_no_leaves_the_order_in_doubt(
    panel: Panel, order: Order, kind: str, options: dict[str, Any]
) -> None:
    panel.fault("add", kind, **options)
    submit()
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("in_doubt", 0)
    assert Placement.objects.get().state == "in_doubt"

    submit(is_now=True)
    submit(is_now=True)
    assert len(panel.received("add")) <= 1, "an order in doubt is never sent again by itself"
    assert len(panel.orders) <= 1
    assert list(audit.findings()) == []


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Incorrect service ID", 200),
        ("Quantity less than minimal 10", 200),
        ("Bad link", 200),
        ("Service is inactive or not found", 422),
        ("Incorrect request", 400),
    ],
)
def test_a_plain_refusal_with_no_other_route_ends_the_order_and_pays_back(
    panel: Panel, order: Order, text: str, status: int
) -> None:
    panel.fault("add", "http_error", status=status, body=f'{{"error":"{text}"}}', content_type="application/json")
    submit()
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("failed", order.charge)
    assert Placement.objects.get().panel_error == text
    assert list(audit.findings()) == []


def test_a_refusal_goes_to_the_next_route_and_is_bought_there_once(
    panel: Panel, order: Order, start_panel: Callable[..., Panel]
) -> None:
    other = start_panel("v2")
    second = provider_at(other, "v2", name="second")
    offer = Offer.objects.get(provider=second, upstream_id=Offer.objects.get(routes__service=order.service).upstream_id)
    Route.objects.create(service=order.service, offer=offer, priority=5)
    panel.fault("add", "error", text="Incorrect service ID")

    submission.submit_due(Provider.objects.exclude(pk=second.pk).get())
    order.refresh_from_db()
    assert order.status == "queued"
    submission.submit_due(second)

    order.refresh_from_db()
    assert (order.status, order.refunded) == ("pending", 0)
    assert (len(panel.orders), len(other.orders)) == (0, 1)


def test_a_panel_that_is_not_there_puts_the_order_back_in_the_queue(panel: Panel, order: Order) -> None:
    panel.stop()
    submit()
    order.refresh_from_db()
    assert (order.status, Placement.objects.get().state) == ("queued", "not_sent")
    assert order.due_at is not None
    assert order.due_at > timezone.now()

    submit()
    assert Placement.objects.count() == 1, "not before its time"
    host, _, port = panel.url.removeprefix("http://").split("/")[0].rpartition(":")
    panel.start(host, int(port))
    submit(is_now=True)
    order.refresh_from_db()
    assert (order.status, len(panel.orders)) == ("pending", 1)


def test_a_pass_that_ignores_waiting_times_tries_each_order_once(panel: Panel, order: Order) -> None:
    panel.stop()
    assert submission.submit_due(Provider.objects.get(), is_now=True) == {"not_sent": 1}


def test_a_panel_that_is_not_there_again_and_again_is_left_alone_for_a_while(panel: Panel, order: Order) -> None:
    panel.stop()
    for _ in range(circuit_breaker.FAILURES):
        submit(is_now=True)
    provider = Provider.objects.get()
    assert provider.is_paused
    assert Note.UNREACHABLE in provider.pause_reason


@pytest.mark.parametrize(("text", "seconds"), [("Invalid API key", 60), ("Too many requests", 60)])
def test_a_refusal_that_is_about_the_provider_pauses_it_and_keeps_the_order(
    panel: Panel, order: Order, text: str, seconds: int
) -> None:
    panel.fault("add", "error", text=text)
    submit()
    order.refresh_from_db()
    provider = Provider.objects.get()
    assert (order.status, order.refunded) == ("queued", 0)
    assert provider.paused_until is not None
    assert abs((provider.paused_until - timezone.now()).total_seconds() - seconds) < 5

    circuit_breaker.resume(provider)
    submit()
    order.refresh_from_db()
    assert (order.status, len(panel.orders)) == ("pending", 1)


@pytest.mark.parametrize(("status", "seconds"), [(401, 60), (403, 60), (429, 60)])
def test_a_refusal_by_its_http_status_pauses_the_provider_and_keeps_the_order(
    panel: Panel, order: Order, status: int, seconds: int
) -> None:
    panel.fault("add", "http_error", status=status, body='{"error":"Words that nobody knows"}')
    submit()
    order.refresh_from_db()
    provider = Provider.objects.get()
    assert (order.status, order.refunded, Placement.objects.get().state) == ("queued", 0, "refused")
    assert provider.paused_until is not None
    assert abs((provider.paused_until - timezone.now()).total_seconds() - seconds) < 5


def test_retry_after_is_honoured(panel: Panel, order: Order) -> None:
    panel.fault("add", "http_error", status=429, body="{}", headers={"Retry-After": "17"})
    submit()
    provider = Provider.objects.get()
    assert provider.paused_until is not None
    assert abs((provider.paused_until - timezone.now()).total_seconds() - 17) < 3
    order.refresh_from_db()
    assert order.status == "queued"


def test_a_number_that_another_order_has_is_a_doubt_not_an_order(panel: Panel, order: Order) -> None:
    submit()
    number = Placement.objects.get().upstream_id
    second = buy(order.user, order.service, link="https://x.example.com/p/other")
    panel.fault("add", "text", body=f'{{"order":{number}}}')
    submit()
    second.refresh_from_db()
    assert second.status == "in_doubt"
    assert number in Placement.objects.get(order=second).panel_error


def test_a_claim_whose_worker_died_stands_in_doubt_and_is_not_sent(panel: Panel, order: Order) -> None:
    provider = Provider.objects.get()
    (sent,) = claim(provider)
    Placement.objects.filter(pk=sent.placement.pk).update(lease_until=timezone.now() - timedelta(seconds=1))

    assert submission.expire_leases() == 1
    assert submission.expire_leases() == 0
    order.refresh_from_db()
    assert order.status == "in_doubt"
    submit(is_now=True)
    assert panel.received("add") == []


def test_an_answer_after_the_lease_still_counts(panel: Panel, order: Order) -> None:
    provider = Provider.objects.get()
    (sent,) = claim(provider)
    Placement.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    submission.expire_leases()
    answer = Answer(status=200, text='{"order":77}')
    assert record(provider, sent, answer) == "accepted"
    order.refresh_from_db()
    assert (order.status, Placement.objects.get().upstream_id) == ("pending", "77")


def test_only_one_pass_at_a_time_calls_a_provider(panel: Panel, order: Order) -> None:
    provider = Provider.objects.get()
    turn = turns.take(submission.turn_name(provider), seconds=60)
    assert turn is not None
    submit()
    assert panel.received("add") == []
    turn.end()
    submit()
    assert len(panel.received("add")) == 1


def test_an_order_without_a_route_waits(panel: Panel, order: Order) -> None:
    Route.objects.all().delete()
    submit(is_now=True)
    order.refresh_from_db()
    assert (order.status, Placement.objects.count()) == ("queued", 0)


def test_a_call_inside_a_transaction_is_refused(panel: Panel, order: Order) -> None:
    with transaction.atomic(), pytest.raises(transaction.TransactionManagementError):
        submit()
    assert panel.received("add") == []


def test_orders_are_placed_at_the_pools_pace_not_one_after_the_other(panel: Panel, order: Order, settings: Any) -> None:
    settings.SUBMIT_PARALLEL = 16
    panel.latency = 0.1
    for number in range(63):
        buy(order.user, order.service, link=f"https://x.example.com/p/a{number}")
    began = time.monotonic()
    submit()
    elapsed = time.monotonic() - began
    assert Order.objects.filter(status="pending").count() == 64
    assert 8 < panel.peak_parallel <= 16
    assert elapsed < 64 * 0.1 / 2


@pytest.mark.django_db(transaction=True)
def test_two_passes_in_two_processes_buy_each_order_once(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even without turns, the claim itself lets each order go once."""
    provider = provider_at(panel, "v2")
    user, service = customer(), Service.objects.filter(service_type="default")[0]
    for number in range(24):
        buy(user, service, link=f"https://x.example.com/p/{number}")
    free = itertools.count()
    monkeypatch.setattr(submission, "turn_name", lambda provider: f"no common turn {next(free)}")
    barrier = threading.Barrier(4)

    def work() -> None:
        try:
            barrier.wait()
            submission.submit_due(Provider.objects.get(pk=provider.pk))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(panel.orders) == 24
    assert Placement.objects.filter(state="accepted").count() == 24
    assert list(audit.findings()) == []
