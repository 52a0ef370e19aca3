"""How much at once: what is too much is refused in a way that no program takes for something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.core.cache import caches

from orders.models import Order
from tests.factories import order, service
from tests.storefront.api.reseller import Reseller, request, send
from tests.storefront.api.wire.conftest import FORM

Call = Callable[..., Any]
READS = ["status", "services", "balance", "refill_status"]
WRITES = ["add", "refill", "cancel"]
TOO_MANY = {"error": "Too many requests, please try again later"}


@pytest.fixture(autouse=True)
def within_one_minute() -> Iterator[None]:
    """The counters begin at zero, and no minute ends while a test counts."""
    for counters in caches.all():
        counters.clear()
    with time_machine.travel(datetime(2030, 1, 1, 12, 0, 10, tzinfo=UTC), tick=False):
        yield


def post(reseller: Reseller, action: str, **fields: Any) -> tuple[int, dict[str, str], Any]:
    return send(request(urlencode({"key": reseller.key, "action": action, **fields}).encode(), content_type=FORM))


@pytest.mark.parametrize("setting", ["API_CALLS_PER_MINUTE", "API_ADDRESS_CALLS_PER_MINUTE"])
@pytest.mark.parametrize("action", READS)
def test_a_read_too_many_is_429_without_an_error(reseller: Reseller, settings: Any, setting: str, action: str) -> None:
    """An error in a status is final for programs; an empty object changes nothing, and the header says when."""
    setattr(settings, setting, 3)
    fields = {"order": order(reseller.user, service()).pk}
    assert [post(reseller, action, **fields)[0] for _ in range(3)] == [200] * 3
    status, headers, body = post(reseller, action, **fields)
    assert (status, body) == (429, {})
    assert 1 <= int(headers["retry-after"]) <= 60


@pytest.mark.parametrize("action", WRITES)
def test_a_write_too_many_says_that_nothing_was_done(reseller: Reseller, settings: Any, action: str) -> None:
    settings.API_CALLS_PER_MINUTE = 1
    assert post(reseller, "balance")[0] == 200
    own = order(reseller.user, service(has_refill=True, has_cancel=True), status="completed")
    fields = {"service": own.service_id, "link": "x", "quantity": 100, "orders": own.pk}
    assert post(reseller, action, **fields)[::2] == (200, TOO_MANY)
    assert (Order.objects.count(), own.refills.count(), own.cancellations.count()) == (1, 0, 0)


def test_every_key_has_its_own_count_and_may_have_its_own_limit(
    reseller: Reseller, stranger: Reseller, settings: Any
) -> None:
    settings.API_CALLS_PER_MINUTE = 2
    stranger.user.api_keys.update(calls_per_minute=4)
    assert [post(reseller, "balance")[0] for _ in range(4)] == [200, 200, 429, 429]
    assert [post(stranger, "balance")[0] for _ in range(5)] == [200, 200, 200, 200, 429]


@pytest.mark.parametrize("setting", ["API_CALLS_PER_MINUTE", "API_ADDRESS_CALLS_PER_MINUTE"])
def test_a_shop_that_sets_nothing_allows_300_calls_a_minute(reseller: Reseller, settings: Any, setting: str) -> None:
    listed = re.search(rf"^# {setting}=(\d+)", (settings.BASE_DIR / ".env.example").read_text(), re.MULTILINE)
    assert listed is not None
    setattr(settings, setting, int(listed[1]))
    fields = {"key": reseller.key, "action": "balance"}
    assert {reseller.client.post("/api/v2", fields).status_code for _ in range(300)} == {200}


@pytest.mark.parametrize("spelled", ["orders[{}]={}", "orders%5B{}%5D={}", "orders[]={1}", "orders={1}"])
def test_a_thousand_ids_come_as_a_thousand_fields(call: Call, reseller: Reseller, spelled: str) -> None:
    own = order(reseller.user, service()).pk
    ids = [own, *range(10**6, 10**6 + 999)]
    answer = call("&".join(spelled.format(place, pk) for place, pk in enumerate(ids)), action="status")
    assert list(answer) == [str(pk) for pk in ids]
    assert answer[str(own)]["status"] == "Pending"


def test_a_thousand_ids_come_in_a_multipart_form(reseller: Reseller) -> None:
    """PHP's curl makes one of an array with ``http_build_query`` forgotten; Django alone would stop at 1,000 fields."""
    fields = {"key": reseller.key, "action": "status", **{f"orders[{n}]": str(n + 1) for n in range(998)}}
    parts = [f'--XX\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{it}\r\n' for name, it in fields.items()]
    raw = request("".join([*parts, "--XX--\r\n"]).encode(), content_type="multipart/form-data; boundary=XX")
    assert len(send(raw)[2]) == 998


@pytest.mark.parametrize("path", ["/api/v2", "/api/v2/"])
@pytest.mark.parametrize("content_type", [FORM, "application/json", "multipart/form-data; boundary=XX", ""])
def test_a_body_too_large_is_413_in_json(db: None, path: str, content_type: str) -> None:
    raw = request(path=path, content_type=content_type).replace(b"Content-Length: 0", b"Content-Length: 99999999")
    assert send(raw)[::2] == (413, {"error": "Incorrect request: it is too large"})


def test_ten_thousand_comments_fit(call: Call) -> None:
    comments = "\n".join(f"comment number {number}" for number in range(10_000))
    placed = call(action="add", service=service("custom_comments").pk, link="x", comments=comments)
    assert Order.objects.get(pk=placed["order"]).quantity == 10_000
