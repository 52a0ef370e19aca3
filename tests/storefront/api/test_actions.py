"""Each action of the panel API: effects, responses and number of SQL statements."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from orders.ledger import audit
from orders.models import Order, Service
from orders.rules.service_types import SERVICE_TYPES
from storefront.accounts.models import ApiKey
from tests.factories import INPUTS, category, order, service
from tests.storefront.api.reseller import Reseller
from tests.storefront.api.reseller import reseller as new_reseller

STATUS = {"charge": "0.09", "start_count": "0", "status": "Pending", "remains": "100", "currency": "USD"}
NO_ORDER = {"error": "Incorrect order ID"}


def buy(reseller: Reseller, what: Service, **inputs: str) -> Any:
    return reseller.call(action="add", service=what.pk, **{"link": "x", "quantity": "100", **inputs})


# ------------------------------------------------------------------------------------------------ keys and actions
@pytest.mark.parametrize("key", ["", "undefined", "nothing", "é", "a" * 10_000])
def test_an_unknown_key_is_refused(reseller: Reseller, key: str) -> None:
    assert reseller.call(key=key, action="balance") == {"error": "Invalid API key"}


def test_a_revoked_key_is_refused(reseller: Reseller) -> None:
    ApiKey.objects.update(revoked_at=timezone.now())
    assert reseller.call(action="balance") == {"error": "Invalid API key"}


def test_the_key_of_an_inactive_customer_is_refused(reseller: Reseller) -> None:
    reseller.user.is_active = False
    reseller.user.save()
    assert reseller.call(action="balance") == {"error": "Invalid API key"}


@pytest.mark.parametrize("action", ["", "undefined", "order_cancel", "user", "orders", "__class__", "setStatus"])
def test_an_unknown_action_is_refused(reseller: Reseller, action: str) -> None:
    assert reseller.call(action=action) == {"error": "Incorrect request"}


def test_the_last_use_of_a_key_is_stored_once_a_minute(
    reseller: Reseller, django_assert_num_queries: Callable[..., Any]
) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    ApiKey.objects.update(last_used_at=long_ago)
    with django_assert_num_queries(2):
        reseller.call(action="balance")
    assert ApiKey.objects.get().last_used_at > long_ago
    with django_assert_num_queries(1):
        reseller.call(action="balance")


# ------------------------------------------------------------------------------------------------ balance
def test_balance_takes_one_statement(reseller: Reseller, django_assert_num_queries: Callable[..., Any]) -> None:
    with django_assert_num_queries(1):
        assert reseller.call(action="balance") == {"balance": "100.84292", "currency": "USD"}


def test_a_customer_without_a_wallet_has_a_balance_of_zero(reseller: Reseller) -> None:
    _, key = ApiKey.objects.issue(type(reseller.user).objects.create_user("new@example.com"))
    assert reseller.call(key=key, action="balance") == {"balance": "0.00", "currency": "USD"}
    answer = reseller.call(key=key, action="add", service=service().pk, link="x", quantity=100)
    assert answer == {"error": "Not enough funds on balance"}


# ------------------------------------------------------------------------------------------------ services
def test_a_service_is_listed_as_in_the_panel_example(reseller: Reseller) -> None:
    what = service(
        "custom_comments", name="Followers", category=category("First Category"), min_quantity=50, has_refill=True,
        has_dripfeed=True, description="Line one\nline two",
    )  # fmt: skip
    assert reseller.call(action="services") == [
        {
            "service": what.pk,
            "name": "Followers",
            "type": "Custom Comments",
            "category": "First Category",
            "rate": "0.90",
            "min": "50",
            "max": "10000",
            "dripfeed": False,
            "refill": True,
            "cancel": False,
            "desc": "Line one\nline two",
        }
    ]


def test_services_lists_exactly_what_is_on_sale(reseller: Reseller) -> None:
    sold = [service(service_type.code, is_flat=service_type.is_flat).pk for service_type in SERVICE_TYPES.values()]
    service(is_active=False)
    service(category=category(is_active=False))
    rows = reseller.call(action="services")
    assert [row["service"] for row in rows] == sold
    assert [row["type"] for row in rows] == [service_type.wire for service_type in SERVICE_TYPES.values()]


def test_an_empty_shop_lists_nothing(reseller: Reseller) -> None:
    assert reseller.call(action="services") == []


@pytest.mark.parametrize("count", [10, 500])
def test_services_takes_two_statements_for_any_number(
    reseller: Reseller, count: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    within = category()
    Service.objects.bulk_create(Service(category=within, name=f"S{n}", rate=Decimal(1)) for n in range(count))
    with django_assert_num_queries(2):
        assert len(reseller.call(action="services")) == count


# ------------------------------------------------------------------------------------------------ add
@pytest.mark.parametrize("service_type", SERVICE_TYPES)
def test_every_type_can_be_ordered_with_all_inputs_sent(reseller: Reseller, service_type: str) -> None:
    what = service(service_type)
    before = reseller.balance
    answer = reseller.call(action="add", service=what.pk, **INPUTS)
    placed = Order.objects.get()
    assert answer == {"order": placed.pk}
    assert (placed.user, placed.service, placed.status, placed.source) == (reseller.user, what, "queued", "api")
    assert set(placed.fields) <= {spec.name for spec in SERVICE_TYPES[service_type].inputs}
    assert before - reseller.balance == placed.charge > 0
    assert list(audit.findings()) == []


@pytest.mark.parametrize("service_type", SERVICE_TYPES)
def test_every_type_can_be_ordered_with_json(reseller: Reseller, service_type: str) -> None:
    inputs: dict[str, Any] = {**INPUTS, "quantity": 100.0, "comments": ["one", "two"], "runs": None, "interval": False}
    data = {"key": reseller.key, "action": "add", "service": service(service_type).pk, **inputs}
    answer = reseller.client.post("/api/v2", data, content_type="application/json")
    assert answer.json() == {"order": Order.objects.get().pk}


@pytest.mark.parametrize(
    ("inputs", "error"),
    [
        ({"quantity": "9"}, "Quantity less than minimal 10"),
        ({"quantity": "10001"}, "Quantity more than maximum 10000"),
        ({"quantity": "1e3"}, "Quantity is not a number"),
        ({"quantity": "undefined"}, "Quantity field is required"),
        ({"quantity": "-5"}, "Quantity less than minimal 10"),
        ({"link": ""}, "Bad link"),
        ({"link": "undefined"}, "Bad link"),
        ({"link": "javascript:alert(1)"}, "Bad link"),
        ({"link": "", "quantity": "1"}, "Bad link"),
        ({"runs": "2", "interval": "30"}, "This service does not support drip-feed"),
        ({"service": "0"}, "Incorrect service ID"),
        ({"service": ""}, "Incorrect service ID"),
        ({"service": "abc"}, "Incorrect service ID"),
        ({"service": "9" * 30}, "Incorrect service ID"),
        ({"service": "-1"}, "Incorrect service ID"),
        ({"quantity": "10000", "link": "x"}, "Not enough funds on balance"),
        ({"request_id": "x" * 129}, "Request id is longer than 128"),
    ],
)
def test_a_refused_add_names_the_reason_and_charges_nothing(
    reseller: Reseller, inputs: dict[str, str], error: str
) -> None:
    what = service(min_quantity=10, rate="100")
    params = {"action": "add", "service": str(what.pk), "link": "x", "quantity": "100", **inputs}
    assert reseller.call(**params) == {"error": error}
    assert (reseller.balance, Order.objects.count()) == (Decimal("100.84292"), 0)


def test_a_service_off_sale_is_unknown(reseller: Reseller) -> None:
    assert buy(reseller, service(is_active=False)) == {"error": "Incorrect service ID"}


def test_a_charge_beyond_the_limit_of_amounts_is_refused(reseller: Reseller) -> None:
    what = service(rate="90000000000", max_quantity=10**14)
    assert buy(reseller, what, quantity=str(10**14)) == {"error": "Quantity more than maximum 102481"}


@pytest.mark.parametrize("words", [{}, {"runs": "undefined", "interval": "undefined"}, {"runs": "", "is_test": "1"}])
def test_empty_values_and_unknown_parameters_are_ignored(reseller: Reseller, words: dict[str, str]) -> None:
    assert list(buy(reseller, service(), custom="x", order_source="y", **words)) == ["order"]


def test_invisible_characters_around_a_link_are_removed(reseller: Reseller) -> None:
    body = (
        f"key={reseller.key}&action=add&service={service().pk}&quantity=100"
        "&link=https%3A%2F%2Fwww.instagram.com%2Fp%2Fabc%2F%E2%80%8E"
    )
    answer = reseller.client.post("/api/v2", body, content_type="application/x-www-form-urlencoded").json()
    assert Order.objects.get(pk=answer["order"]).link == "https://www.instagram.com/p/abc/"


def test_the_quantity_of_comments_is_their_number(reseller: Reseller) -> None:
    for quantity in ("0", "2", ""):
        placed = buy(reseller, service("custom_comments"), quantity=quantity, comments='["x, y","z"]')
        assert (Order.objects.get(pk=placed["order"]).quantity) == 2


def test_the_same_request_id_places_one_order(reseller: Reseller, stranger: Reseller) -> None:
    what = service()
    first = buy(reseller, what, request_id="r-1")
    assert buy(reseller, what, request_id="r-1") == first
    assert buy(stranger, what, request_id="r-1") != first
    by_header = reseller.client.post(
        "/api/v2",
        {"key": reseller.key, "action": "add", "service": what.pk, "link": "x", "quantity": 100},
        headers={"Idempotency-Key": "r-1"},
    )
    assert by_header.json() == first
    assert buy(reseller, what, request_id="r-2") != first
    assert Order.objects.count() == 3


def test_status_knows_a_new_order_at_once(reseller: Reseller) -> None:
    assert reseller.call(action="status", order=buy(reseller, service())["order"]) == STATUS


def test_add_takes_at_most_six_statements(reseller: Reseller, django_assert_num_queries: Callable[..., Any]) -> None:
    """Key, service, cost, then the order with its charge: one statement on PostgreSQL, three on SQLite.

    Service and cost are cached until the catalog changes. The test's own SAVEPOINT and RELEASE are counted too.
    """
    what, sale = service(), 1 if connection.vendor == "postgresql" else 3
    with django_assert_num_queries(3 + sale + 2):
        assert "order" in buy(reseller, what)
    for request_id in ("", "r"):
        with django_assert_num_queries(1 + sale + 2):
            assert "order" in buy(reseller, what, request_id=request_id, quantity=101)


def test_orders_of_one_second_wake_the_worker_once(
    reseller: Reseller,
    django_assert_num_queries: Callable[..., Any],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    cache.clear()
    what = service()
    with django_capture_on_commit_callbacks() as first:
        buy(reseller, what)
    with django_capture_on_commit_callbacks() as second:
        buy(reseller, what, link="another")
    # The first call queues a task and records it; the second call makes no query.
    with django_assert_num_queries(7):
        first[0]()
    with django_assert_num_queries(0):
        second[0]()


# ------------------------------------------------------------------------------------------------ status
def test_status_of_one_order_is_an_object(reseller: Reseller) -> None:
    placed = order(reseller.user, service())
    for params in ({"order": placed.pk}, {"order_id": placed.pk}, {"id": placed.pk}, {"order": f"0{placed.pk}"}):
        assert reseller.call(action="status", **params) == STATUS


def test_status_of_orders_is_keyed_by_id_even_for_one(reseller: Reseller) -> None:
    placed = order(reseller.user, service())
    assert reseller.call(action="status", orders=placed.pk) == {str(placed.pk): STATUS}


def test_status_answers_every_id_as_sent_and_in_order(reseller: Reseller, stranger: Reseller) -> None:
    what = service()
    own, other, theirs = (order(user, what).pk for user in (reseller.user, reseller.user, stranger.user))
    for name in ("orders", "order"):
        answer = reseller.call(action="status", **{name: f"{other}, {theirs},999999,abc,{own},{own}"})
        assert list(answer.items()) == [
            (str(other), STATUS), (str(theirs), NO_ORDER), ("999999", NO_ORDER), ("abc", NO_ORDER), (str(own), STATUS),
        ]  # fmt: skip


@pytest.mark.parametrize("word", ["", "undefined", "0", "-1", "abc", "65ae5538afdd1", "9" * 25, "1.5", "' OR 1=1"])
def test_an_invalid_id_is_answered_like_an_unknown_one(reseller: Reseller, word: str) -> None:
    order(reseller.user, service())
    answer = reseller.call(action="status", order=word)
    assert answer == NO_ORDER or set(map(str, answer.values())) == {str(NO_ORDER)}


def test_another_customers_order_is_answered_like_an_unknown_one(
    reseller: Reseller, stranger: Reseller, django_assert_num_queries: Callable[..., Any]
) -> None:
    theirs = order(stranger.user, service()).pk
    for word in (theirs, 999_999_999, "abc"):
        for action in ("status", "refill"):
            with django_assert_num_queries(2):
                assert reseller.call(action=action, order=word) == NO_ORDER
        with django_assert_num_queries(2):
            assert list(reseller.call(action="cancel", orders=word)[0].values())[1] == NO_ORDER


@pytest.mark.parametrize("count", [10, 1000])
def test_status_takes_two_statements_for_any_number(
    reseller: Reseller, count: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    what = service()
    Order.objects.bulk_create(
        Order(user=reseller.user, service=what, quantity=100, rate=what.rate, charge=Decimal("0.09"))
        for _ in range(count)
    )
    asked = ",".join(map(str, Order.objects.values_list("pk", flat=True)))
    with django_assert_num_queries(2):
        answer = reseller.call(action="status", orders=asked)
    assert ",".join(answer) == asked
    assert all(row == STATUS for row in answer.values())


def test_more_than_a_thousand_ids_get_one_error(reseller: Reseller) -> None:
    answer = reseller.call(action="status", orders=",".join(map(str, range(1001))))
    assert answer == {"error": "Incorrect request: more than 1000 ids"}


# ------------------------------------------------------------------------------------------------ refill and cancel
def test_a_refill_is_refused_with_the_panels_error_texts(reseller: Reseller) -> None:
    own = order(reseller.user, service()).pk
    assert reseller.call(action="refill", order=own) == {"error": "Refill is disabled for this service"}
    assert reseller.call(action="refill", order=own + 1) == NO_ORDER
    assert reseller.call(action="refill") == NO_ORDER
    assert reseller.call(action="refill", orders=f"{own},{own + 1}") == [
        {"order": own, "refill": {"error": "Refill is disabled for this service"}},
        {"order": own + 1, "refill": NO_ORDER},
    ]


def test_an_unknown_refill_is_not_found(reseller: Reseller) -> None:
    missing = {"error": "Refill not found"}
    assert reseller.call(action="refill_status", refill="1") == missing
    assert reseller.call(action="refill_status", order="1") == missing
    assert reseller.call(action="refill_status", refills="1,x") == [
        {"refill": 1, "status": missing},
        {"refill": "x", "status": missing},
    ]


def test_a_cancel_is_refused_row_by_row(reseller: Reseller) -> None:
    own = order(reseller.user, service()).pk
    refused = {"order": own, "cancel": {"error": "Cancel is disabled for this service"}}
    assert reseller.call(action="cancel", orders=f"9999,{own}") == [{"order": 9999, "cancel": NO_ORDER}, refused]
    assert reseller.call(action="cancel", order=own) == [refused]
    assert reseller.call(action="cancel") == NO_ORDER


def test_orders_are_never_paid_from_another_wallet(reseller: Reseller) -> None:
    poor = new_reseller("0")
    assert buy(poor, service()) == {"error": "Not enough funds on balance"}
    assert reseller.balance == Decimal("100.84292")
