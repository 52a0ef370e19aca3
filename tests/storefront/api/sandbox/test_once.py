"""Never twice: the same request of a key buys once, also when it comes many times at one moment."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from orders.models import Service
from storefront.api.sandbox.models import SandboxOrder, SandboxRefill
from tests.factories import service
from tests.orders.parallel import together
from tests.storefront.api.reseller import Reseller
from tests.storefront.api.sandbox.playing import LINK, buy, freeze, real_rows, sandbox_customer

REUSED = {"error": "This request id was used for another order"}


@pytest.mark.django_db
def test_the_same_request_id_buys_once_for_a_day(reseller: Reseller, start: datetime) -> None:
    what = service()
    with freeze(start):
        first = buy(reseller, what, request_id="r-1")
        assert buy(reseller, what, request_id="r-2") != first
        assert buy(sandbox_customer(), what, request_id="r-1") != first
        data = {"key": reseller.key, "action": "add", "service": what.pk, "link": LINK, "quantity": "100"}
        by_header = reseller.client.post("/api/v2", data, headers={"Idempotency-Key": "r-1"})
        assert by_header.json() == {"order": first}
    with freeze(start, hours=23):
        assert buy(reseller, what, request_id="r-1") == first
    with freeze(start, hours=24):
        assert buy(reseller, what, request_id="r-1") != first


@pytest.mark.django_db
def test_a_request_id_is_not_for_something_else(reseller: Reseller) -> None:
    what = service()
    buy(reseller, what, request_id="r")
    for changed in ({"quantity": 101}, {"link": f"{LINK}/2"}, {"service": service().pk}):
        params = {"service": what.pk, "link": LINK, "quantity": 100, **changed}
        assert reseller.call(action="add", request_id="r", **params) == REUSED
    assert SandboxOrder.objects.count() == 1


@pytest.mark.django_db
def test_the_same_words_within_a_minute_buy_once(reseller: Reseller, start: datetime) -> None:
    what = service()
    with freeze(start):
        first = buy(reseller, what)
        assert buy(reseller, what, quantity=101) != first
        assert buy(reseller, what, request_id="r") != first
        assert buy(sandbox_customer(reseller.user), what) != first
    with freeze(start, seconds=59):
        assert buy(reseller, what) == first
    with freeze(start, seconds=60):
        assert buy(reseller, what) != first


@pytest.mark.django_db
def test_a_repeated_request_costs_nothing_and_needs_no_money(reseller: Reseller, settings: Any) -> None:
    settings.SANDBOX_BALANCE = "0.09"
    what = service()
    first = buy(reseller, what)
    assert reseller.call(action="balance")["balance"] == "0.00"
    assert buy(reseller, what) == first
    assert reseller.call(action="balance")["balance"] == "0.00"


@pytest.mark.django_db
@pytest.mark.parametrize("extra", [{}, {"request_id": "r"}])
def test_a_repeated_request_is_known_when_the_service_is_off_sale_by_now(
    reseller: Reseller, extra: dict[str, str]
) -> None:
    what = service()
    first = buy(reseller, what, **extra)
    Service.objects.update(is_active=False)
    assert buy(reseller, what, **extra) == first
    answer = reseller.call(action="add", service=what.pk, link=LINK, quantity=101)
    assert answer == {"error": "Incorrect service ID"}


# ------------------------------------------------------------------------------------------------ at one moment
def calls(reseller: Reseller, *several: dict[str, Any]) -> list[Any]:
    """Each call by a client of its own, all at once."""

    def act(params: dict[str, Any]) -> Any:
        return lambda: Reseller(reseller.user, reseller.key, Client()).call(**params)

    return together([act(params) for params in several])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("extra", [{}, {"request_id": "r"}])
def test_eight_at_once_buy_once(extra: dict[str, str]) -> None:
    reseller, what = sandbox_customer(), service()
    before = real_rows()
    params = {"action": "add", "service": what.pk, "link": LINK, "quantity": 100, **extra}
    answers = calls(reseller, *[params] * 8)
    assert answers == [{"order": SandboxOrder.objects.get().pk}] * 8
    assert real_rows() == before


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_do_not_spend_the_same_play_money(settings: Any) -> None:
    settings.SANDBOX_BALANCE = "0.30"
    reseller, what = sandbox_customer(), service()
    params = {"action": "add", "service": what.pk, "quantity": 100}
    answers = calls(reseller, *[{**params, "link": f"{LINK}/{number}"} for number in range(8)])
    assert sorted(next(iter(answer)) for answer in answers) == ["error"] * 5 + ["order"] * 3
    assert SandboxOrder.objects.spent() == Decimal("0.27")
    assert reseller.call(action="balance")["balance"] == "0.03"


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_ask_for_one_refill_and_one_cancellation(settings: Any) -> None:
    settings.SANDBOX_SECONDS = 0
    reseller, what = sandbox_customer(), service(has_refill=True, has_cancel=True)
    done, running = buy(reseller, what), buy(reseller, what, f"{LINK}/slow")
    settings.SANDBOX_SECONDS = 3600
    answers = calls(reseller, *[{"action": "refill", "order": done}] * 8)
    assert sorted(next(iter(answer)) for answer in answers) == ["error"] * 7 + ["refill"]
    assert SandboxRefill.objects.count() == 1
    answers = calls(reseller, *[{"action": "cancel", "orders": running}] * 8)
    assert sum(answer[0]["cancel"] == 1 for answer in answers) == 1
