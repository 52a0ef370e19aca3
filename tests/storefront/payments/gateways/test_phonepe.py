"""PhonePe: the known proof, access tokens, orders and refunds that are asked about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from storefront.payments.gateway import (
    GatewayRejected,
    GatewayUnreachable,
    Redirect,
    RefundState,
    ReportedState,
    Webhook,
    WebhookRejected,
)
from storefront.payments.gateways.phonepe import PhonePe
from storefront.payments.wire import memory
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_phonepe import SECRET, PretendPhonePe

RUPEES = details(amount=Decimal("100.50"), currency="INR")
#: Computed apart from our code, equal to what the vendor's library computes.
PROOF = "676768ea6f95c1d7241f28d6262462102c275af6a5eb71fcecdb6ed6f9a85f6e"


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendPhonePe]:
    memory.clear()
    pretend = PretendPhonePe()
    settings.PAYMENT_GATEWAY_URLS = {"phonepe": pretend.url}
    yield pretend
    pretend.stop()
    memory.clear()


@pytest.fixture
def gateway(pretend: PretendPhonePe) -> PhonePe:
    return PhonePe(pretend.config)


def raw(proof: str, **payload: Any) -> Webhook:
    body = json.dumps({"event": "checkout.order.completed", "payload": {"merchantOrderId": REFERENCE} | payload})
    return Webhook(method="POST", body=body.encode(), headers={"Authorization": proof}, query={}, form={})


def test_the_known_proof_leads_to_a_question(pretend: PretendPhonePe, gateway: PhonePe) -> None:
    assert gateway.read_webhook(raw(PROOF)) is None  # the pretend gateway has no such order
    assert pretend.received[-1].path == f"/checkout/v2/order/{REFERENCE}/status"


@pytest.mark.parametrize("proof", ["", PROOF[:-1] + "f", f"SHA256({PROOF})", "merchant_user:Passw0rd1"])
def test_without_the_proof_nothing_is_asked(pretend: PretendPhonePe, gateway: PhonePe, proof: str) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(raw(proof))
    assert pretend.received == []


@pytest.mark.parametrize("empty", ["webhook_username", "webhook_password"])
def test_nothing_is_accepted_without_a_password(pretend: PretendPhonePe, empty: str) -> None:
    with pytest.raises(WebhookRejected):
        PhonePe({**pretend.config, empty: ""}).read_webhook(pretend.webhook(RUPEES, secret=""))


@pytest.mark.parametrize("order", ["", "../x", "a/b", "x" * 64, None, [1]])
def test_an_order_cannot_leave_its_path(pretend: PretendPhonePe, gateway: PhonePe, order: Any) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(raw(PROOF, merchantOrderId=order))
    assert pretend.received == []


def test_start_opens_an_order_in_paise(pretend: PretendPhonePe, gateway: PhonePe) -> None:
    following = gateway.start(RUPEES, customer=CUSTOMER, urls=URLS)
    [opened] = pretend.opened.values()
    assert (following.action, following.upstream_id) == (Redirect(url=pretend.page_url(opened)), opened.facts["order"])
    assert (opened.reference, opened.amount, opened.done_url) == (REFERENCE, Decimal("100.50"), URLS.done)


def test_an_access_token_is_kept_and_replaced_when_refused(pretend: PretendPhonePe, gateway: PhonePe) -> None:
    gateway.start(RUPEES, customer=CUSTOMER, urls=URLS)
    gateway.query(RUPEES)
    assert [one.path for one in pretend.received].count("/v1/oauth/token") == 1
    pretend.token = "token-2"
    assert gateway.query(RUPEES) is not None
    assert [one.path for one in pretend.received].count("/v1/oauth/token") == 2


@pytest.mark.parametrize("state", ["pending", "paid", "declined"])
def test_webhook_and_query_say_the_same(pretend: PretendPhonePe, gateway: PhonePe, state: str) -> None:
    report = gateway.read_webhook(pretend.webhook(RUPEES, state=state))
    assert report is not None
    assert (report.state, report.reference) == (ReportedState(state), REFERENCE)
    assert (report.amount, report.currency) == (Decimal("100.50") if state == "paid" else None, "INR")
    assert gateway.query(RUPEES) == report


def test_what_the_webhook_claims_is_not_believed(pretend: PretendPhonePe, gateway: PhonePe) -> None:
    gateway.start(RUPEES, customer=CUSTOMER, urls=URLS)
    report = gateway.read_webhook(raw(PROOF, state="COMPLETED", amount=10_050))
    assert report is not None
    assert report.state is ReportedState.PENDING


def test_a_refund_is_asked_about(pretend: PretendPhonePe, gateway: PhonePe) -> None:
    webhook = pretend.webhook(RUPEES, state="refunded", amount=Decimal(40))
    report = gateway.read_webhook(webhook)
    assert report is not None
    assert (report.state, report.reference, report.entry_id) == (ReportedState.REFUNDED, REFERENCE, "refund-1")
    assert (report.amount, report.currency) == (Decimal(40), "INR")
    pretend.refunds["refund-1"]["state"] = "FAILED"
    assert gateway.read_webhook(webhook) is None
    pretend.refunds.clear()
    assert gateway.read_webhook(webhook) is None
    assert gateway.read_webhook(pretend.signed({"event": "pg.refund.accepted"})) is None


def test_refunds(pretend: PretendPhonePe, gateway: PhonePe) -> None:
    pretend.webhook(RUPEES)
    result = gateway.refund(RUPEES, amount=Decimal("40.25"), key="k1")
    assert (result.state, result.refund_id) == (RefundState.PENDING, "k1")
    assert pretend.received[-1].json()["amount"] == 4025
    with pytest.raises(GatewayRejected, match="exceeds"):
        gateway.refund(RUPEES, amount=Decimal(400), key="k2")


def test_check(pretend: PretendPhonePe, gateway: PhonePe) -> None:
    assert gateway.check() == "The keys work."
    with pytest.raises(GatewayRejected, match="Client authentication"):
        PhonePe({**pretend.config, "client_secret": "wrong"}).check()


def test_a_refused_start_says_why(gateway: PhonePe) -> None:
    with pytest.raises(GatewayRejected, match="at least 100"):
        gateway.start(replace(RUPEES, amount=Decimal("0.5")), customer=CUSTOMER, urls=URLS)


def test_answers_of_another_layout_prove_nothing(
    pretend: PretendPhonePe, gateway: PhonePe, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = pretend.webhook(RUPEES)
    gateway.check()  # remembers the token
    other = {"orderId": "1", "merchantOrderId": "ZZZZ-ZZZZ-ZZZZ", "state": "COMPLETED", "amount": 1}
    for answer in ((200, {}), (200, "<html>"), (500, {"message": SECRET}), (200, other)):
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        for call in (
            lambda: gateway.start(RUPEES, customer=CUSTOMER, urls=URLS),
            lambda: gateway.query(RUPEES),
            lambda: gateway.read_webhook(webhook),
        ):
            with pytest.raises(GatewayUnreachable) as problem:
                call()
            assert SECRET not in str(problem.value)


@pytest.mark.parametrize("state", ["paid", "refunded"])
def test_wrong_types_are_refused(
    pretend: PretendPhonePe, gateway: PhonePe, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    webhook = pretend.webhook(RUPEES, state=state)
    content = json.loads(webhook.body)
    facts = pretend.refunds["refund-1"] if state == "refunded" else pretend._order(pretend.opened[REFERENCE])
    wrong_types.assert_handled(content, lambda changed: gateway.read_webhook(pretend.signed(changed)))

    def ask(changed: Any) -> Any:
        monkeypatch.setattr(pretend, "answer", lambda request: (200, changed))
        return gateway.read_webhook(webhook)

    wrong_types.assert_handled(facts, ask)


def test_each_environment_has_its_addresses(settings: Any) -> None:
    settings.PAYMENT_GATEWAY_URLS = {}
    assert PhonePe({}).url("/x") == "https://api.phonepe.com/apis/pg/x"
    assert PhonePe({}, is_test=True).url("/x") == "https://api-preprod.phonepe.com/apis/pg-sandbox/x"
