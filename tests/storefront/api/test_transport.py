"""Every way in which clients send requests, byte for byte over a socket."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from tests.factories import order, service
from tests.storefront.api.reseller import Reseller, request, send

FORM = "application/x-www-form-urlencoded"
BALANCE = {"balance": "100.84292", "currency": "USD"}
OLD_PHP = "Mozilla/4.0 (compatible; MSIE 5.01; Windows NT 5.0)"


def multipart(fields: dict[str, str]) -> bytes:
    parts = [
        f'--XX\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields.items()
    ]
    return "".join([*parts, "--XX--\r\n"]).encode()


@pytest.mark.parametrize("path", ["/api/v2", "/api/v2/"])
@pytest.mark.parametrize(
    "manner",
    [
        "form", "form with charset", "get", "post with the query", "multipart", "json", "json as text", "json as form",
        "json with a mark", "form as json", "no content type", "text/plain", "bearer", "x-api-key", "bare php",
        "http/2 upgrade",
    ],
)  # fmt: skip
def test_every_way_to_send_a_request_is_read(reseller: Reseller, path: str, manner: str) -> None:
    fields = {"key": reseller.key, "action": "balance"}
    form, document = urlencode(fields).encode(), json.dumps(fields).encode()
    raw = {
        "form": request(form, path=path, content_type=FORM),
        "form with charset": request(form, path=path, content_type=f"{FORM}; charset=windows-1251"),
        "get": request(method="GET", path=f"{path}?{form.decode()}"),
        "post with the query": request(path=f"{path}?{form.decode()}"),
        "multipart": request(multipart(fields), path=path, content_type="multipart/form-data; boundary=XX"),
        "json": request(document, path=path, content_type="application/json; charset=utf-8"),
        "json as text": request(document, path=path, content_type="text/plain"),
        "json as form": request(document, path=path, content_type=FORM),
        "json with a mark": request(b"\xef\xbb\xbf " + document, path=path, content_type="application/json"),
        "form as json": request(form, path=path, content_type="application/json"),
        "no content type": request(form, path=path),
        "text/plain": request(form, path=path, content_type="text/plain"),
        "bearer": request(b"action=balance", path=path, content_type=FORM, Authorization=f"Bearer {reseller.key}"),
        "x-api-key": request(b"action=balance", path=path, content_type=FORM, X_Api_Key=reseller.key),
        "bare php": request(form, path=path, content_type=FORM, User_Agent=OLD_PHP, Accept="*/*"),
        "http/2 upgrade": request(form, path=path, content_type=FORM, Upgrade="h2c", HTTP2_Settings="AAMAAABk"),
    }[manner]
    status, headers, body = send(raw)
    assert (status, body) == (200, BALANCE)
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/png;q=0.1", "garbage"])
def test_the_accept_header_and_format_do_not_matter(reseller: Reseller, accept: str) -> None:
    raw = request(method="GET", path=f"/api/v2?key={reseller.key}&action=balance&format=xml", Accept=accept)
    assert send(raw)[::2] == (200, BALANCE)


@pytest.mark.parametrize("name", ["key", "api", "api_key", "api_token", "secret"])
def test_the_key_has_aliases(reseller: Reseller, name: str) -> None:
    assert send(request(f"{name}={reseller.key}&action=balance".encode()))[2] == BALANCE


def test_the_key_in_the_body_wins(reseller: Reseller, stranger: Reseller) -> None:
    order_id = order(reseller.user, service()).pk
    body = f"key={reseller.key}&action=status&order={order_id}".encode()
    raw = request(body, path=f"/api/v2?key={stranger.key}", Authorization=f"Bearer {stranger.key}")
    assert send(raw)[2]["status"] == "Pending"


@pytest.mark.parametrize("action", ["balance", "BALANCE", " Balance "])
def test_the_action_is_read_in_any_case(reseller: Reseller, action: str) -> None:
    assert send(request(urlencode({"key": reseller.key, "action": action}).encode()))[2] == BALANCE


def test_an_unescaped_link_ends_at_the_ampersand(reseller: Reseller) -> None:
    what = service()
    path = f"/api/v2?action=add&service={what.pk}&link=https://x.example/p?a=1&b=2&quantity=100&key={reseller.key}"
    placed = send(request(method="GET", path=path))[2]
    assert reseller.user.orders.get(pk=placed["order"]).link == "https://x.example/p?a=1"


def test_raw_letters_in_a_query_are_utf8(reseller: Reseller) -> None:
    what = service()
    path = f"/api/v2?key={reseller.key}&action=add&service={what.pk}&quantity=1&link=страница".encode().decode(
        "latin-1"
    )
    placed = send(request(method="GET", path=path))[2]
    assert reseller.user.orders.get(pk=placed["order"]).link == "страница"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_get_405_in_json(reseller: Reseller, method: str) -> None:
    status, headers, body = send(request(method=method, path=f"/api/v2?key={reseller.key}&action=balance"))
    assert (status, body, headers["allow"]) == (405, {"error": "Use GET or POST"}, "GET, POST")


def test_head_places_no_order(reseller: Reseller) -> None:
    path = f"/api/v2?key={reseller.key}&action=add&service={service().pk}&link=x&quantity=100"
    assert send(request(method="HEAD", path=path))[0] == 405
    assert not reseller.user.orders.exists()


@pytest.mark.parametrize("path", ["/api", "/api/v4", "/api/v2/balance", "/api/v2//", "/api/%0A", "/api/%00"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_addresses_get_404_in_json(db: None, path: str, method: str) -> None:
    status, _, body = send(request(method=method, path=path))
    assert (status, body) == (404, {"error": "Unknown address, the API is at /api/v2"})


def test_a_body_beyond_the_limit_gets_413_in_json(db: None) -> None:
    for content_type in (FORM, "application/json", "multipart/form-data; boundary=XX"):
        raw = request(content_type=content_type).replace(b"Content-Length: 0", b"Content-Length: 2621441")
        assert send(raw)[::2] == (413, {"error": "Incorrect request: it is too large"})


def test_an_invalid_content_length_is_refused(db: None) -> None:
    raw = request().replace(b"Content-Length: 0", b"Content-Length: many")
    assert send(raw)[::2] == (400, {"error": "Incorrect request"})


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (b"", FORM, "Incorrect request"),
        (b"\x00\xff\xfe", "", "Incorrect request"),
        (b"key=a%00b&action=balance", FORM, "Incorrect request: 'key' is not text in UTF-8"),
        (b"action=add&comments=%CF%F0%E8", FORM, "Incorrect request: 'comments' is not text in UTF-8"),
        (b'{"action": "add", "link": "\\ud800"}', "application/json", "Incorrect request: 'link' is not text in UTF-8"),
        (b"&".join([b"a=1"] * 3001), FORM, "Incorrect request: more than 3000 parameters"),
        (b"[" * 100_000, "application/json", "Incorrect request: the body is not a JSON object"),
        (b'{"a":' * 100_000, "application/json", "Incorrect request: the body is not a JSON object"),
        (b'{"action": "balance"', "application/json", "Incorrect request: the body is not a JSON object"),
        (b'[{"action": "balance"}]', "application/json", "Incorrect request: the body is not a JSON object"),
        (b'{"key": NaN, "action": Infinity}', "application/json", "Incorrect request"),
        (b'{"key": 1e999, "action": "balance"}', "application/json", "Invalid API key"),
        (b'{"key": ["a"], "action": {"x": "balance"}}', "application/json", "Invalid API key"),
        (b'{"action": "balance", "n": ' + b"9" * 5000 + b"}", "application/json", "Invalid API key"),
        (b"--XX", "multipart/form-data", "Incorrect request: its body cannot be read"),
        (b"--XX", "multipart/form-data; boundary=\xff", "Incorrect request: its body cannot be read"),
        (b"nothing", "multipart/form-data; boundary=XX; charset=zlib", "Incorrect request"),
    ],
)  # fmt: skip
def test_an_unreadable_body_gets_an_error_text(db: None, body: bytes, content_type: str | bytes, text: str) -> None:
    kind = content_type.decode("latin-1") if isinstance(content_type, bytes) else content_type
    assert send(request(body, content_type=kind))[::2] == (200, {"error": text})


def test_a_multipart_form_with_too_many_fields_is_refused(db: None) -> None:
    body = multipart({f"orders[{number}]": "1" for number in range(1001)})
    sent = send(request(body, content_type="multipart/form-data; boundary=XX"))
    assert sent[::2] == (200, {"error": "Incorrect request: its body cannot be read"})


def test_a_thousand_ids_as_a_thousand_fields_are_read(reseller: Reseller) -> None:
    fields = {"key": reseller.key, "action": "status", **{f"orders[{number}]": number + 1 for number in range(1000)}}
    body = send(request(urlencode(fields).encode(), content_type=FORM))[2]
    assert list(body) == [str(number) for number in range(1, 1001)]


def test_responses_are_english_without_cookies_or_sessions(reseller: Reseller) -> None:
    raw = request(
        f"key={reseller.key}&action=nothing".encode(),
        Cookie=f"sessionid={'a1' * 16}; csrftoken={'b2' * 16}; django_language=ru",
        Accept_Language="ru,tr;q=0.9",
    )
    status, headers, body = send(raw)
    assert (status, body) == (200, {"error": "Incorrect request"})
    assert "set-cookie" not in headers
    assert "cookie" not in headers.get("vary", "").lower()
    assert headers["content-language"] == "en"
    assert headers["cache-control"] == "no-store"
