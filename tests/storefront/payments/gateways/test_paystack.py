"""Paystack: the documented signature, transactions, events, refunds and checks."""

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
from storefront.payments.gateways.paystack import Paystack
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_paystack import KEY, PretendPaystack

#: An event and its signature with the key sk_test_1, computed apart from our code.
BODY = (
    b'{"event":"charge.success","data":{"id":302961,"status":"success","reference":"ABCD-EFGH-2345","amount":100000,'
    b'"currency":"NGN","fees":1500}}'
)
SIGNATURE = (
    "518efa9d14767f01a8576d64b6ba01d117b1b9d64ab650a04171715ec4841f0b"
    "67115806eae160ff98abaaf6c63fa83b11fc6c493ef45d3594d5f6ffefa3dad9"
)
NAIRA = details(amount=Decimal(1000), currency="NGN")


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendPaystack]:
    pretend = PretendPaystack()
    settings.PAYMENT_GATEWAY_URLS = {"paystack": pretend.url}
    yield pretend
    pretend.stop()


@pytest.fixture
def gateway(pretend: PretendPaystack) -> Paystack:
    return Paystack(pretend.config)


def raw(signature: str, body: bytes = BODY) -> Webhook:
    return Webhook(method="POST", body=body, headers={"X-Paystack-Signature": signature}, query={}, form={})


def test_the_known_event_is_read() -> None:
    report = Paystack({"secret_key": "sk_test_1"}).read_webhook(raw(SIGNATURE))
    assert report is not None
    assert (report.state, report.reference, report.entry_id) == (ReportedState.PAID, REFERENCE, "302961")
    assert (report.amount, report.currency, report.fee) == (Decimal(1000), "NGN", Decimal(15))


def test_every_changed_byte_is_noticed() -> None:
    gateway = Paystack({"secret_key": "sk_test_1"})
    for place in range(0, len(BODY), 3):
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(raw(SIGNATURE, BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]))
    for signature in ("", "0" * 128, "é"):
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(raw(signature))


def test_nothing_is_accepted_without_a_key(pretend: PretendPaystack) -> None:
    with pytest.raises(WebhookRejected):
        Paystack({}).read_webhook(pretend.webhook(NAIRA, secret=""))


def test_start_opens_a_transaction_in_the_smallest_unit(pretend: PretendPaystack, gateway: Paystack) -> None:
    following = gateway.start(NAIRA, customer=CUSTOMER, urls=URLS)
    assert following.action == Redirect(url=pretend.page_url(pretend.opened[REFERENCE]))
    assert pretend.received[0].json()["amount"] == 100_000
    with pytest.raises(GatewayRejected, match="Duplicate"):
        gateway.start(NAIRA, customer=CUSTOMER, urls=URLS)


def test_event_and_query_say_the_same(pretend: PretendPaystack, gateway: Paystack) -> None:
    assert gateway.query(NAIRA) is None
    gateway.start(NAIRA, customer=CUSTOMER, urls=URLS)
    pending = gateway.query(NAIRA)
    assert pending is not None
    assert pending.state is ReportedState.PENDING
    report = gateway.read_webhook(pretend.webhook(NAIRA))
    assert gateway.query(NAIRA) == report


@pytest.mark.parametrize("state", ["refunded", "disputed"])
def test_what_happens_after_the_payment_is_reported(pretend: PretendPaystack, gateway: Paystack, state: str) -> None:
    report = gateway.read_webhook(pretend.webhook(NAIRA, state=state, amount=Decimal(400)))
    assert report is not None
    assert (report.state, report.reference) == (ReportedState(state), REFERENCE)
    assert report.amount == (Decimal(400) if state == "refunded" else None)


def test_a_test_payment_says_so(pretend: PretendPaystack, gateway: Paystack) -> None:
    report = gateway.read_webhook(pretend.webhook(NAIRA, is_test=True))
    assert report is not None
    assert report.is_test


def test_refunds_and_check(pretend: PretendPaystack, gateway: Paystack) -> None:
    result = gateway.refund(NAIRA, amount=Decimal("12.50"), key="k1")
    assert (result.state, result.refund_id) == (RefundState.PENDING, "77")
    assert pretend.received[0].json()["amount"] == 1250
    assert gateway.check() == "The keys work."
    with pytest.raises(GatewayRejected, match="Invalid key"):
        Paystack({"secret_key": "wrong"}).check()


def test_irrelevant_events_and_answers_of_another_layout(
    pretend: PretendPaystack, gateway: Paystack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gateway.read_webhook(pretend.signed({"event": "transfer.success", "data": {}})) is None
    for answer in ((200, {}), (200, "<html>"), (500, {"message": KEY})):
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        for call in (
            lambda: gateway.start(NAIRA, customer=CUSTOMER, urls=URLS),
            lambda: gateway.query(replace(NAIRA, upstream_id="1")),
            gateway.check,
        ):
            with pytest.raises(GatewayUnreachable) as problem:
                call()
            assert KEY not in str(problem.value)


@pytest.mark.parametrize("state", ["paid", "refunded", "disputed"])
def test_wrong_types_are_refused(pretend: PretendPaystack, gateway: Paystack, state: str) -> None:
    content = json.loads(pretend.webhook(NAIRA, state=state).body)
    wrong_types.assert_handled(content, lambda changed: gateway.read_webhook(pretend.signed(changed)))
