"""Requests that published clients and examples send, and that look wrong at first."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from orders.models import Order, Refill
from tests.factories import order, service
from tests.storefront.api.reseller import Reseller, request, send
from tests.storefront.api.wire.conftest import FORM

Call = Callable[..., Any]
WRITES = ("add", "refill", "cancel")
BALANCE = {"balance": "100.84292", "currency": "USD"}


# ------------------------------------------------------------------------------------------------ chunked bodies
def post_decoded(body: bytes, **environ: Any) -> Any:
    """The answer behind a server that decodes chunks and sets no length, such as gunicorn's own workers."""
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    return Client().post("/api/v2", content_type=FORM, **{**chunked, "CONTENT_LENGTH": "", **environ})


def test_a_body_in_chunks_is_read_where_the_server_decodes_it(reseller: Reseller) -> None:
    assert post_decoded(f"key={reseller.key}&action=balance".encode()).json() == BALANCE


def test_a_body_in_chunks_is_read_up_to_the_size_limit(reseller: Reseller, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    fields = f"key={reseller.key}&action=balance&custom=".encode()
    assert post_decoded(fields.ljust(1000, b"x")).json() == BALANCE
    refused = post_decoded(fields.ljust(1001, b"x"))
    assert (refused.status_code, refused.json()) == (413, {"error": "Incorrect request: it is too large"})


def test_a_body_in_chunks_that_the_server_does_not_decode_is_refused_in_json(reseller: Reseller) -> None:
    """``runserver`` hands them over as they are."""
    body = f"key={reseller.key}&action=balance".encode()
    raw = request(content_type=FORM).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    sent = send(raw + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
    assert sent[::2] == (411, {"error": "Incorrect request: send Content-Length"})


# ------------------------------------------------------------------------------------------------ refill status
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_refills_without_an_action_are_asked_for_their_status(reseller: Reseller, method: str) -> None:
    """A published example leaves the action out: reading is harmless, so the status is what it gets."""
    made = Refill.objects.create(order=order(reseller.user, service(), status="completed"))

    def ask(fields: str) -> Any:
        form = f"key={reseller.key}&{fields}"
        if method == "GET":
            return send(request(method="GET", path=f"/api/v2?{form}"))[2]
        return send(request(form.encode(), content_type=FORM))[2]

    assert ask(f"refill={made.pk}") == {"status": "Pending"}
    assert ask(f"refills={made.pk}") == [{"refill": made.pk, "status": "Pending"}]
    assert ask("action=&refill=999999") == {"error": "Refill not found"}
    assert Refill.objects.count() == 1


# ------------------------------------------------------------------------------------------------ links
@pytest.mark.parametrize("host", ["https://t.me/", "t.me/", "http://telegram.me/"])
def test_the_plus_of_an_invitation_that_was_not_escaped_is_still_a_plus(
    reseller: Reseller, call: Call, host: str
) -> None:
    sold = service()
    first = call(f"link={host}+AbC-d_1", action="add", service=sold.pk, quantity=100)
    query = f"key={reseller.key}&action=add&service={sold.pk}&quantity=100&link={host}+other"
    second = send(request(method="GET", path=f"/api/v2?{query}"))[2]
    links = [Order.objects.get(pk=placed["order"]).link for placed in (first, second)]
    assert links == [f"{host}+AbC-d_1", f"{host}+other"]


def test_an_escaped_and_an_unescaped_plus_are_the_same_request(call: Call) -> None:
    fields = {"action": "add", "service": service().pk, "quantity": 100}
    assert call("link=t.me/+abc", **fields) == call("link=t.me/%2Babc", **fields)


@pytest.mark.parametrize("link", ["t.me/a b", "t.me/ ", "https://set.me/ x", "t.me/x t.me/ y"])
def test_other_blanks_in_a_link_are_refused_or_cut(call: Call, link: str) -> None:
    answer = call(action="add", service=service().pk, quantity=100, link=link)
    assert answer == {"error": "Bad link"} or Order.objects.get(pk=answer["order"]).link == "t.me/"


@pytest.mark.parametrize("mark", ["\u200b", "\u200e", "\u2069", "\u2068\u200f", "\ufeff"])
def test_invisible_marks_around_a_link_are_cut(call: Call, mark: str) -> None:
    placed = call(action="add", service=service().pk, quantity=100, link=f"{mark}https://example.com/p{mark}")
    assert Order.objects.get(pk=placed["order"]).link == "https://example.com/p"


# ------------------------------------------------------------------------------------------------ subscriptions
def test_the_published_subscriptions_with_old_posts_are_sold_without_new_ones(call: Call) -> None:
    """With old posts, a missing ``posts`` means 0: new posts without a limit would have no price."""
    sold, fields = service("subscriptions"), {"username": "nadia", "min": 100, "max": 110, "old_posts": 5, "delay": 30}
    for posts in ({"posts": 0}, {}):
        placed = call(action="add", service=sold.pk, expiry="11/11/2030", **posts, **fields)
        order = Order.objects.get(pk=placed["order"])
        assert (order.quantity, order.fields["posts"]) == (5 * 110, 0)
    refused = call(action="add", service=sold.pk, **{**fields, "old_posts": ""})
    assert refused == {"error": "Posts field is required: subscriptions without a limit are not available"}


# ------------------------------------------------------------------------------------------------ browsers
ORIGIN = "https://status.reseller.example"


def test_pages_of_other_sites_read_nothing_unless_it_is_set(reseller: Reseller) -> None:
    answer = reseller.client.post("/api/v2", {"key": reseller.key, "action": "balance"}, headers={"Origin": ORIGIN})
    assert not [name for name in answer.headers if name.startswith("Access-Control")]
    assert reseller.client.options("/api/v2", headers={"Origin": ORIGIN}).status_code == 405


@pytest.mark.parametrize("origins", [["*"], [ORIGIN, "https://other.example"]])
def test_pages_of_the_origins_that_are_set_may_read(reseller: Reseller, settings: Any, origins: list[str]) -> None:
    settings.API_CORS_ORIGINS = origins

    def allowed_origin(action: str, origin: str = ORIGIN) -> str | None:
        fields = {"key": reseller.key, "action": action, "service": 1, "order": 1}
        answer = reseller.client.post("/api/v2", fields, headers={"Origin": origin})
        assert ("Origin" in answer.headers.get("Vary", "")) is (action not in WRITES)
        return answer.headers.get("Access-Control-Allow-Origin")

    assert [allowed_origin(action) for action in ("balance", "services", "status", "refill_status")] == [ORIGIN] * 4
    assert [allowed_origin(action) for action in WRITES] == [None] * 3
    assert allowed_origin("balance", "https://evil.example") == ("https://evil.example" if origins == ["*"] else None)


def test_a_browser_may_ask_before_it_sends_a_header(reseller: Reseller, settings: Any) -> None:
    settings.API_CORS_ORIGINS = [ORIGIN]
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    answer = reseller.client.options("/api/v2", headers=asked)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert answer["Access-Control-Allow-Methods"] == "GET, POST"
    assert "Authorization" in answer["Access-Control-Allow-Headers"]
    assert reseller.client.options("/api/v2", headers={**asked, "Origin": "https://evil.example"}).status_code == 405
    assert reseller.client.put("/api/v2", headers=asked)["Allow"] == "GET, POST"
