"""Who may call the Admin API, what its keys may do, and how it refuses."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from storefront.api.adminapi.models import StaffKey
from tests import factories
from tests.storefront.api.adminapi.program import READ, Program, routes

pytestmark = pytest.mark.django_db
ORDERS = "/adminapi/v2/orders"


def code(response: Any) -> int:
    """Return the HTTP status of a refusal in the envelope."""
    answer = response.json()
    assert set(answer) == {"data", "error_message", "error_code"}
    assert answer["data"] == []
    assert answer["error_message"]
    assert answer["error_code"] == response.status_code
    assert response.headers["Content-Type"] == "application/json"
    return int(response.status_code)


def test_a_key_is_taken_from_the_header_or_the_query(program: Program) -> None:
    assert program.http.get(ORDERS).status_code == 200
    assert Client().get(ORDERS, {"apikey": program.text}).status_code == 200
    assert Client().get(ORDERS, {"key": program.text}).status_code == 200


def test_without_a_good_key_nothing_is_answered(program: Program) -> None:
    assert code(Client().get(ORDERS)) == 401
    assert code(Client(headers={"X-Api-Key": "0" * 64}).get(ORDERS)) == 401
    StaffKey.objects.update(revoked_at=timezone.now())
    assert code(program.http.get(ORDERS)) == 401


def test_a_customers_key_opens_nothing() -> None:
    _key, text = factories.customer().api_keys.model.objects.issue(factories.customer())
    assert code(Client(headers={"X-Api-Key": text}).get(ORDERS)) == 401


@pytest.mark.parametrize("lost", ["is_active", "is_staff", "is_superuser"])
def test_a_key_ends_with_the_rights_of_its_owner(program: Program, lost: str) -> None:
    setattr(program.user, lost, False)
    program.user.save()
    assert code(program.http.get(ORDERS)) == 401


def test_a_key_is_bound_to_its_addresses() -> None:
    assert code(Program(addresses="203.0.113.7").http.get(ORDERS)) == 403
    assert Program(addresses="127.0.0.0/8").http.get(ORDERS).status_code == 200


def test_a_key_that_was_sent_in_the_open_is_refused(program: Program, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["shop.example"]
    assert code(program.http.get(ORDERS, headers={"Host": "shop.example"})) == 403
    assert program.http.get(ORDERS, headers={"Host": "shop.example"}, secure=True).status_code == 200


def test_the_last_use_is_kept_to_the_minute(program: Program) -> None:
    program.http.get(ORDERS)
    program.key.refresh_from_db()
    first = program.key.last_used_at
    assert first is not None
    program.http.get(ORDERS)
    program.key.refresh_from_db()
    assert program.key.last_used_at == first
    StaffKey.objects.update(last_used_at=first - timedelta(minutes=2))
    program.http.get(ORDERS)
    program.key.refresh_from_db()
    assert program.key.last_used_at >= first


def test_the_sixth_call_within_a_second_waits(program: Program, settings: Any) -> None:
    settings.ADMIN_API_CALLS_PER_SECOND = 5
    caches["counters"].clear()
    answers = [program.http.get(ORDERS) for _ in range(12)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert code(refused[0]) == 429
    assert refused[0].headers["Retry-After"] == "1"
    assert Program().http.get(ORDERS).status_code == 200


def test_every_scope_is_asked_for() -> None:
    keyless = Program(**dict.fromkeys(READ, False))
    refused = {route: keyless.http.get(route).status_code for route in routes()}
    assert set(refused.values()) <= {403, 405}, refused


@pytest.mark.parametrize(
    "path", ["/adminapi", "/adminapi/", "/adminapi/v2", "/adminapi/v2/nothing", "/adminapi/v3/orders"]
)
@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_an_unknown_address_is_answered_in_the_envelope(program: Program, path: str, method: str) -> None:
    assert code(getattr(program.http, method)(path)) == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "head"])
def test_other_methods_are_refused_in_the_envelope(program: Program, method: str) -> None:
    response = getattr(program.http, method)(ORDERS)
    assert response.status_code == 405
    assert method == "head" or json.loads(response.content)["error_code"] == 405


def test_no_accept_header_changes_the_format(program: Program) -> None:
    for accept in ("text/html", "application/xml", "*/*", "nonsense"):
        response = program.http.get(ORDERS, headers={"Accept": accept})
        assert response.headers["Content-Type"] == "application/json"


def test_no_other_site_may_read_an_answer(program: Program) -> None:
    response = program.http.get(ORDERS, headers={"Origin": "https://elsewhere.example"})
    assert "Access-Control-Allow-Origin" not in response.headers
