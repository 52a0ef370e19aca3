"""Cashfree: the known signature, links, webhooks, refunds and disputes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
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
from storefront.payments.gateways.cashfree import Cashfree
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_cashfree import SECRET, PretendCashfree

RUPEES = details(amount=Decimal("100.50"), currency="INR")
#: A webhook of an order and its signature, computed apart from our code and equal to what cashfree_pg 6.0.1 computes.
BODY = (
    b'{"data":{"order":{"order_id":"ABCD-EFGH-2345","order_amount":1000.00,"order_currency":"INR"},'
    b'"payment":{"cf_payment_id":"1453002795","payment_status":"SUCCESS","payment_amount":1000.00}},'
    b'"event_time":"2026-11-28T15:04:29+05:30","type":"PAYMENT_SUCCESS_WEBHOOK"}'
)
SIGNATURE = "Mos0ROt642LLPNdFfwHmgH4AXQ2qvMao69anZTlrlVQ="


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendCashfree]:
    pretend = PretendCashfree()
    settings.PAYMENT_GATEWAY_URLS = {"cashfree": pretend.url}
    yield pretend
    pretend.stop()


@pytest.fixture
def gateway(pretend: PretendCashfree) -> Cashfree:
    return Cashfree(pretend.config)


def raw(body: bytes = BODY, signature: str = SIGNATURE, sent_at: str = "1764322000000") -> Webhook:
    headers = {"X-Webhook-Signature": signature, "X-Webhook-Timestamp": sent_at}
    return Webhook(method="POST", body=body, headers=headers, query={}, form={})


def test_the_known_webhook_is_proven_and_no_link(gateway: Cashfree) -> None:
    assert gateway.read_webhook(raw()) is None


def test_every_changed_byte_is_noticed(gateway: Cashfree) -> None:
    for place in range(len(BODY)):
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(raw(BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]))


@pytest.mark.parametrize(
    "changed",
    [
        raw(signature=""),
        raw(signature="A" + SIGNATURE[1:]),
        raw(sent_at="1764322000001"),
        raw(sent_at=""),
        raw(BODY[1:], sent_at="1764322000000{"),
        raw(b"0" + BODY, sent_at="176432200000"),
    ],
)
def test_another_signature_or_time_is_rejected(gateway: Cashfree, changed: Webhook) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(changed)


def test_nothing_is_accepted_without_a_secret(pretend: PretendCashfree) -> None:
    with pytest.raises(WebhookRejected):
        Cashfree({"client_id": "x"}).read_webhook(pretend.webhook(RUPEES, secret=""))


def test_start_opens_a_link(pretend: PretendCashfree, gateway: Cashfree) -> None:
    ends = datetime(2026, 11, 29, 9, 26, 40, tzinfo=UTC)
    phone = replace(CUSTOMER, phone="+91 98765-43210")
    following = gateway.start(replace(RUPEES, expires_at=ends), customer=phone, urls=URLS)
    [opened] = pretend.opened.values()
    assert following.action == Redirect(url=pretend.page_url(opened))
    assert (opened.reference, opened.amount, opened.currency) == (REFERENCE, Decimal("100.50"), "INR")
    assert (opened.done_url, opened.webhook_url) == (URLS.done, URLS.webhook)
    sent = pretend.received[0].json()
    assert sent["customer_details"]["customer_phone"] == "9876543210"
    assert sent["link_expiry_time"] == "2026-11-29T09:26:40+00:00"
    gateway.start(RUPEES, customer=CUSTOMER, urls=URLS)
    keys = {request.header("x-idempotency-key") for request in pretend.received}
    assert len(keys) == 1


@pytest.mark.parametrize("phone", ["", "123", "call me", "1" * 16])
def test_a_phone_number_is_needed(pretend: PretendCashfree, gateway: Cashfree, phone: str) -> None:
    with pytest.raises(GatewayRejected, match="phone"):
        gateway.start(RUPEES, customer=replace(CUSTOMER, phone=phone), urls=URLS)
    assert pretend.received == []


@pytest.mark.parametrize("state", ["pending", "paid", "declined"])
def test_webhook_and_query_say_the_same(pretend: PretendCashfree, gateway: Cashfree, state: str) -> None:
    gateway.start(RUPEES, customer=CUSTOMER, urls=URLS)
    report = gateway.read_webhook(pretend.webhook(RUPEES, state=state))
    assert report is not None
    assert (report.state, report.reference) == (ReportedState(state), REFERENCE)
    assert (report.amount, report.currency) == (Decimal("100.50") if state == "paid" else None, "INR")
    assert report.upstream_id == ("CFPay_0" if state == "paid" else "")
    assert gateway.query(RUPEES) == report


@pytest.mark.parametrize(
    ("state", "amount"), [("refunded", 40), ("disputed", None), ("charged_back", 40), ("dispute_won", None)]
)
def test_what_happens_later_names_the_order(
    pretend: PretendCashfree, gateway: Cashfree, state: str, amount: int | None
) -> None:
    gateway.start(RUPEES, customer=CUSTOMER, urls=URLS)
    report = gateway.read_webhook(pretend.webhook(RUPEES, state=state, amount=Decimal(40)))
    assert report is not None
    assert (report.state, report.upstream_id, report.currency) == (ReportedState(state), "CFPay_0", "INR")
    assert report.amount == amount


def test_proven_but_irrelevant(pretend: PretendCashfree, gateway: Cashfree) -> None:
    refund = json.loads(pretend.webhook(RUPEES, state="refunded").body)
    refund["data"]["refund"]["refund_status"] = "CANCELLED"
    dispute = json.loads(pretend.webhook(RUPEES, state="charged_back").body)
    dispute["data"]["dispute"]["dispute_status"] = "CHARGEBACK_UNDER_REVIEW"
    for content in (refund, dispute, {"type": "SETTLEMENT_SUCCESS"}, {"type": "PAYMENT_LINK_EVENT", "data": {}}):
        assert gateway.read_webhook(pretend.signed(content)) is None


def test_query_of_an_unknown_link(gateway: Cashfree) -> None:
    assert gateway.query(RUPEES) is None


def test_refunds(pretend: PretendCashfree, gateway: Cashfree) -> None:
    pretend.webhook(RUPEES)
    paid = replace(RUPEES, upstream_id="CFPay_0")
    result = gateway.refund(paid, amount=Decimal(40), key=f"{REFERENCE}-refund-1")
    assert (result.state, result.refund_id) == (RefundState.PENDING, "ABCDEFGH2345refund1")
    with pytest.raises(GatewayRejected, match="greater"):
        gateway.refund(paid, amount=Decimal(400), key="refund-2")
    with pytest.raises(GatewayRejected, match="not known"):
        gateway.refund(RUPEES, amount=Decimal(40), key="refund-3")


def test_check(pretend: PretendCashfree, gateway: Cashfree) -> None:
    assert gateway.check() == "The keys work."
    with pytest.raises(GatewayRejected, match="authentication"):
        Cashfree({**pretend.config, "client_secret": "wrong"}).check()


def test_a_refused_start_says_why(gateway: Cashfree) -> None:
    with pytest.raises(GatewayRejected, match="at least 1"):
        gateway.start(replace(RUPEES, amount=Decimal("0.5")), customer=CUSTOMER, urls=URLS)


def test_answers_of_another_layout_prove_nothing(
    gateway: Cashfree, pretend: PretendCashfree, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = {"link_id": REFERENCE, "link_status": "PAID", "link_currency": "INR"}
    for answer in ((200, {}), (200, "<html>"), (500, {"message": SECRET}), (200, paid)):
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        for call in (
            lambda: gateway.start(RUPEES, customer=CUSTOMER, urls=URLS),
            lambda: gateway.query(RUPEES),
            lambda: gateway.refund(replace(RUPEES, upstream_id="1"), amount=Decimal(1), key="k"),
        ):
            with pytest.raises(GatewayUnreachable) as problem:
                call()
            assert SECRET not in str(problem.value)


@pytest.mark.parametrize("state", ["paid", "refunded", "charged_back"])
def test_wrong_types_are_refused(
    pretend: PretendCashfree, gateway: Cashfree, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    content = json.loads(pretend.webhook(RUPEES, state=state).body)
    wrong_types.assert_handled(content, lambda changed: gateway.read_webhook(pretend.signed(changed)))

    def ask(changed: Any) -> Any:
        monkeypatch.setattr(pretend, "answer", lambda request: (200, changed))
        return gateway.query(RUPEES)

    wrong_types.assert_handled(content["data"], ask)
