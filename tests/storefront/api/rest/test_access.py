"""Who may call the REST API, and what others are told."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from storefront.accounts.models import ApiKey
from storefront.web import maintenance
from tests import factories
from tests.storefront.api.rest.program import LINK, Program, problem, program


def test_a_call_without_a_key_is_refused(db: Any) -> None:
    response = Client().get("/api/v3/balance")
    assert problem(response) == (401, "invalid_api_key")
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("header", ["Bearer 00ff", "Bearer", "Basic abc", "Bearer \x7f"])
def test_a_call_with_an_unknown_key_is_refused(db: Any, header: str) -> None:
    assert problem(Client().get("/api/v3/balance", headers={"Authorization": header})) == (401, "invalid_api_key")


def test_a_revoked_key_is_refused(caller: Program) -> None:
    ApiKey.objects.update(revoked_at="2026-01-01T00:00Z")
    assert problem(caller.call("GET", "balance")) == (401, "invalid_api_key")


def test_a_key_that_may_only_read_does_not_order(db: Any) -> None:
    caller = program("100", has_order_scope=False)
    body = {"service": factories.service().pk, "link": LINK, "quantity": 100}
    assert problem(caller.call("POST", "orders", body, Idempotency_Key="1")) == (403, "scope_missing")
    assert problem(caller.call("POST", "refills", {"order": 1})) == (403, "scope_missing")
    assert caller.get("balance")["balance"] == "100.00"
    assert caller.post("quotes", body)["charge"] == "0.09"


def test_a_key_that_may_only_order_does_not_read(db: Any) -> None:
    caller = program("100", has_read_scope=False)
    assert problem(caller.call("GET", "orders")) == (403, "scope_missing")
    caller.post("orders", {"service": factories.service().pk, "link": LINK, "quantity": 100})


def test_a_key_is_refused_from_another_address(db: Any) -> None:
    caller = program("100", addresses="203.0.113.7")
    assert problem(caller.call("GET", "balance")) == (403, "address_not_allowed")


def test_a_key_over_plain_http_is_refused_where_the_shop_has_https(caller: Program, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["shop.example"]
    assert problem(caller.call("GET", "balance", Host="shop.example")) == (403, "https_required")


def test_a_key_has_a_quota_that_it_is_told(caller: Program, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = 2
    first = caller.call("GET", "balance")
    assert first["RateLimit-Policy"] == '"key";q=2;w=60'
    assert first["RateLimit"].startswith('"key";r=1;t=')
    caller.call("GET", "balance")
    refused = caller.call("GET", "balance")
    assert problem(refused) == (429, "rate_limited")
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert refused["RateLimit"].startswith('"key";r=0;t=')


def test_an_address_has_a_quota_before_its_keys_are_looked_at(db: Any, settings: Any) -> None:
    settings.API_ADDRESS_CALLS_PER_MINUTE = 1
    headers = {"Authorization": "Bearer 00ff"}
    assert Client(REMOTE_ADDR="203.0.113.9").get("/api/v3/balance", headers=headers).status_code == 401
    assert Client(REMOTE_ADDR="203.0.113.9").get("/api/v3/balance", headers=headers).status_code == 429


def test_a_closed_shop_says_when_to_come_back(caller: Program, settings: Any, tmp_path: Any) -> None:
    settings.VAR_DIR = tmp_path
    maintenance.flag().write_text("Back soon")
    response = caller.call("GET", "balance")
    assert response.status_code == 503
    assert response["Retry-After"] == "120"


@pytest.mark.parametrize("path", ["", "nothing", "orders/", "orders/0x1", "orders/1/nothing", "services/-1"])
def test_an_unknown_address_is_told_as_a_problem(caller: Program, path: str) -> None:
    assert problem(caller.call("POST" if not path else "GET", path)) == (404, "not_found")


@pytest.mark.parametrize(("method", "path"), [("DELETE", "orders/1"), ("PUT", "services"), ("OPTIONS", "balance")])
def test_another_method_is_refused(caller: Program, method: str, path: str) -> None:
    response = caller.call(method, path)
    assert problem(response) == (405, "method_not_allowed")
    assert "GET" in response["Allow"]


@pytest.mark.parametrize(
    ("body", "content_type", "refusal"),
    [
        ("{", "application/json", (400, "invalid_request")),
        ('{"quantity": NaN}', "application/json", (400, "invalid_request")),
        (b"\xff", "application/json", (400, "invalid_request")),
        ("[]", "application/json", (422, "invalid_fields")),
        ("a=1", "application/x-www-form-urlencoded", (415, "unsupported_media_type")),
        (" " * 3_000_000, "application/json", (413, "payload_too_large")),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    caller: Program, body: Any, content_type: str, refusal: tuple[int, str]
) -> None:
    response = caller.client.post(
        "/api/v3/quotes", body, content_type=content_type, headers={"Authorization": f"Bearer {caller.key}"}
    )
    assert problem(response) == refusal
