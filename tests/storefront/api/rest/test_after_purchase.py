"""Events, refills, cancellations, many orders at once, money and webhooks over the REST API."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from orders.events import ShopEvent, Topic
from orders.models import DeliveryStats, Order, OrderEvent, PriceChange
from storefront.payments.models import Payment
from storefront.webhooks import outbox
from storefront.webhooks.models import Endpoint
from tests import factories
from tests.storefront.api.rest.program import LINK, Program, problem


@pytest.fixture(autouse=True)
def _local_webhooks(settings: Any) -> None:
    settings.ALLOW_PRIVATE_WEBHOOKS = True


def completed_order(caller: Program, **flags: Any) -> Order:
    order = factories.order(caller.user, factories.service(has_refill=True, has_cancel=True, **flags))
    Order.objects.filter(pk=order.pk).update(status="completed", remains=0, ended_at=timezone.now())
    return order


def test_a_refill_is_requested_read_and_listed(caller: Program) -> None:
    order = completed_order(caller)
    made = caller.post("refills", {"order": order.pk}, status=201)
    assert made | {"created_at": ""} == {
        "id": made["id"], "order": order.pk, "status": "pending", "created_at": "", "ended_at": None,
    }  # fmt: skip
    assert caller.get(f"refills/{made['id']}") == made
    assert caller.get("refills", order=order.pk, status="pending")["data"] == [made]
    assert caller.get("refills", status="rejected")["data"] == []
    assert problem(caller.call("POST", "refills", {"order": order.pk})) == (409, "request_open")


def test_a_refill_that_is_not_possible_says_why(caller: Program) -> None:
    waiting = factories.order(caller.user, factories.service(has_refill=True))
    plain = factories.order(caller.user)
    old = completed_order(caller)
    Order.objects.filter(pk=old.pk).update(ended_at="2020-01-01T00:00Z")
    assert problem(caller.call("POST", "refills", {"order": waiting.pk})) == (409, "order_not_completed")
    assert problem(caller.call("POST", "refills", {"order": plain.pk})) == (409, "refill_not_offered")
    over = caller.call("POST", "refills", {"order": old.pk})
    assert problem(over) == (409, "refill_window_over")
    assert over.json()["available_at"] == "2020-01-31T00:00:00+00:00"
    assert problem(caller.call("POST", "refills", {"order": 10**17})) == (404, "not_found")


def test_a_queued_order_is_canceled_and_refunded(caller: Program) -> None:
    order = factories.order(caller.user, factories.service(has_cancel=True))
    made = caller.post("cancellations", {"order": order.pk}, status=201)
    assert made["status"] == "completed"
    assert caller.get(f"cancellations/{made['id']}") == caller.get("cancellations")["data"][0] == made
    after = caller.get(f"orders/{order.pk}")
    assert (after["status"], after["refunded"]) == ("canceled", "0.09")
    kinds = [row["kind"] for row in caller.get(f"orders/{order.pk}/events")["data"]]
    assert {"cancellation", "status", "refunded"} == set(kinds)
    assert problem(caller.call("POST", "cancellations", {"order": order.pk})) == (409, "order_ended")


def test_the_steps_of_a_request_are_told_without_the_shops_own(caller: Program) -> None:
    order = factories.order(caller.user)
    for step in ("requested", "staff", "in_progress", "rejected"):
        OrderEvent.objects.create(order=order, kind="refill", data={"step": step})
    steps = [row["step"] for row in caller.get(f"orders/{order.pk}/events")["data"]]
    assert steps == ["rejected", "in_progress", "requested", "requested"]


def test_events_show_customers_what_is_theirs_to_see(caller: Program) -> None:
    order = factories.order(caller.user)
    OrderEvent.objects.create(order=order, kind="refused", data={"words": "provider's words"})
    OrderEvent.objects.create(order=order, kind="status", data={"status": "in_doubt", "start_count": 5})
    assert [
        {name: row[name] for name in ("kind", "status", "start_count", "amount", "step")}
        for row in caller.get(f"orders/{order.pk}/events")["data"]
    ] == [{"kind": "status", "status": "under_review", "start_count": 5, "amount": None, "step": None}]


def test_many_orders_have_a_result_each(caller: Program) -> None:
    service = factories.service(rate="0.90")
    good = {"service": service.pk, "link": LINK, "quantity": 100}
    lines = [good, {**good, "quantity": 0}, {"service": 10**17}, good, "text", {**good, "service": service.pk}]
    body = caller.post("orders/bulk", {"orders": lines}, key="one")
    assert [row["order"] is not None for row in body["results"]] == [True, False, False, True, False, True]
    assert [row["problem"] and row["problem"]["code"] for row in body["results"]] == [
        None, "invalid_fields", "service_not_available", None, "invalid_fields", None,
    ]  # fmt: skip
    assert [row["index"] for row in body["results"]] == [*range(6)]
    assert body["placed"] == Order.objects.count() == 3
    assert caller.post("orders/bulk", {"orders": lines}, key="one") == body
    assert caller.get("balance")["balance"] == "99.73"


def test_money_ends_many_orders_where_it_ends(caller: Program) -> None:
    dear = {"service": factories.service(rate="40").pk, "link": LINK, "quantity": 1000}
    body = caller.post("orders/bulk", {"orders": [dear] * 3})
    assert [row["problem"] and row["problem"]["code"] for row in body["results"]] == [None, None, "insufficient_funds"]
    assert caller.get("balance")["balance"] == "20.00"


@pytest.mark.parametrize("lines", [[], [{}] * 101, "text", None])
def test_many_orders_are_a_list_of_up_to_a_hundred(caller: Program, lines: Any) -> None:
    assert problem(caller.call("POST", "orders/bulk", {"orders": lines}, Idempotency_Key="1")) == (
        422,
        "invalid_fields",
    )


def test_transactions_add_up_to_the_balance(caller: Program) -> None:
    order = factories.order(caller.user)
    rows = caller.get("transactions")["data"]
    assert [(row["kind"], row["amount"], row["balance_after"], row["order"]) for row in rows] == [
        ("charge", "-0.09", "99.91", order.pk),
        ("payment", "100.00", "100.00", None),
    ]
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal(caller.get("balance")["balance"])
    assert caller.get("transactions", kind="charge", order=order.pk)["data"] == rows[:1]
    assert caller.get(f"transactions/{rows[0]['id']}") == rows[0]


def test_payments_are_read(caller: Program) -> None:
    payment = Payment.objects.create(
        user=caller.user,
        gateway="manual",
        label="Bank",
        amount=Decimal(25),
        currency="USD",
        pay_amount=Decimal(25),
        pay_currency="USD",
        reference="P-1",
    )
    row = caller.get(f"payments/{payment.pk}")
    assert row == caller.get("payments", status="started")["data"][0]
    assert {name: row[name] for name in ("reference", "method", "amount", "status", "paid_amount")} == {
        "reference": "P-1", "method": "Bank", "amount": "25.00", "status": "started", "paid_amount": None,
    }  # fmt: skip
    assert problem(caller.call("POST", "payments", {})) == (405, "method_not_allowed")


def test_delivery_times_are_shown_once_there_are_enough(caller: Program) -> None:
    service = factories.service()
    stats = DeliveryStats.objects.create(service=service, sample=9, start_median=60, completed=9)
    assert problem(caller.call("GET", f"services/{service.pk}/delivery-times")) == (404, "not_found")
    DeliveryStats.objects.filter(pk=stats.pk).update(sample=10)
    times = caller.get(f"services/{service.pk}/delivery-times")
    assert (times["service"], times["orders_measured"], times["start_median"]) == (service.pk, 10, 60)


def test_the_price_history_of_a_service_is_listed(caller: Program) -> None:
    service = factories.service()
    for old, new in (("0.9", "1"), ("1", "1.1")):
        PriceChange.objects.create(service=service, old_rate=Decimal(old), new_rate=Decimal(new))
    rows = caller.get(f"services/{service.pk}/price-history")["data"]
    assert [(row["old_rate"], row["new_rate"]) for row in rows] == [("1.00", "1.10"), ("0.90", "1.00")]
    service.is_active = False
    service.save()
    assert problem(caller.call("GET", f"services/{service.pk}/price-history")) == (404, "not_found")


# ------------------------------------------------------------------------------------------------ webhooks
SENT = {"url": "http://127.0.0.1:9000/hook", "events": ["order.changed", "prices.changed"]}


def test_an_endpoint_is_added_changed_paused_and_removed(caller: Program) -> None:
    made = caller.post("webhook-endpoints", SENT, status=201)
    row = Endpoint.objects.get()
    assert made.pop("secret") == row.secret.reveal()
    path = f"webhook-endpoints/{row.pk}"
    assert caller.get(path) == caller.get("webhook-endpoints")["data"][0] == made
    assert (made["events"], made["is_active"], made["pause_reason"]) == (SENT["events"], True, None)
    changed = caller.call("PATCH", path, {"events": ["balance.low"]}).json()
    assert (changed["url"], changed["events"]) == (SENT["url"], ["balance.low"])
    paused = caller.call("PATCH", path, {"is_active": False}).json()
    assert (paused["is_active"], paused["pause_reason"]) == (False, "owner")
    assert problem(caller.call("POST", f"{path}/test")) == (409, "endpoint_paused")
    assert caller.call("PATCH", path, {"is_active": True}).json() == changed
    assert caller.post(f"{path}/rotate-secret")["secret"] != row.secret.reveal()
    assert caller.call("DELETE", path).status_code == 204
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "ftp://example.com"}, "url"),
        ({"url": "no url"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["order.paid"]}, "events.0"),
        ({"secret": "1"}, "secret"),
    ],
)
def test_an_endpoint_follows_the_rules_of_the_form(caller: Program, change: Any, field: str) -> None:
    response = caller.call("POST", "webhook-endpoints", {**SENT, **change})
    assert problem(response) == (422, "invalid_fields")
    assert [row["field"] for row in response.json()["errors"]] == [field]


def test_a_customer_has_a_maximum_of_endpoints(caller: Program) -> None:
    for _ in range(5):
        caller.post("webhook-endpoints", SENT)
    assert problem(caller.call("POST", "webhook-endpoints", SENT)) == (409, "too_many_endpoints")


def test_events_are_those_of_the_customers_endpoints(caller: Program, other: Program) -> None:
    mine = [caller.post("webhook-endpoints", SENT)["id"] for _ in range(2)]
    theirs = other.post("webhook-endpoints", SENT)["id"]
    order = factories.order(caller.user)
    outbox.record([ShopEvent(topic=Topic.ORDER, order_id=order.pk)])
    rate = {"service": 1, "service_type": "default", "is_flat": False, "old_rate": "1", "rate": "2"}
    outbox.record([ShopEvent(topic=Topic.PRICES, data={"services": [rate]})])
    rows = caller.get("events")["data"]
    assert [row["type"] for row in rows] == ["prices.changed", "order.changed"]
    assert rows[1]["data"]["order"] == order.pk
    assert [sorted(one["endpoint"] for one in row["deliveries"]) for row in rows] == [mine, mine]
    assert caller.get(f"events/{rows[1]['id']}") == rows[1]
    assert [row["type"] for row in other.get("events")["data"]] == ["prices.changed"]
    assert [one["endpoint"] for one in other.get("events")["data"][0]["deliveries"]] == [theirs]
    assert problem(other.call("GET", f"events/{rows[1]['id']}")) == (404, "not_found")
