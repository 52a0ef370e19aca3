"""Requests of well-known programs that we cannot install, byte for byte."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest

from orders.models import Order
from tests.clients.stage import MSIE, NO_ORDER, Stage, is_price_list, plain, refill_of, status_of, statuses_of

pytestmark = pytest.mark.django_db(transaction=True)
FORM = "application/x-www-form-urlencoded"


def answer_body(stage: Stage, request: bytes) -> Any:
    status, headers, body = stage.raw(request)
    assert (status, headers["content-type"]) == (200, "application/json")
    return body


def post_request(fields: str | list[tuple[str, Any]], *more: str, path: str = "/api/v2", version: str = "1.1") -> bytes:
    """Return a form as curl sends it for PHP: these header lines, the body's length, and the body."""
    body = (fields if isinstance(fields, str) else urlencode(fields)).encode()
    lines = [f"POST {path} HTTP/{version}", "Host: shop.example", *more, f"Content-Length: {len(body)}"]
    lines += [] if any(line.startswith("Content-Type") for line in more) else [f"Content-Type: {FORM}"]
    lines += [] if any(line.startswith("Connection") for line in more) else ["Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode() + body


# ------------------------------------------------------------------------------------------------ the example page
def test_the_example_pages_php_class(stage: Stage) -> None:
    """Its parts are joined by hand; quantity is sent empty with comments; drip-feed as two more fields."""
    agent, sold, money = (f"User-Agent: {MSIE}", "Accept: */*"), stage.services, stage.reseller.balance

    def call(**fields: Any) -> Any:
        parts = [f"{name}={quote_plus(str(value))}" for name, value in {"key": stage.key, **fields}.items()]
        return answer_body(stage, post_request("&".join(parts), *agent))

    assert is_price_list(call(action="services"))
    link = "http://example.com/test"
    order = stage.bought(
        call(action="add", service=sold["default"].pk, link=link, quantity=100, runs=2, interval=5), after=money
    )
    assert (order.runs, order.interval, order.quantity) == (2, 5, 200)
    money = stage.reseller.balance
    words = call(
        action="add",
        service=sold["custom_comments"].pk,
        link=link,
        quantity="",
        comments="good pic\r\ngreat photo\r\n:)",
    )
    assert stage.bought(words, after=money).fields == {"comments": ["good pic", "great photo", ":)"]}
    money = stage.reseller.balance
    names = call(action="add", service=sold["mentions"].pk, link=link, quantity=100, usernames="test, testing")
    assert stage.bought(names, after=money).fields == {"usernames": ["test", "testing"]}
    money = stage.reseller.balance
    followed = call(
        action="add", service=sold["subscriptions"].pk, username="username", min=100, max=110, posts=1, delay=30,
        expiry="11/11/2030",
    )  # fmt: skip
    assert stage.bought(followed, after=money).fields["expiry"] == "2030-11-11"
    assert call(action="status", order=order.pk) == status_of(order)
    ids = [stage.orders[word].pk for word in ("completed", "partial")]
    assert call(action="status", orders=",".join(map(str, ids))) == statuses_of(Order.objects.filter(pk__in=ids))
    refilled = call(action="refill", order=ids[0])
    assert refilled == {"refill": str(refill_of(stage.orders["completed"]))}
    assert call(action="refill_status", refill=refilled["refill"]) == {"status": "Pending"}
    assert call(action="balance") == {"balance": plain(stage.reseller.balance), "currency": "USD"}


def test_the_example_page_of_2022_forgets_the_action(stage: Stage) -> None:
    """A refill is a write: it is never guessed from ``order`` alone."""
    own = stage.orders["completed"].pk
    for fields in ([("order", own)], [("orders", f"{own},1")]):
        answer = answer_body(stage, post_request([("key", stage.key), *fields], f"User-Agent: {MSIE}"))
        assert answer == {"error": "Incorrect request"}
    assert not stage.orders["completed"].refills.exists()


# ------------------------------------------------------------------------------------------------ panels that resell
def test_smartpanel_asks_for_250_orders_at_once(stage: Stage) -> None:
    own = [order.pk for order in stage.orders.values()]
    asked = [*own, *range(10**6, 10**6 + 250 - len(own))]
    body = answer_body(
        stage, post_request([("key", stage.key), ("action", "status"), ("orders", ",".join(map(str, asked)))])
    )
    known = statuses_of(stage.orders.values())
    assert list(body.items()) == [(str(word), known.get(str(word), NO_ORDER)) for word in asked]
    for row in known.values():  # PHP breaks where one of them is missing or is not a number
        assert row["start_count"].isdigit()
        assert row["remains"].isdigit()


def test_250_orders_fit_into_the_line_of_a_get(stage: Stage) -> None:
    own = stage.orders["partial"]
    asked = [own.pk, *range(10**17, 10**17 + 249)]
    query = urlencode({"key": stage.key, "action": "status", "orders": ",".join(map(str, asked))}, safe=",")
    raw = f"GET /api/v2?{query} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n".encode()
    assert answer_body(stage, raw) == {**statuses_of([own]), **{str(number): NO_ORDER for number in asked[1:]}}


def test_smartpanel_subscribes_without_an_expiry(stage: Stage) -> None:
    fields = [
        ("key", stage.key), ("action", "add"), ("service", stage.services["subscriptions"].pk), ("username", "nadia"),
        ("min", 10), ("max", 20), ("posts", 3), ("old_posts", 0), ("delay", 30), ("expiry", ""),
    ]  # fmt: skip
    money = stage.reseller.balance
    assert "expiry" not in stage.bought(answer_body(stage, post_request(fields)), after=money).fields


def multipart(boundary: str, fields: dict[str, Any]) -> str:
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    return "".join([*parts, f"--{boundary}--\r\n"])


def test_cmsnt_sends_a_multipart_form_and_one_id_as_orders(stage: Stage) -> None:
    boundary = "------------------------d74496d66958873e"
    kind = f"Content-Type: multipart/form-data; boundary={boundary}"
    own = stage.orders["partial"]
    status = multipart(boundary, {"key": stage.key, "action": "status", "orders": own.pk})
    assert answer_body(stage, post_request(status, kind, "Accept: */*")) == {str(own.pk): status_of(own)}
    money = stage.reseller.balance
    adding = multipart(
        boundary,
        {
            "key": stage.key, "action": "add", "service": stage.services["default"].pk, "link": "https://vk.com/ф",
            "quantity": 100, "comments": "", "schedule": "", "order_source": "api",
        },
    )  # fmt: skip
    assert stage.bought(answer_body(stage, post_request(adding, kind)), after=money).link == "https://vk.com/ф"


def test_ss1_sends_comments_as_a_json_list_and_asks_its_balance_first(stage: Stage) -> None:
    key = [("key", stage.key)]
    money = answer_body(stage, post_request([*key, ("action", "balance")]))["balance"]
    assert float(money) > 0
    for number, comments in enumerate(['["x","y"]', '["x, y", "z"]', "x\\ny", "x\r\ny"]):
        before = stage.reseller.balance
        fields = [*key, ("action", "add"), ("service", stage.services["custom_comments"].pk), ("link", f"p{number}")]
        order = stage.bought(answer_body(stage, post_request([*fields, ("comments", comments)])), after=before)
        assert order.quantity == 2


def test_smmgo_sends_a_quantity_of_zero_with_comments(stage: Stage) -> None:
    fields = [
        ("action", "add"), ("comments", "one\ntwo\nthree"), ("key", stage.key), ("link", "https://example.com/p"),
        ("quantity", "0"), ("service", stage.services["custom_comments"].pk),
    ]  # fmt: skip
    money = stage.reseller.balance
    raw = post_request(fields, "User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip")
    assert stage.bought(answer_body(stage, raw), after=money).quantity == 3


def test_ownsmm_offers_http_2_and_looks_at_once(stage: Stage) -> None:
    upgrade = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"]

    def call(*fields: tuple[str, Any]) -> Any:
        # The connection stays open, as the client asked: the answer ends where its length says.
        return answer_body(stage, post_request([("key", stage.key), *fields], *upgrade, version="1.1"))

    money = stage.reseller.balance
    sold = stage.services["default"].pk
    answer = call(
        ("action", "add"), ("service", sold), ("link", "x"), ("quantity", 100), ("runs", ""), ("interval", "")
    )
    order = stage.bought(answer, after=money)
    status = call(("action", "status"), ("order", order.pk))
    assert (status, status["charge"]) == (status_of(order), "0.09")
    assert call(("action", "balance"))["currency"] == "USD"


def test_panel_rip_posts_to_the_slash_and_sends_undefined(stage: Stage) -> None:
    money = stage.reseller.balance
    body = (
        f"key={stage.key}&action=add&service={stage.services['default'].pk}&link=https%3A%2F%2Fexample.com%2Fp"
        "&quantity=100&runs=undefined&interval=undefined"
    )
    raw = post_request(body, "accept: application/json", "user-agent: node", "sec-fetch-mode: cors", path="/api/v2/")
    order = stage.bought(answer_body(stage, raw), after=money)
    own = stage.orders["completed"]
    asked = f"key={stage.key}&action=status&order={order.pk}%2C{own.pk}"
    assert answer_body(stage, post_request(asked, path="/api/v2/")) == statuses_of([order, own])


def test_speedsmm_numbers_its_orders(stage: Stage) -> None:
    own = [stage.orders[word] for word in ("canceled", "in_progress")]
    listed = [(f"orders[{number}]", order.pk) for number, order in enumerate(own)]
    assert answer_body(stage, post_request([("key", stage.key), ("action", "status"), *listed])) == statuses_of(own)
    done = stage.orders["completed"]
    refilled = answer_body(stage, post_request([("key", stage.key), ("action", "refill"), ("order", done.pk)]))
    # It sends the number of a refill as "order".
    sent = [("key", stage.key), ("action", "refill_status"), ("order", refilled["refill"])]
    assert answer_body(stage, post_request(sent)) == {"status": "Pending"}
    money = stage.reseller.balance
    sent = [("service", stage.services["default"].pk), ("link", "x"), ("quantity", 10), ("custom", "a")]
    stage.bought(answer_body(stage, post_request([("key", stage.key), ("action", "add"), *sent])), after=money)


# ------------------------------------------------------------------------------------------------ scripts
def test_a_script_pastes_the_link_into_the_address(stage: Stage) -> None:
    money = stage.reseller.balance
    path = (
        f"/api/v2?key={stage.key}&action=add&service={stage.services['default'].pk}"
        "&link=https://example.com/p?a=1&b=2&quantity=100"
    )
    raw = f"GET {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n".encode()
    assert stage.bought(answer_body(stage, raw), after=money).link == "https://example.com/p?a=1"


def test_toplistbot_sends_json_with_a_token(stage: Stage) -> None:
    own = stage.orders["completed"]
    headers = [f"Authorization: Bearer {stage.key}", "Content-Type: application/json", "Accept: application/json"]
    asked = json.dumps({"action": "status", "orders": [own.pk, "999999"]})
    assert answer_body(stage, post_request(asked, *headers)) == {**statuses_of([own]), "999999": NO_ORDER}
    money = stage.reseller.balance
    adding = {"action": "add", "service": stage.services["default"].pk, "link": "x", "quantity": 100.0, "runs": None}
    stage.bought(answer_body(stage, post_request(json.dumps(adding), *headers)), after=money)


def test_an_old_program_speaks_http_1_0_without_a_host(stage: Stage) -> None:
    body = f"key={stage.key}&action=balance".encode()
    raw = f"POST /api/v2 HTTP/1.0\r\nContent-Type: {FORM}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    assert answer_body(stage, raw) == {"balance": plain(stage.reseller.balance), "currency": "USD"}
