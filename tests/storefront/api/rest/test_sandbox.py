"""A sandbox key in the REST API: the same shapes, play money, its own rows only, and nothing real is touched."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from orders.models import Service
from storefront.accounts.models import ApiKey
from storefront.api.rest.models import StoredAnswer
from storefront.api.rest.resources import router
from storefront.api.sandbox.models import SandboxOrder
from storefront.webhooks.models import Endpoint
from tests import factories
from tests.storefront.api.rest.program import LINK, Program, problem, program
from tests.storefront.api.sandbox.playing import freeze, real_rows


def key_of(owner: Program, **restrictions: Any) -> Program:
    """Return another program of the same customer."""
    row, key = ApiKey.objects.issue(owner.user, **restrictions)
    ApiKey.objects.filter(pk=row.pk).update(last_used_at=timezone.now())
    return Program(owner.user, key)


@pytest.fixture
def player(db: Any, settings: Any) -> Program:
    settings.SANDBOX_BALANCE, settings.SANDBOX_SECONDS = "50", 120
    return program("100", is_sandbox=True)


@pytest.fixture
def live(player: Program) -> Program:
    return key_of(player)


@pytest.fixture
def sold(db: Any) -> Service:
    return factories.service(has_refill=True, has_cancel=True)


def wanted(sold: Service, **inputs: Any) -> dict[str, Any]:
    return {"service": sold.pk, "link": LINK, "quantity": 100, **inputs}


def test_an_order_is_simulated_in_the_shape_of_a_real_one(player: Program, live: Program, sold: Service) -> None:
    before, now = real_rows(), timezone.now()
    with freeze(now):
        order = player.post("orders", wanted(sold), status=201)
    assert order == player.post("orders", wanted(sold)) | {"id": order["id"], "created_at": order["created_at"]}
    assert (order["status"], order["charge"], order["link"], order["service"]) == ("pending", "0.09", LINK, sold.pk)
    assert (order["remains"], order["started_at"], order["ended_at"]) == (100, None, None)
    with freeze(now, seconds=60):
        row = player.get(f"orders/{order['id']}")
        assert (row["status"], row["ended_at"]) == ("in_progress", None)
        assert 0 < row["remains"] < 100
    with freeze(now, seconds=121):
        row = player.get(f"orders/{order['id']}")
        assert (row["status"], row["remains"]) == ("completed", 0)
        assert datetime.fromisoformat(row["started_at"]) < datetime.fromisoformat(row["ended_at"])
    assert real_rows() == before
    assert order.keys() == live.post("orders", wanted(sold)).keys()


def test_play_money_is_spent_and_the_balance_is_not(player: Program, live: Program, sold: Service) -> None:
    assert player.get("balance") == {"balance": "50.00", "currency": "USD"}
    player.post("orders", wanted(sold, quantity=10_000))
    assert player.get("balance")["balance"] == "41.00"
    assert live.get("balance")["balance"] == "100.00"
    assert player.post("quotes", wanted(sold, quantity=10_000))["is_affordable"] is True
    for _ in range(4):
        player.post("orders", wanted(sold, quantity=10_000))
    assert player.post("quotes", wanted(sold, quantity=10_000))["is_affordable"] is False
    refused = player.call("POST", "orders", wanted(sold, quantity=10_000), Idempotency_Key="k")
    assert problem(refused) == (402, "insufficient_funds")


def test_a_key_sees_its_own_sandbox_orders_only(player: Program, live: Program, sold: Service) -> None:
    other = key_of(player, is_sandbox=True)
    real, own = live.post("orders", wanted(sold)), player.post("orders", wanted(sold))
    order = own["id"]
    assert [row["id"] for row in player.get("orders")["data"]] == [order]
    assert other.get("orders")["data"] == []
    assert problem(other.call("GET", f"orders/{order}")) == (404, "not_found")
    assert [row["id"] for row in live.get("orders")["data"]] == [real["id"]]
    for resource in ("refills", "cancellations"):
        assert problem(other.call("POST", resource, {"order": order})) == (404, "not_found")
        assert other.get(resource)["data"] == []
    SandboxOrder.objects.filter(id=order).update(id=real["id"] + 1000)
    assert problem(player.call("GET", f"orders/{real['id']}")) == (404, "not_found")


def test_a_refill_and_a_cancellation_run_through(player: Program, sold: Service) -> None:
    before, now = real_rows(), timezone.now()
    with freeze(now):
        slow = player.post("orders", wanted(sold, link=f"{LINK}?slow"))["id"]
        order = player.post("orders", wanted(sold))["id"]
        assert problem(player.call("POST", "refills", {"order": order})) == (409, "order_not_completed")
    with freeze(now, seconds=200):
        refill = player.post("refills", {"order": order}, status=201)
        assert (refill["order"], refill["status"], refill["ended_at"]) == (order, "pending", None)
        assert problem(player.call("POST", "refills", {"order": order})) == (409, "request_open")
        asked = player.post("cancellations", {"order": slow}, status=201)
        assert (asked["id"], asked["order"], asked["status"], asked["ended_at"]) == (slow, slow, "pending", None)
        assert problem(player.call("POST", "cancellations", {"order": slow})) == (409, "request_open")
        assert problem(player.call("POST", "cancellations", {"order": order})) == (409, "order_ended")
        assert player.get("refills", status="pending")["data"] == [refill]
        assert player.get("cancellations", status="pending", order=slow)["data"] == [asked]
    with freeze(now, seconds=400):
        done = player.get(f"refills/{refill['id']}")
        assert (done["status"], bool(done["ended_at"])) == ("completed", True)
        ended = player.get(f"cancellations/{slow}")
        assert (ended["status"], bool(ended["ended_at"])) == ("completed", True)
        assert player.get(f"orders/{slow}")["status"] == "partial"
        for status in ("pending", "in_progress", "rejected"):
            assert player.get("refills", status=status)["data"] == []
            assert player.get("cancellations", status=status)["data"] == []
        assert player.get("refills", order=order, status="completed")["data"] == [done]
        assert player.get("cancellations", status="completed")["data"] == [ended]
    assert real_rows() == before


@pytest.mark.parametrize("word", ["", "refused", "canceled", "partial", "slow"])
@pytest.mark.parametrize("seconds", [0, 31, 119, 121])
def test_the_filter_by_status_finds_what_the_order_says(
    player: Program, sold: Service, word: str, seconds: int
) -> None:
    now = timezone.now()
    with freeze(now):
        order = player.post("orders", wanted(sold, link=LINK + word))["id"]
    with freeze(now, seconds=seconds):
        status = player.get(f"orders/{order}")["status"]
        words = ("pending", "under_review", "processing", "in_progress", "completed", "partial", "canceled", "failed")
        found = [word for word in words if player.get("orders", status=word)["data"]]
    assert found == [status]


def test_other_filters_and_pages(player: Program, sold: Service) -> None:
    other = factories.service()
    first = player.post("orders", wanted(sold))["id"]
    second = player.post("orders", wanted(other))["id"]
    assert [row["id"] for row in player.get("orders", service=sold.pk)["data"]] == [first]
    page = player.get("orders", limit=1)
    assert [row["id"] for row in page["data"]] == [second]
    assert [row["id"] for row in player.get("orders", limit=1, cursor=page["next_cursor"])["data"]] == [first]
    assert player.get("orders", created_before="2020-01-01T00:00:00Z")["data"] == []
    assert len(player.get("orders", created_after="2020-01-01T00:00:00Z")["data"]) == 2
    assert problem(player.call("GET", "orders", query={"status": "nothing"})) == (422, "invalid_fields")


def test_an_idempotency_key_is_not_shared_with_the_shop(player: Program, live: Program, sold: Service) -> None:
    played = player.post("orders", wanted(sold), key="shop-1")
    assert player.post("orders", wanted(sold), key="shop-1") == played
    real = live.post("orders", wanted(sold), key="shop-1")
    other = key_of(player, is_sandbox=True).post("orders", wanted(sold), key="shop-1")
    assert len({(played["id"], "played"), (other["id"], "played"), (real["id"], "real")}) == 3
    assert live.post("orders", wanted(sold), key="shop-1") == real
    assert player.post("orders", wanted(sold), key="shop-1") == played
    assert SandboxOrder.objects.count() == 2
    reused = player.call("POST", "orders", wanted(sold, quantity=101), Idempotency_Key="shop-1")
    assert problem(reused) == (422, "idempotency_key_reused")
    longest = "k" * 255
    assert player.post("orders", wanted(sold), key=longest) == player.post("orders", wanted(sold), key=longest)
    assert max(len(key) for key in StoredAnswer.objects.values_list("key", flat=True)) <= StoredAnswer.KEY_MAX


def test_the_agreed_charge_is_compared(player: Program, sold: Service) -> None:
    refused = player.call("POST", "orders", wanted(sold, expected_charge="0.08"), Idempotency_Key="k")
    assert problem(refused) == (409, "price_changed")
    assert refused.json()["charge"] == "0.09"
    assert player.post("orders", wanted(sold, expected_charge="0.09"))["charge"] == "0.09"


def test_many_orders_have_a_result_each(player: Program, sold: Service) -> None:
    line = wanted(sold)
    answer = player.post("orders/bulk", {"orders": [line, line, {**line, "quantity": 0}]})
    assert answer["placed"] == 2
    assert [row["order"] is None for row in answer["results"]] == [False, False, True]
    assert SandboxOrder.objects.count() == 2


def test_scopes_hold(db: Any, sold: Service) -> None:
    reader = program("100", is_sandbox=True, has_order_scope=False)
    assert problem(reader.call("POST", "orders", wanted(sold), Idempotency_Key="k")) == (403, "scope_missing")
    writer = program("100", is_sandbox=True, has_read_scope=False)
    assert problem(writer.call("GET", "orders")) == (403, "scope_missing")


#: What a sandbox key can do with each resource; everything else is the customer's own.
IN_SANDBOX = {"services", "orders", "quotes", "refills", "cancellations"}


def test_what_the_sandbox_does_not_have_says_what_it_has(player: Program, sold: Service) -> None:
    order = player.post("orders", wanted(sold))["id"]
    for prefix, _view, _name in router.registry:
        if prefix == "quotes":
            continue
        response = player.call("GET", prefix)
        assert (response.status_code == 200) == (prefix in IN_SANDBOX), prefix
        if response.status_code != 200:
            assert problem(response) == (403, "sandbox_key")
            assert "balance" in response.json()["detail"]
    assert problem(player.call("GET", f"orders/{order}/events")) == (403, "sandbox_key")
    endpoint = {"url": "https://shop.example/hook", "events": ["order.changed"]}
    assert problem(player.call("POST", "webhook-endpoints", endpoint)) == (403, "sandbox_key")
    assert not Endpoint.objects.exists()
    for path in ("", "/delivery-times", "/price-history"):
        assert player.call("GET", f"services/{sold.pk}{path}").status_code in (200, 404)
    assert problem(player.call("PUT", "orders")) == (405, "method_not_allowed")
