"""Clients that repeat requests against the real web server with two processes: nobody pays twice."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from orders.ledger import audit
from orders.models import Order, Transfer
from providers.panels.simulators import Panel
from tests.clients.stage import Stage
from tests.clients.test_replicas import post_request
from tests.providers.conftest import provider_at, start_panel
from tests.storefront.api.reseller import read_response

__all__ = ["start_panel"]
pytestmark = pytest.mark.django_db(transaction=True)


def add_request(stage: Stage, **more: Any) -> bytes:
    sold = stage.services["default"].pk
    fields = {"key": stage.key, "action": "add", "service": sold, "link": "x", "quantity": 100, **more}
    return post_request(urlencode(fields))


def run_at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(lambda act: act(), acts))


@pytest.mark.parametrize("more", [{}, {"request_id": "r-1"}], ids=["no id", "request_id"])
def test_eight_identical_requests_at_once_place_one_order(stage: Stage, more: dict[str, str]) -> None:
    money, raw = stage.reseller.balance, add_request(stage, **more)
    answers = run_at_once([lambda: stage.raw(raw)] * 8)
    assert {status for status, _, _ in answers} == {200}
    order = stage.bought(answers[0][2], after=money)
    assert [body for _, _, body in answers] == [{"order": order.pk}] * 8
    assert Order.objects.filter(source="api").count() == 1


def test_eight_orders_at_once_with_balance_for_three_place_three(stage: Stage) -> None:
    """Different orders of one wallet: those above the balance get an error text, in any order."""
    poor = stage.stranger
    stage.services["default"].rate = Decimal(300)  # 30 for 100 pieces, and the wallet holds 100.84292
    stage.services["default"].save()
    raws = [add_request(stage, key=poor.key, link=f"x{number}") for number in range(8)]
    answers = [body for _, _, body in run_at_once([lambda raw=raw: stage.raw(raw) for raw in raws])]
    refused = [body for body in answers if body == {"error": "Not enough funds on balance"}]
    assert len(refused) == 5
    bought = {body["order"] for body in answers if body not in refused}
    assert bought == set(Order.objects.filter(source="api", user=poor.user).values_list("pk", flat=True))
    assert poor.balance == Decimal("10.84292")
    assert list(audit.findings()) == []


def test_a_client_that_disconnects_and_repeats_gets_the_placed_order(stage: Stage) -> None:
    money, raw = stage.reseller.balance, add_request(stage)
    with socket.create_connection(("127.0.0.1", stage.port), timeout=10) as impatient:
        impatient.sendall(raw)
    answers = [stage.raw(raw)[2] for _ in range(3)]
    assert answers == [answers[0]] * 3
    stage.bought(answers[0], after=money)
    assert Transfer.objects.filter(kind="charge", order__source="api").count() == 1


def test_an_order_is_taken_at_once_while_the_panel_hangs(stage: Stage, start_panel: Callable[..., Panel]) -> None:
    """The customer's program never waits for the panel; it gets its order id at once."""
    panel = start_panel("v2")
    provider_at(panel, "v2")
    panel.fault("add", "hang", seconds=30)
    asked_before, sold = len(panel.received("add")), stage.services["default"].pk
    money, started = stage.reseller.balance, time.monotonic()
    with socket.create_connection(("127.0.0.1", stage.port), timeout=10) as client:
        client.sendall(add_request(stage, service=sold))
        _, _, body = read_response(client)
    assert time.monotonic() - started < 5
    stage.bought(body, after=money)
    assert len(panel.received("add")) == asked_before


def test_the_log_of_the_web_server_names_no_key(stage: Stage, log_of_the_server: Callable[[], str]) -> None:
    """Clients that call by GET have their key in the address."""
    sent = f"GET /api/v2?key={stage.key}&action=balance HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert stage.raw(sent.encode())[0] == 200
    deadline = time.monotonic() + 5
    while log_of_the_server().count('"GET /api/v2') == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "GET /api/v2" in log_of_the_server()
    assert stage.key not in log_of_the_server()
