"""Scopes, allowed addresses and rate limits of API keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.cache import caches
from django.db import connection

from orders.models import Order
from storefront.accounts.models import ApiKey
from tests.factories import service
from tests.storefront.api.reseller import Reseller, request, send

READS = ("services", "status", "refill_status", "balance")
WRITES = ("add", "refill", "cancel")


def restrict(**columns: Any) -> None:
    ApiKey.objects.update(**columns)


# ------------------------------------------------------------------------------------------------ scopes
@pytest.mark.parametrize("action", WRITES)
def test_a_key_without_the_order_scope_orders_nothing(reseller: Reseller, action: str) -> None:
    restrict(has_order_scope=False)
    assert reseller.call(action=action, service=service().pk) == {"error": "This API key may not place orders"}
    assert reseller.call(action="balance")["balance"] == "100.84292"


@pytest.mark.parametrize("action", READS)
def test_a_key_without_the_read_scope_reads_nothing(reseller: Reseller, action: str) -> None:
    restrict(has_read_scope=False)
    assert reseller.call(action=action, order=1) == {"error": "This API key may not read"}
    assert "order" in reseller.call(action="add", service=service().pk, link="x", quantity=100)


def test_orders_by_get_can_be_turned_off_for_a_key(reseller: Reseller) -> None:
    asked = {"key": reseller.key, "action": "add", "service": service().pk, "link": "x", "quantity": 100}
    assert "order" in reseller.client.get("/api/v2", asked).json()
    restrict(has_get_writes=False)
    refused = {"error": "This API key takes no orders by GET, use POST"}
    assert reseller.client.get("/api/v2", {**asked, "link": "y"}).json() == refused
    assert "error" not in reseller.client.get("/api/v2", {"key": reseller.key, "action": "balance"}).json()
    assert "order" in reseller.call(**{**asked, "link": "y"})
    assert Order.objects.count() == 2


def test_a_key_works_from_its_addresses_only(reseller: Reseller, settings: Any) -> None:
    restrict(addresses="203.0.113.0/24\n2001:db8::7")
    assert reseller.call(action="balance") == {"error": "This API key may not be used from this address"}
    settings.BEHIND_PROXY = True
    for address, is_allowed in (("203.0.113.9", True), ("203.0.114.9", False), ("2001:db8::7", True)):
        # A client can send this header itself; our proxy appends the real address.
        headers = {"X-Forwarded-For": f"203.0.113.1, {address}"}
        found = reseller.client.post("/api/v2", {"key": reseller.key, "action": "balance"}, headers=headers)
        assert ("balance" in found.json()) is is_allowed


# ------------------------------------------------------------------------------------------------ limits
@pytest.fixture
def limits(settings: Any) -> Any:
    caches["counters"].clear()
    settings.API_CALLS_PER_MINUTE = 3
    with time_machine.travel("2026-05-04T12:00:40Z", tick=False):
        yield settings
    caches["counters"].clear()


@pytest.mark.parametrize("action", READS)
def test_too_many_reads_get_an_empty_object_and_retry_after(reseller: Reseller, limits: Any, action: str) -> None:
    """Clients treat an error in the status of an order as final and would not ask again."""
    for _ in range(3):
        reseller.call(action="balance")
    body = f"key={reseller.key}&action={action}&order=1".encode()
    status, headers, answer = send(request(body, content_type="application/x-www-form-urlencoded"))
    assert (status, headers["retry-after"], answer) == (429, "20", {})
    with time_machine.travel("2026-05-04T12:01:00Z", tick=False):
        assert reseller.call(action="balance")


@pytest.mark.parametrize("action", WRITES)
def test_too_many_orders_get_an_error_and_place_nothing(reseller: Reseller, limits: Any, action: str) -> None:
    for _ in range(3):
        reseller.call(action="balance")
    refused = reseller.call(action=action, service=service().pk, link="x", quantity=100)
    assert refused == {"error": "Too many requests, please try again later"}
    assert not Order.objects.exists()


def test_an_operator_can_set_another_limit_for_a_key(reseller: Reseller, stranger: Reseller, limits: Any) -> None:
    ApiKey.objects.filter(user=reseller.user).update(calls_per_minute=5)
    ApiKey.objects.filter(user=stranger.user).update(calls_per_minute=0)
    called = [reseller.client.post("/api/v2", {"key": reseller.key, "action": "balance"}) for _ in range(6)]
    assert [answer.status_code for answer in called] == [200] * 5 + [429]
    for _ in range(10):
        stranger.call(action="balance")


def test_an_address_is_limited_across_all_keys(reseller: Reseller, limits: Any) -> None:
    limits.API_ADDRESS_CALLS_PER_MINUTE = 4
    tried = [reseller.client.post("/api/v2", {"key": f"guess {n}", "action": "balance"}) for n in range(4)]
    assert {answer.content for answer in tried} == {b'{"error":"Invalid API key"}'}
    refused = reseller.client.post("/api/v2", {"key": reseller.key, "action": "balance"})
    assert (refused.status_code, refused.json(), refused["Retry-After"]) == (429, {}, "20")


def test_ipv6_addresses_are_limited_by_their_64_bit_prefix(reseller: Reseller, limits: Any) -> None:
    limits.API_ADDRESS_CALLS_PER_MINUTE, limits.BEHIND_PROXY, limits.API_CALLS_PER_MINUTE = 2, True, 0

    def status_from(address: str) -> int:
        headers = {"X-Forwarded-For": address}
        return reseller.client.post("/api/v2", {"key": reseller.key, "action": "balance"}, headers=headers).status_code

    assert [status_from(f"2001:db8:1:2::{n}") for n in (1, 2, 3)] == [200, 200, 429]
    assert status_from("2001:db8:1:2:ffff:ffff:ffff:ffff") == 429
    assert status_from("2001:db8:1:3::1") == 200
    assert [status_from(f"198.51.100.{n}") for n in (1, 2, 3)] == [200] * 3
    assert [status_from("::ffff:203.0.113.1"), status_from("203.0.113.1"), status_from("203.0.113.1")] == [
        200,
        200,
        429,
    ]


def test_calls_are_answered_and_logged_when_counters_are_unavailable(
    reseller: Reseller, limits: Any, tmp_path: Path, caplog: Any
) -> None:
    (tmp_path / "file").touch()
    location = str(tmp_path / "file" / "counters")
    counters = {"BACKEND": "storefront.web.counters.CounterCache", "LOCATION": location}
    limits.CACHES = {**limits.CACHES, "counters": counters}
    assert {reseller.call(action="balance")["balance"] for _ in range(5)} == {"100.84292"}
    assert [line.message for line in caplog.records if "cannot be counted" in line.message]
    limits.CACHES = {**limits.CACHES, "counters": {**counters, "LOCATION": str(tmp_path / "counters")}}


# ------------------------------------------------------------------------------------------------ the connection
@pytest.mark.django_db(transaction=True)
def test_a_lost_database_connection_fails_no_call(reseller: Reseller) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("an embedded database has no connection that could die")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    finally:
        other.close()
    assert reseller.call(action="balance")["balance"] == "100.84292"
