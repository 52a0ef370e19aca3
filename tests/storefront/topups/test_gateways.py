"""The seam: the example of docs/gateways.md is built as it stands there, registered, and paid with."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings as shop_settings
from django.test import Client

from storefront.accounts.models import User
from storefront.topups import checks, expiring, gateways, starting
from storefront.topups.gateway import Gateway, Next, Payment, Said, Unreachable
from storefront.topups.models import TopUp
from tests.storefront.topups.payments import balance, booked

SECRET = "northpay-for-tests"


@pytest.fixture
def northpay(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    settings.NORTHPAY_SECRET = SECRET
    page = (shop_settings.BASE_DIR / "docs" / "gateways.md").read_text()
    (block,) = re.findall(r"   ```python\n(.*?)   ```", page, re.DOTALL)
    module = ModuleType("northpay")
    exec(re.sub(r"^   ", "", block, flags=re.MULTILINE), module.__dict__)
    gateway: Gateway = module.Northpay()
    monkeypatch.setitem(gateways.GATEWAYS, gateway.name, gateway)
    return gateway


def begin(page: Client) -> TopUp:
    answer = page.post("/wallet/top-up/", {"amount": "20", "way": "northpay"})
    topup = TopUp.objects.get()
    assert answer.url == f"https://pay.northpay.example/?for={topup.reference}"
    return topup


def deliver(topup: TopUp, *, secret: str = SECRET, **changes: str) -> Any:
    body = {"payment": f"np-{topup.pk}", "state": "ok", "sum": "20.00", "currency": "USD", **changes}
    raw = json.dumps(body).encode()
    signed = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    address = "/wallet/top-up/webhooks/northpay/"
    return Client().post(address, raw, content_type="application/json", headers={"X-Signature": signed})


def test_the_example_takes_a_payment_from_the_choice_to_the_wallet(
    northpay: Gateway, page: Client, nadia: User
) -> None:
    topup = begin(page)
    assert (topup.status, topup.upstream_id) == ("waiting", f"np-{topup.pk}")
    assert 'href="https://pay.northpay.example/' in page.get(f"/wallet/top-ups/{topup.reference}/").content.decode()
    assert deliver(topup, secret="guessed").status_code == 400
    assert deliver(topup, state="soon").json() == {"status": "waiting"}
    assert balance(nadia) == 0
    assert deliver(topup).json() == {"status": "credited"}
    assert booked(topup) == [Decimal(20)]


def test_browsers_may_follow_the_form_to_the_gateways_hosts_and_no_others(northpay: Gateway, page: Client) -> None:
    policy = page.get("/wallet/top-up/")["Content-Security-Policy"]
    assert "form-action 'self' https://pay.northpay.example" in policy
    assert "northpay" not in page.get("/wallet/")["Content-Security-Policy"]


def test_what_a_gateway_needs_decides_whether_it_is_offered(northpay: Gateway, page: Client, settings: Any) -> None:
    assert "Card" in page.get("/wallet/top-up/").content.decode()
    settings.NORTHPAY_SECRET = ""
    assert "Card" not in page.get("/wallet/top-up/").content.decode()
    assert page.post("/wallet/top-up/", {"amount": "20", "way": "northpay"}).status_code == 200
    assert not TopUp.objects.exists()


@pytest.mark.parametrize("address", ["https://elsewhere.example/", "http://pay.northpay.example/", "//x.example/", "x"])
def test_a_gateway_sends_nobody_to_a_host_it_has_not_named(
    northpay: Gateway, page: Client, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    class Lost(type(northpay)):  # type: ignore[misc]
        def start(self, topup: Any) -> Next:
            return Next(address=address)

    monkeypatch.setitem(gateways.GATEWAYS, "northpay", Lost())
    assert page.post("/wallet/top-up/", {"amount": "20", "way": "northpay"}).url == "/wallet/top-up/"
    assert TopUp.objects.get().status == "started"


def test_a_gateway_that_does_not_answer_leaves_the_row_and_tells_the_customer(
    northpay: Gateway, page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent(type(northpay)):  # type: ignore[misc]
        def start(self, topup: Any) -> Next:
            assert TopUp.objects.filter(pk=topup.pk).exists()
            raise Unreachable("timed out")

    monkeypatch.setitem(gateways.GATEWAYS, "northpay", Silent())
    answer = page.post("/wallet/top-up/", {"amount": "20", "way": "northpay"}, follow=True)
    assert "does not answer. Nothing was paid" in answer.content.decode()
    assert TopUp.objects.get().status == "started"


def test_a_gateway_that_can_be_asked_is_asked_before_a_payment_expires(
    northpay: Gateway, nadia: User, monkeypatch: pytest.MonkeyPatch, time_machine: Any
) -> None:
    class Talking(type(northpay)):  # type: ignore[misc]
        answer: Any = Unreachable("timed out")

        def query(self, topup: Any) -> Payment | None:
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

    talking = Talking()
    monkeypatch.setitem(gateways.GATEWAYS, "northpay", talking)
    time_machine.move_to("2030-01-01T00:00Z")
    topup = starting.start(nadia, gateway=talking, way=talking.ways()[0], amount=Decimal(20))
    time_machine.move_to("2030-01-02T00:01Z")
    assert expiring.expire_due() == 0
    talking.answer = Payment(
        said=Said.PAID, amount=Decimal(20), currency="USD", upstream_id=topup.upstream_id, reference=topup.reference
    )
    assert expiring.expire_due() == 0
    topup.refresh_from_db()
    assert topup.status == "credited"
    assert balance(nadia) == 20


@pytest.mark.parametrize(("texts", "count"), [(["10", "25.50"], 0), (["ten"], 1), (["-1"], 1), ([], 0)])
def test_presets_that_are_no_amounts_are_found_at_start(settings: Any, texts: list[str], count: int) -> None:
    settings.TOPUP_PRESETS = texts
    assert len(checks.presets_are_amounts(None)) == count
