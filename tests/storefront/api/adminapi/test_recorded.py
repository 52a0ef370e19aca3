"""Requests as public programs of operators send them, with made-up values: method, headers and body are theirs.

Each test asserts what the program reads from the answer.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from orders.models import Order
from storefront.payments.models import Payment
from storefront.support import tickets
from tests import factories
from tests.storefront.api.adminapi.program import Program, place_by_hand

pytestmark = pytest.mark.django_db
V1, V2 = "/adminapi/v1", "/adminapi/v2"


def axios(program: Program) -> Client:
    """Return a client with the headers of axios and of a program that says JSON with every request."""
    headers = {"X-Api-Key": program.text, "Accept": "application/json, text/plain, */*", "User-Agent": "axios/1.7.2"}
    return Client(headers=headers)


def json_of(client: Client, path: str, body: str) -> Any:
    return client.post(path, body, content_type="application/json").json()


@pytest.fixture
def maria(db: Any) -> Any:
    return factories.customer("100", email="maria@example.com")


def test_a_chat_bot_looks_up_orders_by_version_1(program: Program, maria: Any) -> None:
    order = place_by_hand(factories.order(maria, factories.service(name="Followers [30D Refill]")), "880142")
    query = urlencode({"key": program.text, "action": "getOrders-by-id", "orders": f"{order.pk},7", "provider": 1})
    answer = Client(headers={"User-Agent": "Mozilla/5.0"}).get(f"{V1}?{query}").json()
    assert answer["status"] == "success"
    row = answer["orders"][0]
    assert row["username"].strip().lower() == "maria@example.com"
    assert row["order_status"].lower() == "in progress"
    assert (row["service"], row["provider"], row["external_id"]) == ("Followers [30D Refill]", "north", "880142")
    assert row["date"] <= row["current_date"]


def test_an_own_delivery_pulls_and_completes(program: Program, maria: Any) -> None:
    sold = factories.service(name="Reels", is_manual=True)
    order = factories.order(maria, sold)
    client = axios(program)
    pulled = json_of(client, f"{V2}/orders/pull", f'{{"service_ids":"{sold.pk}","limit":100}}')
    row = pulled["data"]["list"][0]
    assert (row["id"], row["user"], row["quantity"], row["service_name"]) == (order.pk, maria.email, 100, "Reels")
    answer = json_of(client, f"{V2}/orders/change-status", f'{{"ids":"{row["id"]}","status":"completed"}}')
    assert answer == {"data": None, "error_message": "", "error_code": 0}
    assert Order.objects.get(pk=order.pk).status == "completed"


def test_an_own_delivery_updates_many(program: Program, maria: Any) -> None:
    sold = factories.service(is_manual=True)
    orders = [factories.order(maria, sold) for _ in range(2)]
    body = ",".join(f'{{"id":{order.pk},"status":"in progress","start_count":15}}' for order in orders)
    assert json_of(axios(program), f"{V2}/orders/update", f'{{"orders":[{body}]}}')["error_code"] == 0
    assert set(Order.objects.values_list("status", "start_count")) == {("in_progress", 15)}


def test_a_payment_bridge_in_php_adds_a_payment(program: Program, maria: Any) -> None:
    """json_encode escapes everything that is not ASCII and writes whole amounts as numbers."""
    client = Client(headers={"X-Api-Key": program.text, "Accept": "*/*"})
    body = (
        '{"username":"maria@example.com","amount":25,"method":"Bonus","memo":"\\uc2e0\\uc6a9\\uce74\\ub4dc",'
        '"affiliate_commission":true}'
    )
    answers = [json_of(client, f"{V2}/payments/add", body) for _ in range(3)]
    assert answers[0]["data"]["payment_id"]
    assert answers[0]["data"]["user"]["balance"] == "125.00"
    assert answers[0] == answers[1] == answers[2]
    assert Payment.objects.get().remark == "신용카드"


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_payment_bridge_of_version_1_adds_a_payment(program: Program, maria: Any, method: str) -> None:
    form = urlencode(
        {
            "key": program.text,
            "action": "addPayment",
            "username": maria.email,
            "amount": "12.50",
            "details": "PayPal 5TY05013RG002845M",
            "affiliate_commission": "1",
        }
    )
    client = Client(headers={"User-Agent": "Mozilla/4.0 (compatible; MSIE 5.01; Windows NT 5.0)"})
    if method == "get":
        answer = client.get(f"{V1}?{form}").json()
    else:
        answer = client.post(V1, form, content_type="application/x-www-form-urlencoded").json()
    assert answer["status"] == "success"
    assert program.get("users", username=maria.email)["list"][0]["balance"] == "112.50"


def test_a_bridge_checks_the_name_before_it_takes_money(program: Program, maria: Any) -> None:
    client = Client(headers={"X-Api-Key": program.text, "Content-Type": "application/json"})
    known = client.get(f"{V2}/users?username=maria%40example.com&email=maria%40example.com").json()
    assert [row["username"] for row in known["data"]["list"]] == ["maria@example.com"]
    unknown = client.get(f"{V2}/users?username=nobody&email=").json()
    assert (unknown["error_code"], unknown["data"]["list"]) == (0, [])


def test_a_support_bot_reads_and_answers_tickets(program: Program, maria: Any) -> None:
    order = factories.order(maria)
    ticket = tickets.open_ticket(maria, subject="Late", text=f"Order {order.pk} & more")
    program.user.name = "marcelo"
    program.user.save()
    client = axios(program)
    listed = client.get(f"{V2}/tickets?limit=100&sort_by=created_at&order=desc&status=pending").json()
    assert listed["data"]["list"][0]["id"] == ticket.pk
    shown = client.get(f"{V2}/tickets/{ticket.pk}").json()["data"]
    assert shown["messages"][0]["message"] == f"<p>Order {order.pk} &amp; more</p>"
    reply = json_of(client, f"{V2}/tickets/{ticket.pk}/reply", '{"staff_name":"marcelo","message":"Ol\\u00e1"}')
    assert reply["error_code"] == 0
    looked_up = client.get(f"{V2}/orders/{order.pk}").json()["data"]
    read = ("id", "external_id", "user", "link", "start_count", "quantity", "service_id", "service_name", "status")
    assert set(read) | {"remains", "created", "provider"} <= set(looked_up)
    assert client.get(f"{V2}/orders/999999").status_code == 404


def test_a_support_bot_requests_cancellations(program: Program, maria: Any) -> None:
    order = place_by_hand(factories.order(maria, factories.service(has_cancel=True)))
    answer = json_of(axios(program), f"{V2}/orders/request-cancel", f'{{"ids":"{order.pk}"}}')
    assert answer == {"data": None, "error_message": "", "error_code": 0}


def test_a_cancellation_with_a_wrong_field_is_an_error_and_cancels_nothing(program: Program, maria: Any) -> None:
    order = factories.order(maria)
    answer = json_of(axios(program), f"{V2}/orders/cancel", f'{{"order_ids":[{order.pk}]}}')
    assert answer["error_code"] == 400
    assert Order.objects.get(pk=order.pk).status == "queued"


def test_statistics_walk_through_completed_orders(program: Program, maria: Any) -> None:
    numbers = [factories.order(maria, status="completed").pk for _ in range(5)]
    Order.objects.update(ended_at="2026-11-20T12:00:00Z")
    seen: list[int] = []
    client = Client(headers={"X-Api-Key": program.text})
    while True:
        query = f"order_status=completed&created_from=1700000000&sort=date-desc&limit=2&offset={len(seen)}"
        page = client.get(f"{V2}/orders?{query}").json()["data"]["list"]
        seen += [row["id"] for row in page]
        if len(page) < 2:
            break
    assert seen == numbers[::-1]


def test_a_typed_client_reads_errors_from_the_body(program: Program) -> None:
    answer = Client(headers={"X-Api-Key": "0" * 64, "Content-Type": "application/json"}).get(
        f"{V2}/orders?status=Pending"
    )
    assert answer.status_code == 401
    assert answer.json()["error_message"]
    assert axios(program).get(f"{V2}/orders?status=Pending").json()["error_code"] == 0
