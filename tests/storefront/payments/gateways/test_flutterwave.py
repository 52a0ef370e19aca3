"""Flutterwave: both proofs of webhooks, links, transactions that are asked about, and refunds."""

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
from storefront.payments.gateways.flutterwave import Flutterwave
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_flutterwave import HASH, KEY, PretendFlutterwave

NAIRA = details(amount=Decimal("100.50"), currency="NGN")
#: A webhook and its signature, computed apart from our code by the formula of public code.
BODY = (
    b'{"event":"charge.completed","data":{"id":285959875,"tx_ref":"ABCD-EFGH-2345","amount":1000,"currency":"NGN",'
    b'"status":"successful"}}'
)
SIGNATURE = "JeUIqccqSd2Y1C6ZDtlB4Yb+3jx+5FuExIHstWkWOJg="


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendFlutterwave]:
    pretend = PretendFlutterwave()
    settings.PAYMENT_GATEWAY_URLS = {"flutterwave": pretend.url}
    yield pretend
    pretend.stop()


@pytest.fixture
def gateway(pretend: PretendFlutterwave) -> Flutterwave:
    return Flutterwave(pretend.config)


def raw(headers: dict[str, str], body: bytes = BODY) -> Webhook:
    return Webhook(method="POST", body=body, headers=headers, query={}, form={})


@pytest.mark.parametrize("headers", [{"Flutterwave-Signature": SIGNATURE}, {"Verif-Hash": HASH}])
def test_both_proofs_lead_to_a_question(
    pretend: PretendFlutterwave, gateway: Flutterwave, headers: dict[str, str]
) -> None:
    assert gateway.read_webhook(raw(headers)) is None  # the pretend gateway has no such transaction
    assert pretend.received[0].path == "/v3/transactions/285959875/verify"


@pytest.mark.parametrize(
    "webhook",
    [
        raw({}),
        raw({"verif-hash": ""}),
        raw({"verif-hash": HASH[:-1]}),
        raw({"verif-hash": SIGNATURE}),
        raw({"flutterwave-signature": HASH}),
        raw({"flutterwave-signature": SIGNATURE}, BODY.replace(b"1000", b"1001")),
    ],
)
def test_without_a_proof_nothing_is_asked(pretend: PretendFlutterwave, gateway: Flutterwave, webhook: Webhook) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(webhook)
    assert pretend.received == []


def test_nothing_is_accepted_without_a_secret(pretend: PretendFlutterwave) -> None:
    with pytest.raises(WebhookRejected):
        Flutterwave({"secret_key": KEY}).read_webhook(pretend.webhook(NAIRA, secret=""))


def test_what_the_webhook_claims_is_not_believed(pretend: PretendFlutterwave, gateway: Flutterwave) -> None:
    content = json.loads(pretend.webhook(NAIRA, state="pending").body)
    content["data"] |= {"status": "successful", "amount": 1_000_000}
    report = gateway.read_webhook(pretend.signed(content))
    assert report is not None
    assert (report.state, report.amount) == (ReportedState.PENDING, None)


@pytest.mark.parametrize("number", ["", "../../balances", "1/refund", None, [1], "x"])
def test_a_webhook_without_a_valid_number_is_rejected(
    pretend: PretendFlutterwave, gateway: Flutterwave, number: Any
) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(pretend.signed({"event": "charge.completed", "data": {"id": number}}))
    assert pretend.received == []


def test_start_opens_a_link(pretend: PretendFlutterwave, gateway: Flutterwave) -> None:
    following = gateway.start(NAIRA, customer=replace(CUSTOMER, name=""), urls=URLS)
    [opened] = pretend.opened.values()
    assert following.action == Redirect(url=pretend.page_url(opened))
    assert (opened.reference, opened.amount, opened.currency) == (REFERENCE, Decimal("100.50"), "NGN")
    assert opened.done_url == URLS.done


