"""Razorpay: the known signatures, links, events, returns, refunds and checks."""

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
from storefront.payments.gateways.razorpay import Razorpay
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_razorpay import KEY_SECRET, PretendRazorpay, sign

#: An event and a return with their signatures, computed apart from our code and equal to the vendor's library.
BODY = (
    b'{"entity":"event","event":"payment_link.paid","payload":{"payment_link":{"entity":{"id":"plink_1",'
    b'"reference_id":"ABCD-EFGH-2345","amount":100000,"amount_paid":100000,"currency":"INR","status":"paid"}}}}'
)
SIGNATURE = "d99469b56ac50b03da7bfdeb1012faf79f1dcd68aa7ecb96ea3670d74462bac8"
RETURN = {
    "razorpay_payment_link_id": "plink_1",
    "razorpay_payment_link_reference_id": "ABCD-EFGH-2345",
    "razorpay_payment_link_status": "paid",
    "razorpay_payment_id": "pay_1",
    "razorpay_signature": "71d2e9c3d9e16b39dc564caa8651d4145624da0ab8c297405f62b3dcc0865151",
}
RUPEES = details(amount=Decimal(1000), currency="INR")


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendRazorpay]:
    pretend = PretendRazorpay()
    settings.PAYMENT_GATEWAY_URLS = {"razorpay": pretend.url}
    yield pretend
    pretend.stop()


@pytest.fixture
def gateway(pretend: PretendRazorpay) -> Razorpay:
    return Razorpay(pretend.config)


def raw(signature: str, body: bytes = BODY) -> Webhook:
    return Webhook(method="POST", body=body, headers={"X-Razorpay-Signature": signature}, query={}, form={})


def test_the_known_event_is_read(gateway: Razorpay) -> None:
    report = gateway.read_webhook(raw(SIGNATURE))
    assert report is not None
    assert (report.state, report.reference, report.upstream_id) == (ReportedState.PAID, REFERENCE, "plink_1")
    assert (report.amount, report.currency) == (Decimal(1000), "INR")


def test_every_changed_byte_is_noticed(gateway: Razorpay) -> None:
    for place in range(0, len(BODY), 3):
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(raw(SIGNATURE, BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]))
    for signature in ("", "0" * 64, "é"):
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(raw(signature))


def test_nothing_is_accepted_without_a_secret(pretend: PretendRazorpay) -> None:
    with pytest.raises(WebhookRejected):
        Razorpay({"key_secret": KEY_SECRET}).read_webhook(pretend.webhook(RUPEES, secret=""))


def test_start_opens_a_link(pretend: PretendRazorpay, gateway: Razorpay) -> None:
    following = gateway.start(RUPEES, customer=CUSTOMER, urls=URLS)
    [opened] = pretend.opened.values()
    assert (following.action, following.upstream_id) == (Redirect(url=pretend.page_url(opened)), "plink_1")
    assert pretend.received[0].json()["amount"] == 100_000
    with pytest.raises(GatewayRejected, match="at least"):
        gateway.start(replace(RUPEES, amount=Decimal("0.5")), customer=CUSTOMER, urls=URLS)


@pytest.mark.parametrize("state", ["pending", "paid", "declined"])
def test_event_and_query_say_the_same(pretend: PretendRazorpay, gateway: Razorpay, state: str) -> None:
    number = gateway.start(RUPEES, customer=CUSTOMER, urls=URLS).upstream_id
    report = gateway.read_webhook(pretend.webhook(RUPEES, state=state))
    assert report is not None
    assert report.state is ReportedState(state)
    asked = gateway.query(replace(RUPEES, upstream_id=number))
    assert asked is not None
    assert (asked.state, asked.amount, asked.entry_id) == (report.state, report.amount, report.entry_id)


@pytest.mark.parametrize("state", ["refunded", "disputed", "charged_back", "dispute_won"])
def test_what_happens_after_the_payment_is_reported(pretend: PretendRazorpay, gateway: Razorpay, state: str) -> None:
    report = gateway.read_webhook(pretend.webhook(RUPEES, state=state, amount=Decimal(400)))
    assert report is not None
    assert (report.state, report.reference) == (ReportedState(state), REFERENCE)
    assert report.amount == (Decimal(400) if state in ("refunded", "charged_back") else None)


def test_a_signed_return_asks_for_the_link(pretend: PretendRazorpay, gateway: Razorpay) -> None:
    number = gateway.start(RUPEES, customer=CUSTOMER, urls=URLS).upstream_id
    pretend.webhook(RUPEES)
    payment = replace(RUPEES, upstream_id=number)
    report = gateway.read_return(payment, RETURN)
    assert report is not None
    assert report.state is ReportedState.PAID
    for changes in ({"razorpay_signature": ""}, {"razorpay_payment_link_status": "expired"}):
        assert gateway.read_return(payment, RETURN | changes) is None
    assert sign(KEY_SECRET, "plink_1|ABCD-EFGH-2345|paid|pay_1") == RETURN["razorpay_signature"]


def test_another_payments_link_is_not_ours(pretend: PretendRazorpay, gateway: Razorpay) -> None:
    number = gateway.start(RUPEES, customer=CUSTOMER, urls=URLS).upstream_id
    assert gateway.query(RUPEES) is None
    with pytest.raises(GatewayUnreachable):
        gateway.query(replace(RUPEES, upstream_id=number, reference="ZZZZ-ZZZZ-ZZZZ"))


def test_refunds_and_check(pretend: PretendRazorpay, gateway: Razorpay) -> None:
    paid = replace(RUPEES, data={"payment_id": "pay_1"})
    result = gateway.refund(paid, amount=Decimal("12.50"), key="k1")
    assert (result.state, result.refund_id) == (RefundState.DONE, "rfnd_k1")
    assert (pretend.received[0].path, pretend.received[0].json()["amount"]) == ("/v1/payments/pay_1/refund", 1250)
    assert gateway.check() == "The keys work."
    with pytest.raises(GatewayRejected, match="Authentication failed"):
        Razorpay({**pretend.config, "key_secret": "wrong"}).check()


def test_irrelevant_events_and_answers_of_another_layout(
    pretend: PretendRazorpay, gateway: Razorpay, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gateway.read_webhook(pretend.signed({"event": "order.paid", "payload": {}})) is None
    for answer in ((200, {}), (200, "<html>"), (500, {"error": {"description": KEY_SECRET}})):
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        for call in (
            lambda: gateway.start(RUPEES, customer=CUSTOMER, urls=URLS),
            lambda: gateway.query(replace(RUPEES, upstream_id="1")),
            gateway.check,
        ):
            with pytest.raises(GatewayUnreachable) as problem:
                call()
            assert KEY_SECRET not in str(problem.value)


@pytest.mark.parametrize("state", ["paid", "charged_back"])
def test_wrong_types_are_refused(pretend: PretendRazorpay, gateway: Razorpay, state: str) -> None:
    content = json.loads(pretend.webhook(RUPEES, state=state).body)
    wrong_types.assert_handled(content, lambda changed: gateway.read_webhook(pretend.signed(changed)))
