"""Tripay: the known signatures, transactions, callbacks and checks."""

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
    ReportedState,
    Webhook,
    WebhookRejected,
)
from storefront.payments.gateways.tripay import Tripay
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_tripay import API_KEY, PretendTripay

#: A callback and a request with their signatures, computed apart from our code.
BODY = (
    b'{"reference":"T0001000000000000006","merchant_ref":"ABCD-EFGH-2345","payment_method":"BRIVA","total_amount":100000'
    b',"fee_merchant":4250,"fee_customer":0,"total_fee":4250,"amount_received":95750,"is_closed_payment":1,'
    b'"status":"PAID","paid_at":1764322000}'
)
SIGNATURE = "e9671d4ecf380bad6eb30e30ca9c395f722ae8cbca135c992737e9284eb6f90d"
KNOWN_REQUEST = "6138ff56e92a40d0875618676f7e57b0bf23775f8c78e04a0e73e14a5020182b"
RUPIAH = details(amount=Decimal(100_000), currency="IDR")


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendTripay]:
    pretend = PretendTripay()
    settings.PAYMENT_GATEWAY_URLS = {"tripay": pretend.url}
    yield pretend
    pretend.stop()


@pytest.fixture
def gateway(pretend: PretendTripay) -> Tripay:
    return Tripay(pretend.config)


def raw(signature: str, body: bytes = BODY) -> Webhook:
    return Webhook(method="POST", body=body, headers={"X-Callback-Signature": signature}, query={}, form={})


def test_the_known_callback_is_read(gateway: Tripay) -> None:
    report = gateway.read_webhook(raw(SIGNATURE))
    assert report is not None
    assert (report.state, report.reference, report.amount) == (ReportedState.PAID, REFERENCE, Decimal(100_000))
    assert (report.currency, report.fee) == ("IDR", Decimal(4250))
    assert gateway.answer_webhook(raw(SIGNATURE)).body == '{"success":true}'


def test_every_changed_byte_is_noticed(gateway: Tripay) -> None:
    for place in range(0, len(BODY), 3):
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(raw(SIGNATURE, BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]))
    for signature in ("", "0" * 64, "é"):
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(raw(signature))


def test_nothing_is_accepted_without_a_key(pretend: PretendTripay) -> None:
    with pytest.raises(WebhookRejected):
        Tripay({}).read_webhook(pretend.webhook(RUPIAH, secret=""))


def test_start_opens_a_transaction_with_the_known_signature(pretend: PretendTripay, gateway: Tripay) -> None:
    following = gateway.start(RUPIAH, customer=CUSTOMER, urls=URLS)
    [opened] = pretend.opened.values()
    assert (following.action, following.upstream_id) == (Redirect(url=pretend.page_url(opened)), opened.id)
    sent = pretend.received[0].json()
    assert (sent["signature"], sent["method"], sent["callback_url"]) == (KNOWN_REQUEST, "QRIS", URLS.webhook)
    assert following.expires_at is not None


@pytest.mark.parametrize("state", ["pending", "paid", "declined", "refunded"])
def test_callback_and_query_say_the_same(pretend: PretendTripay, gateway: Tripay, state: str) -> None:
    number = gateway.start(RUPIAH, customer=CUSTOMER, urls=URLS).upstream_id
    report = gateway.read_webhook(pretend.webhook(RUPIAH, state=state))
    assert report is not None
    assert (report.state, report.upstream_id) == (ReportedState(state), number)
    assert report.amount == (Decimal(100_000) if state in ("paid", "refunded") else None)
    assert gateway.query(replace(RUPIAH, upstream_id=number)) == report


def test_another_payments_transaction_is_not_ours(pretend: PretendTripay, gateway: Tripay) -> None:
    number = gateway.start(RUPIAH, customer=CUSTOMER, urls=URLS).upstream_id
    assert gateway.query(RUPIAH) is None
    with pytest.raises(GatewayUnreachable):
        gateway.query(replace(RUPIAH, upstream_id=number, reference="ZZZZ-ZZZZ-ZZZZ"))


def test_refusals_and_check(pretend: PretendTripay, gateway: Tripay) -> None:
    assert gateway.check() == "The keys work."
    with pytest.raises(GatewayRejected, match="Invalid API Key"):
        Tripay({**pretend.config, "api_key": "wrong"}).check()
    with pytest.raises(GatewayRejected, match="Invalid signature"):
        Tripay({**pretend.config, "private_key": "wrong"}).start(RUPIAH, customer=CUSTOMER, urls=URLS)


def test_answers_of_another_layout_prove_nothing(
    pretend: PretendTripay, gateway: Tripay, monkeypatch: pytest.MonkeyPatch
) -> None:
    for answer in ((200, {}), (200, "<html>"), (500, {"message": API_KEY})):
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        for call in (
            lambda: gateway.start(RUPIAH, customer=CUSTOMER, urls=URLS),
            lambda: gateway.query(replace(RUPIAH, upstream_id="1")),
            gateway.check,
        ):
            with pytest.raises(GatewayUnreachable) as problem:
                call()
            assert API_KEY not in str(problem.value)


def test_wrong_types_are_refused(pretend: PretendTripay, gateway: Tripay) -> None:
    content = json.loads(pretend.webhook(RUPIAH).body)
    wrong_types.assert_handled(content, lambda changed: gateway.read_webhook(pretend.signed(changed)))


def test_the_sandbox_has_its_own_address() -> None:
    assert Tripay({}, is_test=True).url("/x") == "https://tripay.co.id/api-sandbox/x"
