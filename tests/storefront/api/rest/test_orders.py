"""Services, quotes and orders over the REST API."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orders.ledger import transfers
from orders.models import CustomerRate, Order
from tests import factories
from tests.storefront.api.rest.program import LINK, Program, problem


def test_services_are_listed_at_the_prices_of_the_customer(caller: Program) -> None:
    plain = factories.service(rate="0.90", has_refill=True)
    own = factories.service(rate="0.90")
    factories.service(is_active=False)
    CustomerRate.objects.create(user=caller.user, service=own, rate=Decimal("0.5"))
    rows = {row["id"]: row for row in caller.get("services")["data"]}
    assert [rows[plain.pk]["rate"], rows[own.pk]["rate"]] == ["0.90", "0.50"]
    assert len(rows) == 2
    assert caller.get(f"services/{plain.pk}") == {
        "id": plain.pk, "name": plain.name, "description": "",
        "category": {"id": plain.category_id, "name": plain.category.name},
        "type": "default", "rate": "0.90", "rate_per": 1000, "currency": "USD", "min_quantity": 1,
        "max_quantity": 10_000, "supports_refill": True, "supports_cancel": False, "supports_dripfeed": False,
        "refill_days": 30, "link_example": "", "required_inputs": ["link", "quantity"],
        "optional_inputs": ["start_at"],
    }  # fmt: skip


def test_an_order_is_placed_read_and_listed(caller: Program) -> None:
    service = factories.service(rate="0.90")
    made = caller.post("orders", {"service": service.pk, "link": LINK, "quantity": 100}, status=201)
    order = Order.objects.get()
    assert (order.pk, order.user, order.source, order.charge) == (made["id"], caller.user, "api", Decimal("0.09"))
    assert made | {"created_at": ""} == {
        "id": order.pk, "service": service.pk, "status": "pending", "link": LINK, "quantity": 100, "inputs": {},
        "runs": 1, "interval": 0, "charge": "0.09", "refunded": "0.00", "currency": "USD", "start_count": None,
        "remains": None, "start_at": None, "created_at": "", "started_at": None, "ended_at": None,
    }  # fmt: skip
    assert caller.get(f"orders/{order.pk}") == made
    assert caller.get("orders") == {"data": [made], "next_cursor": None}
    assert caller.get("balance") == {"balance": "99.91", "currency": "USD"}


def test_a_quote_buys_nothing(caller: Program) -> None:
    service = factories.service(rate="0.90")
    quote = caller.post("quotes", {"service": service.pk, "link": LINK, "quantity": 200_0})
    assert quote == {
        "service": service.pk, "quantity": 2000, "rate": "0.90", "rate_per": 1000, "charge": "1.80",
        "currency": "USD", "is_affordable": True, "start_at": None,
    }  # fmt: skip
    assert not Order.objects.exists()


def test_every_invalid_field_is_named(caller: Program) -> None:
    service = factories.service(min_quantity=50)
    response = caller.call("POST", "quotes", {"service": service.pk, "link": "java script", "quantity": 10})
    assert problem(response) == (422, "invalid_fields")
    assert [(row["field"], row["code"]) for row in response.json()["errors"]] == [
        ("link", "bad_link"),
        ("quantity", "too_small"),
    ]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("amount_of", 5, "unknown"),
        ("service", "none", "invalid"),
        ("service", 0, "too_small"),
        ("quantity", None, "missing"),
        ("quantity", 10**16, "too_large"),
        ("link", "a\0b", "unsupported"),
        ("comments", "no list", "invalid"),
        ("expected_charge", "NaN", "invalid"),
        ("expected_charge", 0.1, "invalid"),
    ],
)
def test_a_field_of_another_form_is_refused(caller: Program, field: str, value: object, code: str) -> None:
    body = {"service": factories.service().pk, "link": LINK, "quantity": 100, field: value}
    response = caller.call("POST", "quotes", body)
    assert problem(response) == (422, "invalid_fields")
    assert [(row["field"], row["code"]) for row in response.json()["errors"]] == [(field, code)]


def test_a_service_that_is_not_sold_is_not_bought(caller: Program) -> None:
    gone = factories.service(is_active=False)
    for number in (gone.pk, 10**17):
        body = {"service": number, "link": LINK, "quantity": 100}
        assert problem(caller.call("POST", "quotes", body)) == (409, "service_not_available")


def test_a_balance_on_hold_buys_nothing(caller: Program) -> None:
    service = factories.service()
    transfers.set_held(caller.user.wallet, is_held=True)
    body = {"service": service.pk, "link": LINK, "quantity": 100}
    assert problem(caller.call("POST", "orders", body, Idempotency_Key="1")) == (403, "balance_on_hold")
    bulk = caller.call("POST", "orders/bulk", {"orders": [body]}, Idempotency_Key="2").json()
    assert bulk["results"][0]["problem"]["code"] == "balance_on_hold"
    transfers.set_held(caller.user.wallet, is_held=False)
    assert caller.call("POST", "orders", body, Idempotency_Key="3").status_code == 201


def test_an_order_beyond_the_balance_is_refused(caller: Program) -> None:
    body = {"service": factories.service(rate="20000").pk, "link": LINK, "quantity": 1000}
    assert problem(caller.call("POST", "orders", body, Idempotency_Key="1")) == (402, "insufficient_funds")
    assert not Order.objects.exists()


def test_a_price_that_has_changed_is_not_paid(caller: Program) -> None:
    body = {"service": factories.service(rate="0.90").pk, "link": LINK, "quantity": 100, "expected_charge": "0.08"}
    response = caller.call("POST", "orders", body, Idempotency_Key="1")
    assert problem(response) == (409, "price_changed")
    assert response.json()["charge"] == "0.09"
    caller.post("orders", {**body, "expected_charge": "0.09"})


def test_every_service_type_is_bought_by_its_own_fields(caller: Program) -> None:
    inputs = {
        "custom_comments": {"comments": ["one", "two", "three"]},
        "mentions_custom_list": {"usernames": ["one", "two"]},
        "poll": {"quantity": 10, "answer_number": 2},
        "package": {},
        "subscriptions": {
            "username": "nadia", "min": 10, "max": 20, "posts": 2, "delay": 30, "expiry": "2030-11-11"
        },
    }  # fmt: skip
    for service_type, fields in inputs.items():
        sold = factories.service(service_type, is_flat=service_type == "package")
        link = {} if service_type == "subscriptions" else {"link": LINK}
        made = caller.post("orders", {"service": sold.pk, **link, **fields})
        assert made["quantity"] == {
            "custom_comments": 3, "mentions_custom_list": 2, "poll": 10, "package": 1, "subscriptions": 40
        }[service_type]  # fmt: skip


def test_orders_are_filtered(caller: Program) -> None:
    first, second = factories.service(), factories.service()
    one = factories.order(caller.user, first)
    two = factories.order(caller.user, second, status="in_doubt")
    assert [row["id"] for row in caller.get("orders")["data"]] == [two.pk, one.pk]
    assert [row["id"] for row in caller.get("orders", service=first.pk)["data"]] == [one.pk]
    assert [row["status"] for row in caller.get("orders", status="under_review")["data"]] == ["under_review"]
    assert caller.get("orders", created_after="2100-01-01T00:00Z")["data"] == []
    for query in ({"status": "queued"}, {"service": "x"}, {"service": 10**19}, {"created_after": "x"}, {"limit": "0"}):
        assert problem(caller.call("GET", "orders", query=query)) == (422, "invalid_fields")


def test_pages_follow_one_another_without_gaps(caller: Program) -> None:
    service = factories.service()
    made = [factories.order(caller.user, service).pk for _ in range(5)]
    seen, cursor = [], {}
    while True:
        page = caller.get("orders", limit=2, **cursor)
        seen.append([row["id"] for row in page["data"]])
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == [made[:-3:-1], made[-3:-5:-1], made[:1]]


@pytest.mark.parametrize("cursor", ["x", "LTE", "%00", "é", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk"])
def test_a_cursor_of_another_origin_is_refused(caller: Program, cursor: str) -> None:
    assert problem(caller.call("GET", "orders", query={"cursor": cursor})) == (400, "invalid_cursor")
