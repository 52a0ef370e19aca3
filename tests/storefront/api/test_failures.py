"""Unexpected failures return JSON with HTTP 500 and never claim an outcome that is unknown."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import RequestFactory

from orders.buying import checkout
from orders.models import Order
from storefront.api import keys
from storefront.api.error_handlers import server_error
from tests.factories import order, service
from tests.storefront.api.reseller import Reseller


def failing(failure: Exception) -> Any:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise failure

    return fail


def post(reseller: Reseller, **params: Any) -> tuple[int, Any]:
    response = reseller.client.post("/api/v2", {"key": reseller.key, **params})
    return response.status_code, response.json()


def test_an_add_that_was_rolled_back_says_that_nothing_was_charged(
    reseller: Reseller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkout.transfers, "_sell_in_one_statement", lambda order: False)
    monkeypatch.setattr(checkout.transfers, "_insert_charge", failing(KeyError("a bug")))
    answer = post(reseller, action="add", service=service().pk, link="x", quantity=100)
    assert answer == (500, {"error": "Internal error, nothing was charged"})
    assert not Order.objects.exists()
    assert str(reseller.balance) == "100.842920"


def test_an_add_with_an_unknown_outcome_returns_no_error(reseller: Reseller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients read an error as "not placed", but the connection may be lost while the order is committed."""
    monkeypatch.setattr(checkout, "place_order", failing(OperationalError("server closed the connection")))
    assert post(reseller, action="add", service=service().pk, link="x", quantity=100) == (500, {})


@pytest.mark.parametrize("action", ["status", "balance", "services"])
def test_a_failed_read_returns_no_error(reseller: Reseller, action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients treat an error in a status as final and would not ask for that order again."""
    monkeypatch.setattr(keys, "digest", failing(RuntimeError("a bug")))
    assert post(reseller, action=action, order=order(reseller.user, service()).pk) == (500, {})


def test_an_order_is_kept_if_waking_the_worker_fails(
    reseller: Reseller, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr(checkout, "wake", failing(RuntimeError("the broker is down")))
    with django_capture_on_commit_callbacks(execute=True):
        status, answer = post(reseller, action="add", service=service().pk, link="x", quantity=100)
    assert (status, answer) == (200, {"order": Order.objects.get().pk})


def test_failures_outside_the_view_return_json_to_programs_and_pages_to_people() -> None:
    answer = server_error(RequestFactory().get("/api/v2"))
    assert (answer.status_code, answer.content) == (500, b"{}")
    page = server_error(RequestFactory().get("/orders/"))
    assert (page.status_code, page["Content-Type"].partition(";")[0]) == (500, "text/html")


def test_a_key_is_never_logged(
    reseller: Reseller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(checkout, "place_order", failing(RuntimeError("a bug")))
    reseller.client.get(f"/api/v2?key={reseller.key}&action=add&service={service().pk}")
    assert "a bug" in caplog.text
    assert reseller.key not in caplog.text
