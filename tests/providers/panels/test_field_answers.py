"""Unusual answers of panels seen in the field, and what happens to the orders, with a real socket and database."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from orders.ledger import audit
from orders.lifecycle import customer_requests
from orders.models import Order, OrderEvent, Service
from providers.models import Placement, Provider, UpstreamRequest
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.pricelists import importer, onboarding
from providers.tracking import status_sync, upstream_requests
from tests.providers.conftest import buy, customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_calls")]


def orders(number: int) -> list[Order]:
    user, service = customer(), Service.objects.filter(service_type="default", max_quantity__gte=100)[0]
    return [buy(user, service, link=f"https://x.example.com/p/{place}", quantity="100") for place in range(number)]


def answer_with(panel: Panel, verb: str, body: Any, status: int = 200, times: int = 1) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    for _ in range(times):
        panel.fault(verb, "http_error", status=status, body=text)


def sync(provider: Provider) -> None:
    Provider.objects.update(sync_paused_until=None)
    status_sync.sync_statuses(provider, is_now=True)


# ------------------------------------------------------------------------------------------------ placing


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"error": "Low balance"}, 200),
        ({"error": "You don't have enough balance"}, 200),
        ({"status": "error", "msg": "Not enough funds on balance"}, 200),
        ({"message": "Unauthenticated."}, 401),
    ],
)
def test_a_rejection_about_our_account_leaves_every_order_queued(
    panel: Panel, provider: Provider, body: Any, status: int
) -> None:
    waiting = orders(30)
    answer_with(panel, "add", body, status, times=30)
    submission.submit_due(provider, is_now=True)
    assert set(Order.objects.filter(pk__in=[order.pk for order in waiting]).values_list("status", flat=True)) == {
        "queued"
    }
    assert not list(audit.findings())


@pytest.mark.parametrize(
    "text",
    ["Please follow the limit", "Invalid service", "Service not available", "Incorrect service", "Неверная ссылка"],
)
def test_a_rejection_of_one_order_refunds_it(panel: Panel, provider: Provider, text: str) -> None:
    (order,) = orders(1)
    answer_with(panel, "add", {"error": text})
    submission.submit_due(provider, is_now=True)
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("failed", order.charge)


@pytest.mark.parametrize(
    "text", ["Something went wrong", "Service temporarily unavailable", "Order placed: low balance"]
)
def test_an_ambiguous_text_refunds_nothing(panel: Panel, provider: Provider, text: str) -> None:
    (order,) = orders(1)
    answer_with(panel, "add", {"error": text})
    submission.submit_due(provider, is_now=True)
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("in_doubt", 0)


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ({"status": "success", "data": {"order": 501}}, "501"),
        ({"success": True, "data": {"order": 1750, "charge": 0.5022, "currency": "USD"}}, "1750"),
        ('{"order":71,"message":"Thank you\nfor your order"}', "71"),
    ],
)
def test_an_order_in_an_envelope_is_followed_under_its_number(
    panel: Panel, provider: Provider, body: Any, number: str
) -> None:
    (order,) = orders(1)
    answer_with(panel, "add", body)
    submission.submit_due(provider, is_now=True)
    order.refresh_from_db()
    assert (order.status, Placement.objects.get(order=order).upstream_id) == ("pending", number)


# ------------------------------------------------------------------------------------------------ following


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status": "error", "message": "Invalid API key"}, 200),
        ({"status": "error", "message": "Server error"}, 503),
        ({"status": "success", "message": "ok", "data": []}, 200),
        ({"status": "fail", "error": "Invalid API key"}, 401),
        ({"error": "API key is incorrect", "status": 102}, 200),
        ({"status": False, "data": "Order ID salah/Tidak ditemukan!"}, 200),
        ({"error": "Order not found.", "status": "104"}, 200),
        ({"status": "Canceled"}, 500),
    ],
)
@pytest.mark.parametrize("number", [1, 5])
def test_an_answer_that_is_no_report_changes_no_order(
    panel: Panel, provider: Provider, body: Any, status: int, number: int
) -> None:
    followed = orders(number)
    submission.submit_due(provider, is_now=True)
    Provider.objects.update(has_failure_refunds=True)
    answer_with(panel, "status", body, status, times=12)
    sync(provider)
    for order in followed:
        order.refresh_from_db()
        assert (order.status, order.refunded) == ("pending", 0)
    assert not OrderEvent.objects.filter(kind="oddity").exists()
    assert not list(audit.findings())


@pytest.mark.parametrize(
    ("body", "status", "refunded"),
    [
        (
            {"status": "success", "data": {"status": "In progress", "start_count": "5", "remains": "50"}},
            "in_progress",
            0,
        ),
        ({"status": True, "data": {"status": "Pending", "start_count": 5, "remains": 50}}, "pending", 0),
        ({"status": "success", "data": {"status": "Canceled"}}, "canceled", 1),
        ({"status": "Order Cancelled", "remains": "100", "start_count": "0"}, "canceled", 1),
        ({"status": "In progress", "remains": "50", "currency": "Toman"}, "in_progress", 0),
        ({"status": "In Queue", "remains": "100"}, "pending", 0),
        ({"status": "processing", "start_counter": 77, "remain": 50}, "processing", 0),
    ],
)
def test_a_report_in_any_form_is_applied(
    panel: Panel, provider: Provider, body: Any, status: str, refunded: int
) -> None:
    (order,) = orders(1)
    submission.submit_due(provider, is_now=True)
    answer_with(panel, "status", body)
    sync(provider)
    order.refresh_from_db()
    provider.refresh_from_db()
    assert (order.status, order.refunded) == (status, order.charge * refunded)
    assert not provider.is_paused
    assert not OrderEvent.objects.filter(kind="oddity").exists()


@pytest.mark.parametrize("name", ["error", "status"])
def test_a_key_that_a_panel_echoes_about_an_order_is_not_kept(panel: Panel, provider: Provider, name: str) -> None:
    (order,) = orders(1)
    submission.submit_due(provider, is_now=True)
    answer_with(panel, "status", {name: f"hidden from {panel.key}", "remains": "5"})
    sync(provider)
    placement = Placement.objects.get(order=order)
    stored = (
        f"{placement.panel_error} {placement.panel_status} {list(OrderEvent.objects.values_list('data', flat=True))}"
    )
    assert "hidden from [key]" in stored
    assert panel.key not in stored


# ------------------------------------------------------------------------------------------------ balances


@pytest.mark.parametrize("word", ["Toman", "Rupee", "₹", "Rs."])
def test_a_currency_word_pauses_no_provider(panel: Panel, provider: Provider, word: str) -> None:
    answer_with(panel, "balance", {"balance": "100", "currency": word})
    importer.import_offers(provider)
    provider.refresh_from_db()
    assert (provider.is_paused, provider.balance) == (False, Decimal(100))


def test_another_currency_code_with_the_balance_is_reported(panel: Panel, provider: Provider) -> None:
    answer_with(panel, "balance", {"balance": "12.50 EUR"})
    assert onboarding.test_connection(provider).currency == "EUR"


# ------------------------------------------------------------------------------------------------ requests


@pytest.fixture
def finished(panel: Panel, provider: Provider) -> Order:
    """An order that the panel has delivered, of a service with refills."""
    (order,) = orders(1)
    Service.objects.update(has_refill=True, has_cancel=True)
    submission.submit_due(provider, is_now=True)
    answer_with(panel, "status", {"status": "Completed", "remains": "0"})
    sync(provider)
    order.refresh_from_db()
    return order


@pytest.mark.parametrize("body", [{"refill": "error"}, {"refill": "true"}, {"refill": "We look into it"}])
def test_a_refill_without_a_clear_answer_goes_to_an_operator(
    panel: Panel, provider: Provider, finished: Order, body: Any
) -> None:
    refill = customer_requests.request_refill(finished)
    answer_with(panel, "refill", body)
    upstream_requests.run(provider, is_now=True)
    refill.refresh_from_db()
    assert (refill.needs_operator, UpstreamRequest.objects.get().upstream_id) == (True, "")


@pytest.mark.parametrize("text", ["Refill will be available in 20 hours", "Refill already in progress"])
def test_a_refill_that_comes_too_early_is_asked_for_again(
    panel: Panel, provider: Provider, finished: Order, text: str
) -> None:
    refill = customer_requests.request_refill(finished)
    answer_with(panel, "refill", {"error": text})
    upstream_requests.run(provider, is_now=True)
    refill.refresh_from_db()
    assert (refill.status, refill.needs_operator) == ("waiting", False)
    assert refill.due_at is not None


def test_the_rejection_of_a_refill_in_an_envelope_is_no_completion(
    panel: Panel, provider: Provider, finished: Order
) -> None:
    refill = customer_requests.request_refill(finished)
    answer_with(panel, "refill", {"refill": "1"})
    upstream_requests.run(provider, is_now=True)
    answer_with(panel, "refill_status", {"status": "success", "data": {"status": "Rejected"}})
    upstream_requests.run(provider, is_now=True)
    refill.refresh_from_db()
    assert refill.status == "rejected"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status": "success", "message": "Order cannot be cancelled"}, "rejected"),
        ({"order": 9, "cancel": 0, "status": "success"}, "waiting"),
    ],
)
def test_success_around_a_rejected_cancellation_is_not_an_acceptance(
    panel: Panel, provider: Provider, body: Any, status: str
) -> None:
    (order,) = orders(1)
    Service.objects.update(has_cancel=True)
    submission.submit_due(provider, is_now=True)
    order.refresh_from_db()
    cancellation = customer_requests.request_cancellation(order)
    answer_with(panel, "cancel", body)
    upstream_requests.run(provider, is_now=True)
    cancellation.refresh_from_db()
    assert (cancellation.status, cancellation.needs_operator) == (status, status == "waiting")
