"""The gateway interface, tested with the example of docs/payments.md exactly as printed there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from types import ModuleType
from typing import Any, ClassVar

import pytest
from django.conf import settings as shop_settings
from django.test import Client

from storefront.accounts.models import User
from storefront.payments import checks, expiry, gateways
from storefront.payments.gateway import (
    Frame,
    Gateway,
    GatewayReport,
    GatewayUnreachable,
    Next,
    PaymentDetails,
    Redirect,
    ReportedState,
    Webhook,
)
from storefront.payments.models import Payment, PaymentMethod
from storefront.payments.wire import signatures
from tests.storefront.payments import payments
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received
from tests.storefront.payments.payments import balance, credited_amounts

SECRET = "northpay-for-tests"


class PretendNorthpay(PretendGateway):
    """The fictional gateway of the documentation. ``page`` replaces the address of its payment page."""

    name = "northpay"
    config: ClassVar[dict[str, str]] = {"secret": SECRET}
    page = ""

    def answer(self, request: Received) -> tuple[int, Any]:
        if request.header("X-Key") != SECRET:
            return 401, {"error": "wrong key"}
        asked = request.json()
        opened = Opened(
            id=f"np-{len(self.opened) + 1}",
            reference=asked["order"],
            amount=Decimal(str(asked["sum"])),
            currency=asked["currency"],
            webhook_url=asked["notify"],
            done_url=asked["back"],
        )
        self.opened[opened.id] = opened
        return 200, {"payment": opened.id, "page": self.page or self.page_url(opened)}

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,
        is_test: bool = False,
        secret: str | None = None,
    ) -> Webhook:
        word = {"paid": "ok", "declined": "no", "refunded": "back"}.get(state, "soon")
        facts = {
            "order": payment.reference,
            "payment": payment.upstream_id,
            "state": word,
            "sum": str(payment.amount if amount is None else amount),
            "currency": currency or payment.currency,
        }
        body = json.dumps(facts).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Signature": signatures.hmac_hex(SECRET if secret is None else secret or "-", body),
        }
        return Webhook(method="POST", body=body, headers=headers, query={}, form={})


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendNorthpay]:
    server = PretendNorthpay()
    settings.PAYMENT_GATEWAY_URLS = {"northpay": server.url}
    yield server
    server.stop()


@pytest.fixture
def northpay(pretend: PretendNorthpay, db: None, monkeypatch: pytest.MonkeyPatch) -> PaymentMethod:
    page = (shop_settings.BASE_DIR / "docs" / "payments.md").read_text()
    (block,) = re.findall(r"   ```python\n(.*?)   ```", page, re.DOTALL)
    module = ModuleType("northpay")
    exec(re.sub(r"^   ", "", block, flags=re.MULTILINE), module.__dict__)
    monkeypatch.setitem(gateways.GATEWAYS, "northpay", module.Northpay)
    method = PaymentMethod(gateway="northpay", name="Card", minimum=Decimal(5), maximum=Decimal(2000))
    method.set_values({"secret": SECRET}, secret_names={"secret"})
    method.save()
    return method


def begin(page: Client, method: PaymentMethod) -> Any:
    return page.post("/wallet/add-funds/", {"amount": "20", "method": str(method.pk)})


def deliver(pretend: PretendNorthpay, payment: Payment, method: PaymentMethod, **changes: Any) -> Any:
    facts = PaymentDetails(
        reference=payment.reference,
        number=payment.pk,
        amount=payment.pay_amount,
        currency=payment.pay_currency,
        description="",
        upstream_id=payment.upstream_id,
    )
    webhook = pretend.webhook(facts, **changes)
    signed = {"X-Signature": webhook.header("X-Signature")}
    path = payments.webhook_path(method)
    return Client().post(path, webhook.body, content_type="application/json", headers=signed)


def test_the_documented_gateway_takes_a_payment_end_to_end(
    northpay: PaymentMethod, pretend: PretendNorthpay, page: Client, nadia: User
) -> None:
    answer = begin(page, northpay)
    payment = Payment.objects.get()
    assert answer.url == f"{pretend.url}/pay/np-1"
    assert (payment.status, payment.upstream_id) == ("waiting", "np-1")
    assert f'href="{pretend.url}/pay/np-1"' in page.get(f"/wallet/payments/{payment.reference}/").content.decode()
    assert deliver(pretend, payment, northpay, secret="guessed").status_code == 400
    assert deliver(pretend, payment, northpay, state="pending").status_code == 200
    assert balance(nadia) == 0
    answer = deliver(pretend, payment, northpay)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert credited_amounts(payment) == [Decimal(20)]
    evidence = list(payment.events.values_list("source", "state"))
    assert evidence == [("webhook", "paid")]
    assert SECRET not in payment.events.get().content


def test_the_credentials_are_stored_encrypted(northpay: PaymentMethod) -> None:
    stored = PaymentMethod.objects.values().get(pk=northpay.pk)
    assert SECRET not in repr(stored)
    assert PaymentMethod.objects.get(pk=northpay.pk).values() == {"secret": SECRET}


def test_form_action_allows_only_hosts_of_gateways(northpay: PaymentMethod, page: Client) -> None:
    policy = page.get("/wallet/add-funds/")["Content-Security-Policy"]
    assert "https://pay.northpay.example" in policy
    assert "northpay" not in page.get("/wallet/")["Content-Security-Policy"]


def test_an_inactive_method_is_not_offered_but_takes_webhooks(
    northpay: PaymentMethod, pretend: PretendNorthpay, page: Client, nadia: User
) -> None:
    begin(page, northpay)
    PaymentMethod.objects.filter(pk=northpay.pk).update(is_active=False)
    assert "Card" not in page.get("/wallet/add-funds/").content.decode()
    assert begin(page, northpay).status_code == 200
    payment = Payment.objects.get()
    assert deliver(pretend, payment, northpay).status_code == 200
    assert balance(nadia) == 20


def test_a_webhook_url_of_another_method_or_token_is_unknown(
    northpay: PaymentMethod, pretend: PretendNorthpay, page: Client
) -> None:
    begin(page, northpay)
    webhook = pretend.webhook(PaymentDetails(
        reference=Payment.objects.get().reference, number=1, amount=Decimal(20), currency="USD", description="",
    ))  # fmt: skip
    for path in (f"/wallet/add-funds/webhooks/{northpay.pk}/x/", f"/wallet/add-funds/webhooks/999/{northpay.token}/"):
        assert Client().post(path, webhook.body, content_type="application/json").status_code == 404
    assert Payment.objects.get().status == "waiting"


@pytest.mark.parametrize("address", ["https://elsewhere.example/", "http://pay.northpay.example/", "//x.example/", "x"])
def test_a_gateway_cannot_redirect_to_an_undeclared_host(
    northpay: PaymentMethod, pretend: PretendNorthpay, page: Client, address: str
) -> None:
    pretend.page = address
    assert begin(page, northpay).url.partition("?")[0] == "/wallet/add-funds/"
    assert Payment.objects.get().status == "started"


def test_a_frame_is_shown_on_the_payments_page_alone(
    northpay: PaymentMethod, page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Framed(gateways.GATEWAYS["northpay"]):  # type: ignore[misc]
        frame_hosts = ("frame.northpay.example",)

        def start(self, payment: PaymentDetails, **facts: Any) -> Next:
            return Next(action=Frame(url="https://frame.northpay.example/1"))

    monkeypatch.setitem(gateways.GATEWAYS, "northpay", Framed)
    address = begin(page, northpay).url
    answer = page.get(address)
    assert 'src="https://frame.northpay.example/1"' in answer.content.decode()
    (policy,) = re.findall("frame-src ([^;]*)", answer["Content-Security-Policy"])
    assert "https://frame.northpay.example" in policy
    assert "frame.northpay.example" not in page.get("/wallet/")["Content-Security-Policy"]


def test_an_unreachable_gateway_keeps_the_payment_and_shows_an_error(
    northpay: PaymentMethod, pretend: PretendNorthpay, page: Client
) -> None:
    pretend.stop()
    answer = page.post("/wallet/add-funds/", {"amount": "20", "method": str(northpay.pk)}, follow=True)
    assert "is not responding, and you were not charged" in answer.content.decode()
    assert Payment.objects.get().status == "started"


class Talking(Gateway):
    """A gateway that can be asked. ``said`` is its answer."""

    name = "northpay"
    label = "Northpay"
    can_query = True
    said: ClassVar[Any] = None

    def start(self, payment: PaymentDetails, **facts: Any) -> Next:
        return Next(action=Redirect(url="/somewhere/"))

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        if isinstance(self.said, Exception):
            raise self.said
        return None if self.said is None else GatewayReport(state=self.said, reference=payment.reference)


@pytest.fixture
def talking(northpay: PaymentMethod, monkeypatch: pytest.MonkeyPatch) -> type[Talking]:
    class Mine(Talking):
        pass

    monkeypatch.setitem(gateways.GATEWAYS, "northpay", Mine)
    return Mine


def test_an_open_payment_is_queried_at_growing_intervals(
    northpay: PaymentMethod, talking: type[Talking], nadia: User, time_machine: Any
) -> None:
    time_machine.move_to("2030-01-01T00:00Z")
    payment = payments.start(nadia, northpay, "20")
    assert expiry.query_due() == 0
    time_machine.move_to("2030-01-01T00:02:01Z")
    assert (expiry.query_due(), expiry.query_due()) == (1, 0)
    time_machine.move_to("2030-01-01T02:00Z")
    assert expiry.query_due() == 1
    payment.refresh_from_db()
    assert round((payment.query_at - payment.created_at).total_seconds() / 60) == 120 + 12
    talking.said = ReportedState.PAID
    time_machine.move_to("2030-01-01T03:00Z")
    assert expiry.query_due() == 1
    assert balance(nadia) == 20


def test_a_payment_is_queried_when_the_browser_returns(
    northpay: PaymentMethod, talking: type[Talking], nadia: User
) -> None:
    payment = payments.start(nadia, northpay, "20")
    talking.said = ReportedState.PAID
    # Another site posts the browser back without the session's cookie.
    answer = Client().post(f"/wallet/add-funds/returns/{payment.reference}/", {"token": "x"})
    assert (answer.status_code, answer.url) == (303, f"/wallet/payments/{payment.reference}/")
    assert balance(nadia) == 20


def test_a_gateway_is_queried_before_a_payment_expires(
    northpay: PaymentMethod, talking: type[Talking], nadia: User, time_machine: Any
) -> None:
    talking.said = GatewayUnreachable("timed out")
    time_machine.move_to("2030-01-01T00:00Z")
    payment = payments.start(nadia, northpay, "20")
    time_machine.move_to("2030-01-02T00:01Z")
    assert expiry.expire_due() == 0
    talking.said = ReportedState.PAID
    assert expiry.expire_due() == 0
    payment.refresh_from_db()
    assert payment.status == "credited"
    assert balance(nadia) == 20


def test_a_payment_whose_gateway_never_answers_expires_at_last(
    northpay: PaymentMethod, talking: type[Talking], nadia: User, time_machine: Any
) -> None:
    talking.said = GatewayUnreachable("timed out")
    time_machine.move_to("2030-01-01T00:00Z")
    payments.start(nadia, northpay, "20")
    time_machine.move_to("2030-01-08T23:00Z")
    assert expiry.expire_due() == 0
    time_machine.move_to("2030-01-09T01:00Z")
    assert expiry.expire_due() == 1


@pytest.mark.parametrize(("texts", "count"), [(["10", "25.50"], 0), (["ten"], 1), (["-1"], 1), ([], 0)])
def test_invalid_presets_fail_a_system_check(settings: Any, texts: list[str], count: int) -> None:
    settings.PAYMENT_PRESETS = texts
    assert len(checks.presets_are_amounts(None)) == count
