"""A program that heard no answer asks again: it must get the order it has, and pay once.

Known again by its ``request_id`` (or the header Idempotency-Key) for 24 hours; without one by all it asks for, for 60
seconds. The clock is moved; the requests are real.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from orders.ledger import audit
from orders.models import Order, Service, Transfer
from orders.rules.service_types import SERVICE_TYPES
from tests.factories import INPUTS, service
from tests.orders.parallel import together
from tests.storefront.api.reseller import Reseller, request, send
from tests.storefront.api.reseller import reseller as new_reseller

Call = Callable[..., Any]
FIELDS = {"action": "add", "link": "https://example.com/p", "quantity": 100}
REUSED = {"error": "This request id was used for another order"}
ACTIVE = {"error": "You have active order with this link. Please wait until order being completed."}


@pytest.fixture
def sold(db: None) -> Service:
    return service()


def assert_charged_once(orders: int) -> None:
    """So many orders were placed, each was charged once, and the books are clean."""
    assert Order.objects.count() == Transfer.objects.filter(kind="charge").count() == orders
    assert list(audit.findings()) == []


# ------------------------------------------------------------------------------------------------ with an id
@pytest.mark.parametrize("hours", [0, 1, 23.9])
def test_the_same_request_id_is_the_same_order_for_a_day(call: Call, sold: Service, hours: float) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = call(service=sold.pk, request_id="r-1", **FIELDS)
        clock.shift(timedelta(hours=hours))
        assert call(service=sold.pk, request_id="r-1", **FIELDS) == first == {"order": Order.objects.get().pk}
    assert_charged_once(1)


def test_after_a_day_a_request_id_may_buy_again(call: Call, sold: Service) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = call(service=sold.pk, request_id="r-1", **FIELDS)
        clock.shift(timedelta(hours=24, seconds=1))
        second = call(service=sold.pk, request_id="r-1", **{**FIELDS, "link": "y"})
        assert second["order"] > first["order"]
        assert call(service=sold.pk, request_id="r-1", **{**FIELDS, "link": "y"}) == second
    assert_charged_once(2)


@pytest.mark.parametrize("other", [{"link": "y"}, {"quantity": 101}, {"service": "other"}, {"comments": "hello"}])
def test_a_request_id_with_another_body_buys_nothing(call: Call, sold: Service, other: dict[str, Any]) -> None:
    if "service" in other:
        other = {"service": service().pk}
    call(service=sold.pk, request_id="r-1", **FIELDS)
    assert call(**{"service": sold.pk, "request_id": "r-1", **FIELDS, **other}) == REUSED
    assert_charged_once(1)


def test_a_new_request_id_is_a_new_order_at_once(call: Call, sold: Service) -> None:
    ids = [call(service=sold.pk, request_id=f"r-{number}", **FIELDS)["order"] for number in range(3)]
    assert len(set(ids)) == 3
    assert_charged_once(3)


def test_the_header_is_the_same_id_as_the_parameter(reseller: Reseller, call: Call, sold: Service) -> None:
    first = call(service=sold.pk, request_id="r-1", **FIELDS)
    body = {"key": reseller.key, "service": sold.pk, **FIELDS}
    as_form = request(urlencode(body).encode(), content_type="application/x-www-form-urlencoded", Idempotency_Key="r-1")
    as_json = request(json.dumps(body).encode(), content_type="application/json", Idempotency_Key="r-1")
    in_query = request(method="GET", path=f"/api/v2?{urlencode(body)}", Idempotency_Key="r-1")
    assert [send(raw)[2] for raw in (as_form, as_json, in_query)] == [first] * 3
    assert_charged_once(1)


def test_an_id_is_its_customers_own(call: Call, reseller: Reseller, stranger: Reseller, sold: Service) -> None:
    first = call(service=sold.pk, request_id="r-1", **FIELDS)
    theirs = call(service=sold.pk, request_id="r-1", key=stranger.key, **FIELDS)
    assert theirs != first
    assert call(service=sold.pk, request_id="r-1", key=stranger.key, **{**FIELDS, "link": "z"}) == REUSED
    assert_charged_once(2)


def test_a_second_key_of_the_customer_hears_of_the_same_order(call: Call, reseller: Reseller, sold: Service) -> None:
    _, second = type(reseller.user.api_keys.get()).objects.issue(reseller.user)
    first = call(service=sold.pk, **FIELDS)
    assert call(service=sold.pk, key=second, **FIELDS) == first
    assert_charged_once(1)


def test_a_refused_request_leaves_its_id_free(call: Call, sold: Service) -> None:
    assert "error" in call(service=sold.pk, request_id="r-1", **{**FIELDS, "quantity": 0})
    assert "order" in call(service=sold.pk, request_id="r-1", **FIELDS)
    assert_charged_once(1)


# ------------------------------------------------------------------------------------------------ without an id
@pytest.mark.parametrize("seconds", [0, 30, 59])
def test_the_same_again_within_a_minute_is_the_same_order(call: Call, sold: Service, seconds: int) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = call(service=sold.pk, **FIELDS)
        clock.shift(seconds)
        assert call(service=sold.pk, **FIELDS) == first
    assert_charged_once(1)


def test_after_a_minute_it_is_a_new_order(call: Call, reseller: Reseller, sold: Service) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        ids = []
        for _ in range(4):
            ids.append(call(service=sold.pk, **FIELDS)["order"])
            clock.shift(61)
        assert len(set(ids)) == 4
    assert reseller.balance == Decimal("100.84292") - 4 * Decimal("0.09")
    assert_charged_once(4)


def test_the_minute_begins_with_the_order_and_not_with_the_last_question(call: Call, sold: Service) -> None:
    """Otherwise, a program that sends the request every half minute would never buy again."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        ids = []
        for _ in range(5):
            ids.append(call(service=sold.pk, **FIELDS)["order"])
            clock.shift(31)
    assert [ids.index(pk) for pk in ids] == [0, 0, 2, 2, 4]
    assert_charged_once(3)


