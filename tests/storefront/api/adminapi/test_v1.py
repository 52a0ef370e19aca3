"""The three actions of version 1, in the form of that version."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from orders.models import Transfer
from tests import factories
from tests.storefront.api.adminapi.program import Program, place_by_hand

pytestmark = pytest.mark.django_db
V1 = "/adminapi/v1"


def call(program: Program, method: str = "get", **params: Any) -> Any:
    response = getattr(Client(), method)(V1, {"key": program.text, **params})
    assert response.status_code == 200
    return response.json()


@pytest.fixture
def maria(db: Any) -> Any:
    return factories.customer("31.40", email="maria@example.com")


def test_orders_are_found_by_their_numbers(program: Program, maria: Any) -> None:
    order = place_by_hand(factories.order(maria, factories.service(name="Followers")), "880142")
    answer = call(program, action="getOrders-by-id", orders=f"{order.pk},999", provider=1)
    assert answer["status"] == "success"
    (row,) = answer["orders"]
    assert row.pop("date")
    assert row.pop("current_date")
    assert row == {
        "id": order.pk, "username": "maria@example.com", "order_status": "In progress", "service": "Followers",
        "service_id": order.service_id, "provider": "north", "external_id": "880142", "link": order.link,
        "quantity": 100, "charge": "0.09", "start_count": 0, "remains": 100,
    }  # fmt: skip
    assert call(program, action="getOrders-by-id", orders="999") == {"status": "fail", "error": "order_not_found"}


def test_a_user_is_found_by_name(program: Program, maria: Any) -> None:
    answer = call(program, action="getUser", username="maria@example.com")
    assert (answer["status"], answer["username"], answer["balance"]) == ("success", "maria@example.com", "31.40")
    assert call(program, action="getUser", username="nobody") == {"status": "fail", "error": "bad_username"}
    assert call(program, action="getuser", username="maria@example.com") == {"status": "fail", "error": "bad_action"}


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_payment_is_added(program: Program, maria: Any, method: str) -> None:
    params = {"action": "addPayment", "username": "maria@example.com", "amount": "5.00", "details": "card 17"}
    for _ in range(3):
        assert call(program, method, **params)["status"] == "success"
    assert Transfer.objects.filter(reference__startswith="payment:reported:").count() == 1


def test_money_by_get_needs_its_own_permission(maria: Any) -> None:
    careful = Program(has_get_writes=False)
    params = {"action": "addPayment", "username": "maria@example.com", "amount": "5.00"}
    assert call(careful, **params)["status"] == "fail"
    assert call(careful, "post", **params)["status"] == "success"


def test_a_wrong_key_is_bad_auth(program: Program) -> None:
    program.text = "wrong"
    assert call(program, action="getUser", username="x") == {"status": "fail", "error": "bad_auth"}
