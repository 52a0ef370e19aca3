"""A request that is sent twice with one Idempotency-Key runs once, whatever happens in between."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connections
from django.test import Client
from django.utils import timezone

from orders.buying import checkout
from orders.ledger import audit
from orders.models import Order
from storefront.api.rest import idempotency
from storefront.api.rest.models import StoredAnswer
from tests import factories
from tests.storefront.api.rest.program import LINK, Program, problem, program


@pytest.fixture
def body(db: Any) -> dict[str, Any]:
    return {"service": factories.service(rate="0.90").pk, "link": LINK, "quantity": 100}


def test_a_repeated_order_gets_the_first_answer(caller: Program, body: dict[str, Any]) -> None:
    first = caller.call("POST", "orders", body, Idempotency_Key="one")
    again = caller.call("POST", "orders", dict(reversed(body.items())), Idempotency_Key='"one"')
    assert again.content == first.content
    assert (again.status_code, again["Location"]) == (first.status_code, first["Location"]) == (201, again["Location"])
    assert ("Idempotency-Replayed" in first, again["Idempotency-Replayed"]) == (False, "true")
    assert Order.objects.count() == 1
    assert caller.get("balance")["balance"] == "99.91"


def test_another_body_with_the_same_key_is_refused(caller: Program, body: dict[str, Any]) -> None:
    caller.post("orders", body, key="one")
    other = caller.call("POST", "orders", {**body, "quantity": 101}, Idempotency_Key="one")
    assert problem(other) == (422, "idempotency_key_reused")
    assert problem(caller.call("POST", "quotes", body, Idempotency_Key="one")) == (422, "idempotency_key_reused")
    assert Order.objects.count() == 1


def test_an_order_needs_a_key(caller: Program, body: dict[str, Any]) -> None:
    for path in ("orders", "orders/bulk"):
        assert problem(caller.call("POST", path, body)) == (400, "idempotency_key_required")


@pytest.mark.parametrize("key", ["", '""', "é", "x" * 256])
def test_a_key_of_another_form_is_refused(caller: Program, body: dict[str, Any], key: str) -> None:
    assert problem(caller.call("POST", "orders", body, Idempotency_Key=key)) == (400, "idempotency_key_invalid")


def test_keys_of_two_customers_do_not_meet(caller: Program, other: Program, body: dict[str, Any]) -> None:
    assert caller.post("orders", body, key="one")["id"] != other.post("orders", body, key="one")["id"]


def test_a_key_counts_for_a_day(caller: Program, body: dict[str, Any]) -> None:
    first = caller.post("orders", body, key="one")
    with time_machine.travel(timezone.now() + timedelta(hours=23, minutes=59), tick=False):
        assert caller.post("orders", body, key="one") == first
        assert idempotency.prune() == 0
    with time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1), tick=False):
        assert caller.post("orders", body, key="one")["id"] != first["id"]


def test_old_answers_are_deleted(caller: Program, body: dict[str, Any]) -> None:
    caller.post("orders", body)
    StoredAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert idempotency.prune() == 1


def test_a_refusal_for_lack_of_money_is_repeated_as_well(caller: Program, body: dict[str, Any]) -> None:
    dear = {**body, "service": factories.service(rate="20000").pk, "quantity": 1000}
    assert problem(caller.call("POST", "orders", dear, Idempotency_Key="one")) == (402, "insufficient_funds")
    factories.wallet(caller.user, "100000")
    again = caller.call("POST", "orders", dear, Idempotency_Key="one")
    assert problem(again) == (402, "insufficient_funds")
    assert again["Idempotency-Replayed"] == "true"


def test_a_corrected_request_may_use_the_key_of_the_invalid_one(caller: Program, body: dict[str, Any]) -> None:
    wrong = caller.call("POST", "orders", {**body, "quantity": 0}, Idempotency_Key="one")
    assert problem(wrong) == (422, "invalid_fields")
    caller.post("orders", body, key="one")


@pytest.mark.parametrize(
    ("failure", "code"), [(ValueError("a"), (500, "internal_error")), (OperationalError("b"), (503, "try_again"))]
)
def test_a_request_that_broke_off_left_nothing_and_can_be_repeated(
    caller: Program, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch, failure: Exception, code: tuple[int, str]
) -> None:
    place = checkout.place_order

    def bought_but_not_answered(*args: Any, **options: Any) -> None:
        place(*args, **options)
        raise failure

    monkeypatch.setattr(checkout, "place_order", bought_but_not_answered)
    assert problem(caller.call("POST", "orders", body, Idempotency_Key="one")) == code
    assert (Order.objects.count(), StoredAnswer.objects.count()) == (0, 0)
    monkeypatch.undo()
    caller.post("orders", body, key="one")
    assert list(audit.findings()) == []


def test_a_secret_in_a_stored_answer_is_encrypted(caller: Program, settings: Any) -> None:
    settings.ALLOW_PRIVATE_WEBHOOKS = True
    sent = {"url": "http://127.0.0.1:9000/", "events": ["order.changed"]}
    secret = caller.post("webhook-endpoints", sent, key="one")["secret"]
    assert secret not in StoredAnswer.objects.values_list("body", flat=True).get().token
    assert caller.post("webhook-endpoints", sent, key="one")["secret"] == secret


@pytest.mark.django_db(transaction=True)
def test_the_same_order_sent_many_times_at_once_is_bought_once() -> None:
    caller = program("100")
    body = {"service": factories.service(rate="0.90").pk, "link": LINK, "quantity": 100}
    barrier = threading.Barrier(6)
    answers: list[Any] = []

    def send() -> None:
        barrier.wait()
        same = Program(caller.user, caller.key, Client())
        answers.append(same.call("POST", "orders", body, Idempotency_Key="one"))
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [answer.status_code for answer in answers] == [201] * 6, [answer.content for answer in answers]
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer for answer in answers) == 5
    assert Order.objects.count() == 1
    assert caller.get("balance")["balance"] == "99.91"