@pytest.mark.parametrize("other", [{"link": "y"}, {"quantity": 101}, {"runs": 2, "interval": 5}])
def test_what_differs_in_anything_is_another_order(call: Call, other: dict[str, Any]) -> None:
    what = service(has_dripfeed=True)
    first = call(service=what.pk, **FIELDS)
    assert call(service=what.pk, **{**FIELDS, **other}) != first
    assert_charged_once(2)


@pytest.mark.parametrize("service_type", SERVICE_TYPES)
def test_every_type_is_bought_once(call: Call, service_type: str) -> None:
    what = service(service_type)
    fields = {**INPUTS, "action": "add", "service": what.pk}
    first = call(**fields)
    assert call(**fields) == first == {"order": Order.objects.get().pk}
    assert_charged_once(1)


def test_the_same_in_another_manner_is_the_same(reseller: Reseller, call: Call, sold: Service) -> None:
    """As a form, as JSON, by GET, in another order, with words for nothing: it is one request."""
    first = call(service=sold.pk, **FIELDS)
    body = {"key": reseller.key, "service": sold.pk, **FIELDS}
    backwards = dict(reversed(body.items()))
    raws = [
        request(json.dumps(body).encode(), content_type="application/json"),
        request(method="GET", path=f"/api/v2?{urlencode(body)}"),
        request(urlencode({**backwards, "runs": "undefined", "comments": ""}).encode()),
        request(urlencode({**body, "action": "ADD"}).encode(), path="/api/v2/"),
    ]
    assert [send(raw)[2] for raw in raws] == [first] * 4
    assert_charged_once(1)


def test_the_last_of_the_money_buys_once_and_is_told_again(db: None, sold: Service, call: Call) -> None:
    poor = new_reseller("0.09")
    first = call(service=sold.pk, key=poor.key, **FIELDS)
    assert call(service=sold.pk, key=poor.key, **FIELDS) == first
    assert poor.balance == 0
    assert_charged_once(1)


def test_two_customers_who_want_the_same_get_one_each(call: Call, stranger: Reseller, sold: Service) -> None:
    assert call(service=sold.pk, **FIELDS) != call(service=sold.pk, key=stranger.key, **FIELDS)
    assert_charged_once(2)


# ------------------------------------------------------------------------------------------------ one order a link
def test_a_service_can_take_one_order_a_link(call: Call) -> None:
    what = service(is_one_per_link=True)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = call(service=what.pk, **FIELDS)
        assert call(service=what.pk, **{**FIELDS, "quantity": 200}) == ACTIVE
        assert call(service=what.pk, **FIELDS) == first  # the same request still is the same order
        clock.shift(61)
        assert call(service=what.pk, **FIELDS) == ACTIVE
        assert call(service=what.pk, request_id="r-1", **FIELDS) == ACTIVE
        assert "order" in call(service=what.pk, **{**FIELDS, "link": "https://example.com/other"})
        assert "order" in call(service=service().pk, **FIELDS)
    assert_charged_once(3)


@pytest.mark.parametrize("status", ["completed", "partial", "canceled"])
def test_an_ended_order_sets_its_link_free(call: Call, status: str) -> None:
    what = service(is_one_per_link=True, rate="0")
    first = call(service=what.pk, **FIELDS)
    Order.objects.filter(pk=first["order"]).update(status=status, ended_at=timezone.now() - timedelta(minutes=1))
    assert call(service=what.pk, **{**FIELDS, "quantity": 200})["order"] > first["order"]


# ------------------------------------------------------------------------------------------------ all at once
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("named", [True, False], ids=["request_id", "no id"])
def test_the_same_from_eight_threads_is_one_order(transactional_db: None, named: bool) -> None:
    own, what = new_reseller(), service()
    fields = {"key": own.key, "service": what.pk, **FIELDS, **({"request_id": "r-1"} if named else {})}
    answers = together([lambda: Client().post("/api/v2", fields).json()] * 8)
    assert answers == [{"order": Order.objects.get().pk}] * 8
    assert own.balance == Decimal("100.84292") - Decimal("0.09")
    assert_charged_once(1)


@pytest.mark.django_db(transaction=True)
def test_eight_threads_for_one_link_place_one_order(transactional_db: None) -> None:
    own, what = new_reseller(), service(is_one_per_link=True)

    def buy(quantity: int) -> Any:
        return Client().post("/api/v2", {"key": own.key, "service": what.pk, **FIELDS, "quantity": quantity}).json()

    answers = together([lambda quantity=quantity: buy(quantity) for quantity in range(100, 108)])
    assert sorted(map(str, answers)) == sorted([str({"order": Order.objects.get().pk}), *[str(ACTIVE)] * 7])
    assert_charged_once(1)