@pytest.mark.parametrize("state", ["pending", "paid", "declined"])
def test_webhook_and_query_say_the_same(pretend: PretendFlutterwave, gateway: Flutterwave, state: str) -> None:
    report = gateway.read_webhook(pretend.webhook(NAIRA, state=state))
    assert report is not None
    assert (report.state, report.reference, report.upstream_id) == (
        ReportedState(state),
        REFERENCE,
        str(pretend.first_number),
    )
    is_paid = state == "paid"
    assert (report.amount, report.currency) == (Decimal("100.50") if is_paid else None, "NGN")
    assert report.fee == (Decimal("25.125") if is_paid else None)
    assert not report.is_test
    assert gateway.query(NAIRA) == report


def test_unknown_and_irrelevant(pretend: PretendFlutterwave, gateway: Flutterwave) -> None:
    assert gateway.query(NAIRA) is None
    assert gateway.read_webhook(pretend.signed({"event": "transfer.completed", "data": {"id": 1}})) is None
    assert gateway.read_webhook(pretend.webhook(replace(NAIRA, reference=""))) is None


def test_payments_with_test_keys_say_so(pretend: PretendFlutterwave, monkeypatch: pytest.MonkeyPatch) -> None:
    webhook = pretend.webhook(NAIRA)
    [transaction] = pretend.transactions.values()
    monkeypatch.setattr(pretend, "answer", lambda request: (200, {"status": "success", "data": transaction}))
    report = Flutterwave({**pretend.config, "secret_key": "FLWSECK_TEST-1"}).read_webhook(webhook)
    assert report is not None
    assert report.is_test


def test_refunds(pretend: PretendFlutterwave, gateway: Flutterwave) -> None:
    report = gateway.read_webhook(pretend.webhook(NAIRA))
    assert report is not None
    paid = replace(NAIRA, data=report.data)
    result = gateway.refund(paid, amount=Decimal(40), key="k1")
    assert (result.state, result.refund_id) == (RefundState.DONE, "75923")
    with pytest.raises(GatewayRejected, match="more than"):
        gateway.refund(paid, amount=Decimal(400), key="k2")
    with pytest.raises(GatewayRejected, match="not known"):
        gateway.refund(NAIRA, amount=Decimal(40), key="k3")


def test_check(pretend: PretendFlutterwave, gateway: Flutterwave) -> None:
    assert gateway.check() == "The keys work."
    with pytest.raises(GatewayRejected, match="Invalid authorization"):
        Flutterwave({**pretend.config, "secret_key": "wrong"}).check()


def test_a_refused_start_says_why(gateway: Flutterwave) -> None:
    with pytest.raises(GatewayRejected, match="at least 1"):
        gateway.start(replace(NAIRA, amount=Decimal("0.5")), customer=CUSTOMER, urls=URLS)


def test_answers_of_another_layout_prove_nothing(
    pretend: PretendFlutterwave, gateway: Flutterwave, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = pretend.webhook(NAIRA)
    other = {"id": 1, "tx_ref": "ZZZZ-ZZZZ-ZZZZ", "status": "successful", "amount": 1, "currency": "NGN"}
    for answer in ((200, {}), (200, "<html>"), (500, {"message": KEY}), (200, {"status": "success", "data": other})):
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        for call in (
            lambda: gateway.start(NAIRA, customer=CUSTOMER, urls=URLS),
            lambda: gateway.query(NAIRA),
            lambda: gateway.read_webhook(webhook),
        ):
            with pytest.raises(GatewayUnreachable) as problem:
                call()
            assert KEY not in str(problem.value)


def test_wrong_types_are_refused(
    pretend: PretendFlutterwave, gateway: Flutterwave, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = pretend.webhook(NAIRA)
    content = json.loads(webhook.body)
    wrong_types.assert_handled(content, lambda changed: gateway.read_webhook(pretend.signed(changed)))

    def ask(changed: Any) -> Any:
        monkeypatch.setattr(pretend, "answer", lambda request: (200, changed))
        return gateway.read_webhook(webhook)

    wrong_types.assert_handled({"status": "success", "data": content["data"]}, ask)
