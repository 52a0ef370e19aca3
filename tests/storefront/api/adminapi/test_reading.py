"""What the Admin API tells about orders and users."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import CustomerRate, Order
from orders.models.order import Source
from tests import factories
from tests.storefront.api.adminapi.program import Program, place_by_hand

pytestmark = pytest.mark.django_db


def listed_ids(program: Program, **query: Any) -> list[int]:
    """Return the numbers of the orders."""
    data = program.get("orders", **query)
    assert data["count"] == len(data["list"])
    return [row["id"] for row in data["list"]]


def test_an_order_is_shown_with_everything_that_programs_read(program: Program) -> None:
    maria = factories.customer("100", email="maria@example.com")
    sold = factories.service(name="Followers", has_cancel=True)
    order = factories.order(maria, sold)
    row = program.get(f"orders/{order.pk}")
    assert program.get("orders")["list"] == [row]
    created = timezone.localtime(order.created_at).strftime("%Y-%m-%d %H:%M:%S")
    assert row.pop("last_update") >= created
    assert row == {
        "id": order.pk,
        "external_id": "",
        "user": "maria@example.com",
        "user_email": "maria@example.com",
        "creation_type": "Web",
        "charge": "0.09",
        "link": "https://example.com/p/1",
        "start_count": 0,
        "quantity": 100,
        "service_id": sold.pk,
        "service_name": "Followers",
        "service_type": "Default",
        "status": "pending",
        "remains": 100,
        "created": created,
        "mode": "Auto",
        "provider": "",
        "ip_address": "",
        "order_buttons": {},
        "fields": {},
        "actions": {
            "resend": True, "edit_link": True, "refill": False, "request_cancel": True, "cancel_and_refund": True,
        },
    }  # fmt: skip


def test_an_order_that_does_not_exist_is_not_found(program: Program) -> None:
    for number in ("1", "999999999999999999999999"):
        response = program.http.get(f"/adminapi/v2/orders/{number}")
        assert (response.status_code, response.json()["error_code"]) == (404, 404)


def test_comments_are_with_the_order(program: Program) -> None:
    order = factories.order(of=factories.service("custom_comments"), comments="one\ntwo")
    assert program.get(f"orders/{order.pk}")["order_buttons"] == {"comment": "one\ntwo"}


def test_orders_are_filtered(program: Program) -> None:
    maria, omar = factories.customer("100", email="maria@example.com"), factories.customer("100")
    sold = factories.service()
    first = factories.order(maria, sold, link="https://example.com/first")
    second = factories.order(omar, status="completed")
    third = factories.order(omar, status="in_doubt")
    Order.objects.filter(pk=second.pk).update(ended_at=timezone.now(), source=Source.API)
    assert listed_ids(program) == [third.pk, second.pk, first.pk]
    assert listed_ids(program, sort="date-asc") == [first.pk, second.pk, third.pk]
    assert listed_ids(program, ids=f"{first.pk}, {third.pk},999") == [third.pk, first.pk]
    assert listed_ids(program, order_status="completed") == [second.pk]
    assert listed_ids(program, order_status="processing") == [third.pk]
    assert listed_ids(program, order_status="Completed,pending") == [second.pk, first.pk]
    assert listed_ids(program, service_ids=sold.pk) == [first.pk]
    assert listed_ids(program, user="Maria@example.com") == [first.pk]
    assert listed_ids(program, user="nobody") == []
    assert listed_ids(program, link="https://example.com/first") == [first.pk]
    assert listed_ids(program, creation_type="API") == [second.pk]


def test_the_provider_and_its_number_are_with_the_order(program: Program) -> None:
    order, other = place_by_hand(factories.order(), "880142"), factories.order()
    row = program.get(f"orders/{order.pk}")
    assert (row["provider"], row["external_id"], row["status"]) == ("north", "880142", "in_progress")
    assert row["actions"]["edit_link"] is False
    assert listed_ids(program, provider="North") == [order.pk]
    assert listed_ids(program) == [other.pk, order.pk]


def test_orders_are_filtered_by_time_in_unix_seconds(program: Program) -> None:
    old, new = factories.order(), factories.order()
    Order.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=3))
    yesterday = int((timezone.now() - timedelta(days=1)).timestamp())
    assert listed_ids(program, created_from=yesterday) == [new.pk]
    assert listed_ids(program, created_to=yesterday) == [old.pk]


def test_an_unknown_parameter_filters_nothing(program: Program) -> None:
    order = factories.order()
    assert listed_ids(program, status="completed") == [order.pk]


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", "1001"), ("limit", "-1"), ("limit", "x"), ("offset", "-1"), ("ids", "1,x"), ("order_status", "gone"),
     ("created_from", "yesterday"), ("created_to", "9" * 30), ("sort", "name"), ("ids", "9" * 30), ("user", "\0")],
)  # fmt: skip
def test_a_filter_that_cannot_be_read_is_an_error_that_names_it(program: Program, name: str, value: str) -> None:
    response = program.http.get("/adminapi/v2/orders", {name: value})
    assert response.status_code == response.json()["error_code"] == 400
    assert response.json()["error_message"].startswith(f"{name}: ")


def test_pages_are_walked_by_limit_and_offset(program: Program) -> None:
    buyer = factories.customer("100")
    numbers = [factories.order(buyer).pk for _ in range(5)][::-1]
    assert listed_ids(program, limit=2) == numbers[:2]
    assert listed_ids(program, limit=2, offset=4) == numbers[4:]
    assert listed_ids(program, limit=0) == numbers
    answer = program.http.get("/adminapi/v2/orders", {"limit": 2, "offset": 2, "apikey": program.text}).json()
    assert answer["pagination"] == {
        "prev_page_href": "/adminapi/v2/orders?limit=2&offset=0",
        "next_page_href": "/adminapi/v2/orders?limit=2&offset=4",
        "offset": 2,
        "limit": 2,
    }


def test_more_orders_need_no_more_queries(program: Program) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            program.get("orders")
        return len(seen)

    buyer = factories.customer("100")
    factories.order(buyer)
    queries()
    few = queries()
    for _ in range(5):
        factories.order(factories.customer("100"))
    assert queries() == few <= 7


def test_a_user_is_shown_with_balance_discount_and_custom_rates(program: Program) -> None:
    maria = factories.customer("31.40", email="maria@example.com")
    sold = factories.service(rate="2", name="Followers")
    CustomerRate.objects.create(user=maria, service=sold, rate=Decimal("1.5"))
    for query in ({"username": "maria@example.com"}, {"email": "MARIA@example.com"}, {"ids": maria.pk}):
        data = program.get("users", **query)
        assert data["count"] == 1
        row = data["list"][0]
        assert row.pop("created")
        assert row == {
            "id": maria.pk,
            "username": "maria@example.com",
            "email": "maria@example.com",
            "name": "",
            "balance": "31.40",
            "spent": "0.00",
            "discount": "0.00",
            "status": "active",
            "last_auth": "",
            "custom_rates": [
                {"service_id": sold.pk, "service_name": "Followers", "custom_rate": "1.50", "percent": "75.00"}
            ],
        }
    assert program.get("users", username="nobody@example.com") == {"count": 0, "list": []}


@pytest.mark.parametrize("name", ["created_from", "created_to"])
@pytest.mark.parametrize(
    ("seconds", "status"), [(253_370_764_799, 200), (253_370_764_800, 400), (253_402_300_799, 400)]
)
def test_the_last_times_that_are_dates(program: Program, name: str, seconds: int, status: int) -> None:
    assert program.http.get("/adminapi/v2/orders", {name: seconds}).status_code == status
