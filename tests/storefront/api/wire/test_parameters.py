"""What may be sent: every spelling that clients have, read as they mean it."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from orders.models import Order, Refill
from tests.factories import INPUTS, order, service
from tests.storefront.api.reseller import Reseller, request, send

Call = Callable[..., Any]
NO_ORDER = {"error": "Incorrect order ID"}


def order_of(answer: Any) -> Order:
    order = Order.objects.latest("pk")
    assert answer == {"order": order.pk}
    return order


# ------------------------------------------------------------------------------------------------ numbers and nothing
@pytest.mark.parametrize("quantity", ["100", "100.0", " 100 ", "0100", "100.00"])
def test_a_whole_number_has_many_spellings(call: Call, quantity: str) -> None:
    assert order_of(call(action="add", service=service().pk, link="x", quantity=quantity)).quantity == 100


@pytest.mark.parametrize("quantity", ["1e3", "1,000", "100.5", "abc", "1 000", "١٠٠", "0x64", "--5"])
def test_what_is_no_whole_number_is_refused(call: Call, quantity: str) -> None:
    answer = call(action="add", service=service().pk, link="x", quantity=quantity)
    assert answer == {"error": "Quantity is not a number"}
    assert not Order.objects.exists()


@pytest.mark.parametrize("word", ["", "undefined", "null", "NaN", "false", "None", "Undefined", " "])
def test_a_word_for_nothing_is_nothing(call: Call, word: str) -> None:
    sold = service(has_dripfeed=True)
    options = dict.fromkeys(["runs", "interval", "comments", "request_id", "start_at", "posts"], word)
    order = order_of(call(action="add", service=sold.pk, link="x", quantity="10", **options))
    assert (order.runs, order.request_id, order.starts_at, order.fields) == (1, None, None, {})
    assert call(action="add", service=sold.pk, link="y", quantity=word) == {"error": "Quantity field is required"}


# ------------------------------------------------------------------------------------------------ comments and lists
@pytest.mark.parametrize("quantity", ["0", "2", "", "999999", None])
def test_the_lines_of_comments_count_whatever_quantity_says(call: Call, quantity: str | None) -> None:
    sent = {} if quantity is None else {"quantity": quantity}
    sold = service("custom_comments")
    assert (
        order_of(call(action="add", service=sold.pk, link="x", comments="one\n\ntwo\n  \nthree", **sent)).quantity == 3
    )


@pytest.mark.parametrize(
    ("comments", "lines"),
    [
        ("one\r\ntwo", ["one", "two"]),
        ("one\ntwo", ["one", "two"]),
        ("one\rtwo", ["one", "two"]),
        ("one\\ntwo", ["one", "two"]),
        ("one\\r\\ntwo", ["one", "two"]),
        ('["one","two"]', ["one", "two"]),
        ('["one, more","two"]', ["one, more", "two"]),
        ("one, two", ["one, two"]),
        ("[cool] nice", ["[cool] nice"]),
        ("[1, 2]", ["[1, 2]"]),
        ("\n\none\n\n", ["one"]),
        ("👍🏽\nпривет", ["👍🏽", "привет"]),
    ],
)
def test_comments_are_parted_as_each_client_parts_them(call: Call, comments: str, lines: list[str]) -> None:
    sold = service("custom_comments")
    order = order_of(call(action="add", service=sold.pk, link="x", comments=comments))
    assert order.fields["comments"] == lines


@pytest.mark.parametrize(
    ("usernames", "names"),
    [
        ("one\ntwo", ["one", "two"]),
        ("test, testing", ["test", "testing"]),
        ("one\r\ntwo, three", ["one", "two, three"]),
        ("@one", ["@one"]),
        ('["one","two"]', ["one", "two"]),
    ],
)
@pytest.mark.parametrize(
    ("service_type", "field"), [("mentions", "usernames"), ("invites_from_groups", "groups"), ("seo", "keywords")]
)
def test_lists_are_parted_by_lines_and_a_single_line_by_commas(
    call: Call, service_type: str, field: str, usernames: str, names: list[str]
) -> None:
    order = order_of(call(action="add", service=service(service_type).pk, link="x", quantity=10, **{field: usernames}))
    assert order.fields[field] == names


def test_a_subscription_without_an_end_day(call: Call) -> None:
    sold, what = service("subscriptions"), {"username": "nadia", "min": 10, "max": 20, "posts": 2, "delay": 30}
    assert "expiry" not in order_of(call(action="add", service=sold.pk, expiry="", old_posts=0, **what)).fields
    assert order_of(call(action="add", service=sold.pk, expiry="11/12/2030", **what)).fields["expiry"] == "2030-12-11"
    assert "error" in call(action="add", service=sold.pk, expiry="31/02/2030", **what)


@pytest.mark.parametrize("link", ["someuser", "@user", "user@example.com", "t.me/x", "+79990000000", "имя", "#tag"])
def test_a_link_need_not_be_an_address(call: Call, link: str) -> None:
    assert order_of(call(action="add", service=service().pk, link=link, quantity=10)).link == link


# ------------------------------------------------------------------------------------------------ ids
@pytest.mark.parametrize(
    "spelled",
    [
        "orders={0},{1}", "orders={0}, {1}", "orders= {0} , {1} ", "orders={0}%0A{1}", "orders={0};{1}",
        "orders[]={0}&orders[]={1}", "orders%5B%5D={0}&orders%5B%5D={1}", "orders[0]={0}&orders[1]={1}",
        "orders[3]={0}&orders[7]={1}", "orders={0}&orders={1}", "orders=[{0},{1}]", 'orders=["{0}","{1}"]',
        "order={0},{1}", "order={0}%2C{1}", "orders={0},,{1},", "orders={0},undefined,{1},null",
    ],
)  # fmt: skip
@pytest.mark.parametrize("action", ["status", "refill", "cancel"])
def test_ids_have_many_spellings(call: Call, reseller: Reseller, spelled: str, action: str) -> None:
    sold = service(has_refill=True, has_cancel=True)
    ids = [order(reseller.user, sold, status="completed").pk for _ in range(2)]
    answer = call(spelled.format(*ids), action=action)
    if action == "status":
        assert [(word, row["status"]) for word, row in answer.items()] == [(str(pk), "Completed") for pk in ids]
    else:
        assert [row["order"] for row in answer] == ids
        assert not [row for row in answer if row[action] == NO_ORDER]


@pytest.mark.parametrize("document", ['{"orders": [%d, %d]}', '{"orders": ["%d", "%d"]}', '{"orders": "%d,%d"}'])
def test_ids_come_in_json(reseller: Reseller, document: str) -> None:
    ids = [order(reseller.user, service()).pk for _ in range(2)]
    body = {"key": reseller.key, "action": "status", **json.loads(document % tuple(ids))}
    answer = send(request(json.dumps(body).encode(), content_type="application/json"))[2]
    assert list(answer) == [str(pk) for pk in ids]


@pytest.mark.parametrize("name", ["order", "order_id", "id"])
def test_the_id_has_aliases_for_status(call: Call, reseller: Reseller, name: str) -> None:
    own = order(reseller.user, service()).pk
    assert call(action="status", **{name: own})["status"] == "Pending"


# ------------------------------------------------------------------------------------------------ actions and strangers
@pytest.mark.parametrize("action", ["STATUS", "Status", " status ", "sTaTuS"])
def test_the_case_of_an_action_does_not_matter(call: Call, reseller: Reseller, action: str) -> None:
    assert call(action=action, order=order(reseller.user, service()).pk)["status"] == "Pending"


@pytest.mark.parametrize("name", ["order", "orders"])
def test_no_refill_is_guessed_from_a_request_without_an_action(call: Call, reseller: Reseller, name: str) -> None:
    own = order(reseller.user, service(has_refill=True), status="completed")
    assert call(**{name: own.pk}) == {"error": "Incorrect request"}
    assert not Refill.objects.exists()


@pytest.mark.parametrize("action", ["order_cancel", "user", "currencies", "get_orders", "order list", "webcon", ""])
def test_verbs_of_other_servers_are_incorrect_requests(call: Call, action: str) -> None:
    assert call(action=action) == {"error": "Incorrect request"}


def test_unknown_parameters_are_ignored_and_nothing_is_free(call: Call, reseller: Reseller) -> None:
    more = {"custom": "1", "is_test": "1", "order_source": "api", "schedule": "1", "schedule_time": "x", "charge": "0"}
    before = reseller.balance
    assert order_of(call(action="add", service=service().pk, **{**INPUTS, **more})).charge == Decimal("0.09")
    assert reseller.balance == before - Decimal("0.09")
