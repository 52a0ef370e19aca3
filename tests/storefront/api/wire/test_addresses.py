"""Where the API answers, whoever asks and however: never a redirect, never a page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from orders.models import Order
from tests.factories import service
from tests.storefront.api.reseller import Reseller, request, send
from tests.storefront.api.wire.conftest import FORM

ADDRESSES = ["/api/v2", "/api/v2/", "/api/v1", "/api/v1/"]


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_address_buys_without_a_redirect(reseller: Reseller, path: str, method: str) -> None:
    form = urlencode({"key": reseller.key, "action": "add", "service": service().pk, "link": "x", "quantity": 100})
    raw = (
        request(method="GET", path=f"{path}?{form}")
        if method == "GET"
        else request(form.encode(), path=path, content_type=FORM)
    )
    status, headers, body = send(raw)
    assert (status, body) == (200, {"order": Order.objects.get().pk})
    assert "location" not in headers


@pytest.mark.parametrize("path", ADDRESSES)
def test_no_address_redirects_what_it_refuses(db: None, path: str) -> None:
    for raw in (request(b"key=x", path=path, content_type=FORM), request(method="GET", path=path)):
        assert send(raw)[::2] == (200, {"error": "Incorrect request"})


@pytest.mark.parametrize(
    "agent",
    ["", "Mozilla/4.0 (compatible; MSIE 5.01; Windows NT 5.0)", "python-requests/2.31", "curl/7.1", "sqlmap/1.0", "Go"],
)
def test_no_user_agent_is_turned_away(reseller: Reseller, agent: str) -> None:
    raw = request(f"key={reseller.key}&action=balance".encode(), content_type=FORM)
    if agent:
        raw = raw.replace(b"\r\n\r\n", f"\r\nUser-Agent: {agent}\r\n\r\n".encode(), 1)
    assert send(raw)[::2] == (200, {"balance": "100.84292", "currency": "USD"})


@pytest.mark.parametrize("headers", [{}, {"Referer": "https://evil.example/"}, {"Origin": "https://evil.example"}])
def test_a_post_needs_no_token_of_the_pages(reseller: Reseller, headers: dict[str, str]) -> None:
    raw = request(
        f"key={reseller.key}&action=balance".encode(), content_type=FORM, Cookie="csrftoken=a; sessionid=b", **headers
    )
    assert send(raw)[0] == 200


@pytest.mark.parametrize("path", [*ADDRESSES, "/api/v3", "/api/"])
def test_a_host_that_is_not_ours_gets_json(reseller: Reseller, settings: Any, path: str) -> None:
    """Answered or refused: what a program reads must be JSON."""
    settings.ALLOWED_HOSTS, settings.DEBUG = ["shop.example"], False
    raw = request(f"key={reseller.key}&action=balance".encode(), path=path, content_type=FORM)
    status, headers, body = send(raw.replace(b"Host: 127.0.0.1", b"Host: evil.example"))
    assert headers["content-type"] == f"application/{'problem+' if path == '/api/v3' else ''}json"
    assert status in (200, 400, 404)
    assert status == 200 or ("code" if path == "/api/v3" else "error") in body


def test_plain_http_is_not_sent_to_https(reseller: Reseller, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    for path in ADDRESSES:
        raw = request(f"key={reseller.key}&action=balance".encode(), path=path, content_type=FORM)
        assert send(raw)[0] == 200


def test_the_price_list_is_packed_for_who_can_unpack_it(reseller: Reseller) -> None:
    for _ in range(20):
        service(description="the same words again and again " * 20)
    raw = request(f"key={reseller.key}&action=services".encode(), content_type=FORM)
    status, headers, plain = send(raw)
    assert (status, headers.get("content-encoding")) == (200, None)
    packed = raw.replace(b"\r\n\r\n", b"\r\nAccept-Encoding: gzip, deflate\r\n\r\n", 1)
    status, headers, body = send(packed)
    assert (status, headers["content-encoding"], body) == (200, "gzip", plain)
