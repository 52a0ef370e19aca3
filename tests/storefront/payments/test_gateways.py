"""The gateway interface, tested with the example of docs/payments.md exactly as printed there."""

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
from storefront.payments import checks, expiry, gateways, starting
from storefront.payments.gateway import Gateway, GatewayReport, Next, ReportedState, Unreachable
from storefront.payments.models import Payment
from tests.storefront.payments.payments import balance, credited_amounts

SECRET = "northpay-for-tests"


@pytest.fixture
def northpay(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    settings.NORTHPAY_SECRET = SECRET
    page = (shop_settings.BASE_DIR / "docs" / "payments.md").read_text()
    (block,) = re.findall(r"   ```python\n(.*?)   ```", page, re.DOTALL)
    module = ModuleType("northpay")
    exec(re.sub(r"^   ", "", block, flags=re.MULTILINE), module.__dict__)
    gateway: Gateway = module.Northpay()
    monkeypatch.setitem(gateways.GATEWAYS, gateway.name, gateway)
    return gateway


def begin(page: Client) -> Payment:
    answer = page.post("/wallet/add-funds/", {"amount": "20", "way": "northpay"})
    payment = Payment.objects.get()
    assert answer.url == f"https://pay.northpay.example/?for={payment.reference}"
    return payment


def deliver(payment: Payment, *, secret: str = SECRET, **changes: str) -> Any:
    body = {"payment": f"np-{payment.pk}", "state": "ok", "sum": "20.00", "currency": "USD", **changes}
    raw = json.dumps(body).encode()
    signed = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    address = "/wallet/add-funds/webhooks/northpay/"
    return Client().post(address, raw, content_type="application/json", headers={"X-Signature": signed})


def test_the_documented_gateway_takes_a_payment_end_to_end(northpay: Gateway, page: Client, nadia: User) -> None:
    payment = begin(page)
    assert (payment.status, payment.upstream_id) == ("waiting", f"np-{payment.pk}")
    assert 'href="https://pay.northpay.example/' in page.get(f"/wallet/payments/{payment.reference}/").content.decode()
    assert deliver(payment, secret="guessed").status_code == 400
    assert deliver(payment, state="soon").json() == {"status": "waiting"}
    assert balance(nadia) == 0
    assert deliver(payment).json() == {"status": "credited"}
    assert credited_amounts(payment) == [Decimal(20)]


def test_form_action_allows_only_hosts_of_gateways(northpay: Gateway, page: Client) -> None:
    policy = page.get("/wallet/add-funds/")["Content-Security-Policy"]
    assert "form-action 'self' https://pay.northpay.example" in policy
    assert "northpay" not in page.get("/wallet/")["Content-Security-Policy"]


def test_a_gateway_without_its_settings_is_not_offered(northpay: Gateway, page: Client, settings: Any) -> None:
    assert "Card" in page.get("/wallet/add-funds/").content.decode()
    settings.NORTHPAY_SECRET = ""
    assert "Card" not in page.get("/wallet/add-funds/").content.decode()
    assert page.post("/wallet/add-funds/", {"amount": "20", "way": "northpay"}).status_code == 200
    assert not Payment.objects.exists()


@pytest.mark.parametrize("address", ["https://elsewhere.example/", "http://pay.northpay.example/", "//x.example/", "x"])
def test_a_gateway_cannot_redirect_to_an_undeclared_host(
    northpay: Gateway, page: Client, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    class Lost(type(northpay)):  # type: ignore[misc]
        def start(self, payment: Any) -> Next:
            return Next(address=address)

    monkeypatch.setitem(gateways.GATEWAYS, "northpay", Lost())
    assert page.post("/wallet/add-funds/", {"amount": "20", "way": "northpay"}).url == "/wallet/add-funds/"
    assert Payment.objects.get().status == "started"


def test_an_unreachable_gateway_keeps_the_payment_and_shows_an_error(
    northpay: Gateway, page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent(type(northpay)):  # type: ignore[misc]
        def start(self, payment: Any) -> Next:
            assert Payment.objects.filter(pk=payment.pk).exists()
            raise Unreachable("timed out")

    monkeypatch.setitem(gateways.GATEWAYS, "northpay", Silent())
    answer = page.post("/wallet/add-funds/", {"amount": "20", "way": "northpay"}, follow=True)
    assert "is not responding, and you were not charged" in answer.content.decode()
    assert Payment.objects.get().status == "started"


def test_a_gateway_with_queries_is_queried_before_a_payment_expires(
    northpay: Gateway, nadia: User, monkeypatch: pytest.MonkeyPatch, time_machine: Any
) -> None:
    class Talking(type(northpay)):  # type: ignore[misc]
        answer: Any = Unreachable("timed out")

        def query(self, payment: Any) -> GatewayReport | None:
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

    talking = Talking()
    monkeypatch.setitem(gateways.GATEWAYS, "northpay", talking)
    time_machine.move_to("2030-01-01T00:00Z")
    payment = starting.start(nadia, gateway=talking, way=talking.ways()[0], amount=Decimal(20))
    time_machine.move_to("2030-01-02T00:01Z")
    assert expiry.expire_due() == 0
    talking.answer = GatewayReport(
        said=ReportedState.PAID,
        amount=Decimal(20),
        currency="USD",
        upstream_id=payment.upstream_id,
        reference=payment.reference,
    )
    assert expiry.expire_due() == 0
    payment.refresh_from_db()
    assert payment.status == "credited"
    assert balance(nadia) == 20


@pytest.mark.parametrize(("texts", "count"), [(["10", "25.50"], 0), (["ten"], 1), (["-1"], 1), ([], 0)])
def test_invalid_presets_fail_a_system_check(settings: Any, texts: list[str], count: int) -> None:
    settings.PAYMENT_PRESETS = texts
    assert len(checks.presets_are_amounts(None)) == count
