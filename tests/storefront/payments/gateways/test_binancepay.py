"""Binance Pay: known signatures, orders, webhooks, questions and refunds."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from storefront.payments.gateway import (
    GatewayRejected,
    GatewayReport,
    GatewayUnreachable,
    Redirect,
    RefundState,
    ReportedState,
    Webhook,
    WebhookRejected,
)
from storefront.payments.gateways.binancepay import BinancePay
from storefront.payments.wire import memory
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_binancepay import (
    NONCE,
    SECRET_KEY,
    SENT_AT,
    SERIAL,
    PretendBinancePay,
    content,
)

COMPACT = REFERENCE.replace("-", "")

#: A webhook signed apart from our code with a key made for it, and checked with openssl.
PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAjhsUYYLFtwhU5vsw4Wxo
2x7v7naMClUzDQ/2UbetUZ6qOOIb6a/XIQFCKRxqSd0xd8FXx4TkRy2VAyAxFKzV
evR3/UwwEmUmjJvgBqsTQDfy/s4af/sseNgPNmH++yu6lqxfUeyeqC/QKfJttWyH
ag/LBAwtWcPG7ZkBPW8nNzyDZ6nbifi7Ud5UjvCv/x89Cmc9d9ZqMjbAEFvIvW7t
EGhVNZSLjN9so50i83K3C2jQWNxl3oqoz98NJocO8kNrj3imp3Dr6g+BHh2hL8mt
HSR6mxkGnhZjDNLRv89zuE/hODDVT1Tv4B7U9EUM1Zs3dYtriXlvS7PPpFszVmpa
BQIDAQAB
-----END PUBLIC KEY-----
"""
BODY = (
    b'{"bizType":"PAY","bizId":29383937493038367292,"bizIdStr":"29383937493038367292","bizStatus":"PAY_SUCCESS",'
    b'"data":"{\\"merchantTradeNo\\":\\"ABCDEFGH2345\\",\\"totalFee\\":10.00,\\"currency\\":\\"USDT\\",'
    b'\\"transactionId\\":\\"M_R_282737362839373\\"}"}'
)
SIGNATURE = (
    "dycxRLGCk0dpgjGUZgs48wu0XbzLnoGoSeEBuHDDE+eKB6kcFocwaNRtCXDznZy3NCDWpElBHR4ut/rU+dIPSjwHDzMHrYIJgj2IYCJifKw6"
    "2ls93hS0CWjqWK844PtMrt7bHvXRkAaO4QaIKjucTXb0QNmh3ybZPaY7RBbnbOPRqlspjLbOTb6y9Ig8odTY/5BT9L/FG1NGu9i7b2wxzlCI"
    "zDCeIvxuFu4gOr8qzj1AGyqUyOJP5lJQ3hRB4Su1B/xUvkizZDoG7oMFG2lbTAZ+MXk14S6dQFsst5Qw3A7BXqtpYPUsdBKYKhyVonakEfdC"
    "l3Wl0EpDeH8E2QrLAQ=="
)


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendBinancePay]:
    memory.clear()
    pretend = PretendBinancePay()
    settings.PAYMENT_GATEWAY_URLS = {"binancepay": pretend.url}
    yield pretend
    pretend.stop()
    memory.clear()


@pytest.fixture
def gateway(pretend: PretendBinancePay) -> BinancePay:
    return BinancePay(pretend.config)


def raw(signature: str = SIGNATURE, body: bytes = BODY, **headers: str) -> Webhook:
    own = {
        "Binancepay-Timestamp": SENT_AT,
        "Binancepay-Nonce": NONCE,
        "Binancepay-Certificate-Sn": "known",
        "Binancepay-Signature": signature,
    }
    return Webhook(method="POST", body=body, headers=own | headers, query={}, form={})


@pytest.mark.parametrize("is_bare", [False, True])
def test_the_known_webhook_is_read(pretend: PretendBinancePay, gateway: BinancePay, is_bare: bool) -> None:
    key = "".join(PUBLIC_KEY.splitlines()[1:-1]) if is_bare else PUBLIC_KEY
    pretend.certificates.append({"certSerial": "known", "certPublic": key})
    assert gateway.read_webhook(raw()) == GatewayReport(
        state=ReportedState.PAID,
        reference="ABCDEFGH2345",
        upstream_id="29383937493038367292",
        amount=Decimal(10),
        currency="USD",
        fee_currency="USDT",
        note="M_R_282737362839373",
    )
    assert gateway.answer_webhook(raw()).body == '{"returnCode":"SUCCESS","returnMessage":null}'
    for place in range(0, len(BODY), 3):
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(raw(body=BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]))


def test_the_known_request_is_signed(gateway: BinancePay) -> None:
    body = '{"env":{"terminalType":"WEB"},"merchantTradeNo":"ABCDEFGH2345","orderAmount":"10.00","currency":"USDT"}'
    assert gateway._sign(SENT_AT, NONCE, body) == (
        "DECC7325E49AE4CE49E8E69892C6E7BB98649E22C38331848400CF5FBE3A186E"
        "E0A424ECB424CFA7D6A8E28C682F2B24D82DBAAA44063346F2293635EFCB80AD"
    )


def test_wrong_signatures_are_rejected(pretend: PretendBinancePay, gateway: BinancePay) -> None:
    webhook = pretend.webhook(details())
    for name in webhook.headers:
        if name.startswith("BinancePay"):
            for value in ("", "x", "é", webhook.header(name) + "\n"):
                with pytest.raises(WebhookRejected):
                    gateway.read_webhook(replace(webhook, headers={**webhook.headers, name: value}))
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(pretend.webhook(details(), secret="other"))


def test_the_secret_key_does_not_sign_webhooks(pretend: PretendBinancePay, gateway: BinancePay) -> None:
    """Much public code accepts this."""
    message = f"{SENT_AT}\n{NONCE}\n".encode() + BODY + b"\n"
    forged = hmac.new(SECRET_KEY.encode(), message, hashlib.sha512).hexdigest().upper()
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(raw(forged, **{"Binancepay-Certificate-Sn": SERIAL}))


def test_nothing_is_accepted_without_keys(pretend: PretendBinancePay) -> None:
    with pytest.raises(WebhookRejected):
        BinancePay({}).read_webhook(pretend.webhook(details()))


def test_unknown_serial_numbers_do_not_flood_binance(pretend: PretendBinancePay, gateway: BinancePay) -> None:
    for number in range(5):
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(pretend.signed({}, serial=str(number)))
    gateway.read_webhook(pretend.webhook(details()))
    assert sum(request.path.endswith("/certificates") for request in pretend.received) == 1


def test_without_the_public_key_the_webhook_comes_again(
    pretend: PretendBinancePay, gateway: BinancePay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretend, "answer", lambda request: (500, {}))
    with pytest.raises(GatewayUnreachable):
        gateway.read_webhook(pretend.webhook(details()))


def test_start_opens_an_order(pretend: PretendBinancePay, gateway: BinancePay) -> None:
    following = gateway.start(details(), customer=CUSTOMER, urls=URLS)
    [opened] = pretend.opened.values()
    assert following.action == Redirect(url=pretend.page_url(opened))
    assert (following.upstream_id, following.expires_at) == (opened.id, datetime.fromtimestamp(1_764_400_000, UTC))
    assert (opened.reference, opened.amount, opened.currency) == (COMPACT, Decimal("12.34"), "USDT")
    assert (opened.webhook_url, opened.done_url) == (URLS.webhook, URLS.done)
    with pytest.raises(GatewayRejected, match="400201"):
        gateway.start(details(), customer=CUSTOMER, urls=URLS)


def test_dollars_are_charged_in_the_coin_of_the_method(pretend: PretendBinancePay) -> None:
    gateway = BinancePay({**pretend.config, "coin": "USDC"})
    gateway.start(details(), customer=CUSTOMER, urls=URLS)
    assert pretend.received[0].json()["currency"] == "USDC"
    for coin, currency in (("USDC", "USD"), ("USDT", "USDT")):
        report = gateway.read_webhook(pretend.webhook(details(), currency=coin))
        assert report is not None
        assert (report.amount, report.currency) == (Decimal("12.34"), currency)


def test_a_refused_start_says_why(gateway: BinancePay) -> None:
    with pytest.raises(GatewayRejected, match="too small"):
        gateway.start(details(amount=Decimal("0.5")), customer=CUSTOMER, urls=URLS)


@pytest.mark.parametrize("state", ["paid", "declined"])
def test_webhook_and_query_say_the_same(pretend: PretendBinancePay, gateway: BinancePay, state: str) -> None:
    number = gateway.start(details(), customer=CUSTOMER, urls=URLS).upstream_id
    waiting = gateway.query(details())
    assert waiting is not None
    assert (waiting.state, waiting.amount) == (ReportedState.PENDING, None)
    report = gateway.read_webhook(pretend.webhook(details(), state=state))
    assert report is not None
    assert (report.state, report.reference, report.upstream_id) == (ReportedState(state), COMPACT, number)
    assert report.amount == (Decimal("12.34") if state == "paid" else None)
    found = gateway.query(details())
    assert found is not None
    assert (found.state, found.reference, found.amount, found.fee) == (
        report.state,
        REFERENCE,
        report.amount,
        report.fee,
    )


def test_a_refund_is_reported_under_its_request(pretend: PretendBinancePay, gateway: BinancePay) -> None:
    report = gateway.read_webhook(pretend.webhook(details(), state="refunded", amount=Decimal(5), entry="7"))
    assert report is not None
    assert (report.state, report.entry_id) == (ReportedState.REFUNDED, "refund-7")
    assert (report.amount, report.currency) == (Decimal(5), "USD")
    assert gateway.query(details()) is None


@pytest.mark.parametrize(
    ("kind", "status", "facts"),
    [
        ("PAY", "PAY_PENDING", {"merchantTradeNo": COMPACT}),
        ("PAYOUT", "SUCCESS", {"merchantTradeNo": COMPACT}),
        ("PAY_REFUND", "REFUND_REJECTED", {"merchantTradeNo": COMPACT, "refundInfo": {"refundRequestId": "1"}}),
        ("PAY_REFUND", "REFUND_SUCCESS", {"merchantTradeNo": COMPACT}),
        ("PAY", "PAY_SUCCESS", {"totalFee": 1, "currency": "USDT"}),
    ],
)
def test_proven_but_irrelevant(
    pretend: PretendBinancePay, gateway: BinancePay, kind: str, status: str, facts: dict[str, Any]
) -> None:
    assert gateway.read_webhook(pretend.signed(content(kind, status, "1", facts))) is None


@pytest.mark.parametrize("state", ["paid", "declined", "refunded"])
def test_wrong_types_are_refused(pretend: PretendBinancePay, gateway: BinancePay, state: str) -> None:
    event = json.loads(pretend.webhook(details(), state=state).body)
    wrong_types.assert_handled(event, lambda changed: gateway.read_webhook(pretend.signed(changed)))
    wrong_types.assert_handled(
        json.loads(event["data"]),
        lambda changed: gateway.read_webhook(pretend.signed(event | {"data": json.dumps(changed)})),
    )


def test_query_of_unknown_and_foreign_orders(
    pretend: PretendBinancePay, gateway: BinancePay, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gateway.query(details()) is None
    gateway.start(details(), customer=CUSTOMER, urls=URLS)
    monkeypatch.setattr(pretend, "_order", lambda opened: {"merchantTradeNo": "OTHER", "status": "PAID"})
    with pytest.raises(GatewayUnreachable):
        gateway.query(details())


@pytest.mark.parametrize(
    ("status", "state"), [("REFUND_SUCCESS", RefundState.DONE), ("REFUND_PENDING", RefundState.PENDING)]
)
def test_refund(pretend: PretendBinancePay, gateway: BinancePay, status: str, state: RefundState) -> None:
    pretend.refund_status = status
    number = gateway.start(details(), customer=CUSTOMER, urls=URLS).upstream_id
    result = gateway.refund(details(upstream_id=number), amount=Decimal(5), key="r1")
    assert (result.state, result.refund_id) == (state, "r1")
    assert pretend.refunds["r1"] == {"refundRequestId": "r1", "prepayId": number, "refundAmount": 5}
    assert len(gateway.refund(details(upstream_id=number), amount=Decimal(1), key="r" * 70).refund_id) == 64


def test_a_refused_refund(pretend: PretendBinancePay, gateway: BinancePay) -> None:
    with pytest.raises(GatewayRejected, match="Order not found"):
        gateway.refund(details(upstream_id="1"), amount=Decimal(5), key="r1")
    number = gateway.start(details(), customer=CUSTOMER, urls=URLS).upstream_id
    pretend.refund_status = "REFUND_FAIL"
    with pytest.raises(GatewayRejected, match="failed"):
        gateway.refund(details(upstream_id=number), amount=Decimal(5), key="r1")


def test_check(pretend: PretendBinancePay, gateway: BinancePay) -> None:
    assert gateway.check() == "The keys work."
    with pytest.raises(GatewayRejected, match="Signature for this request"):
        BinancePay({**pretend.config, "secret_key": "wrong"}).check()
    with pytest.raises(GatewayRejected, match="Api-key"):
        BinancePay({**pretend.config, "api_key": "wrong"}).check()
    with pytest.raises(GatewayRejected, match="not set"):
        BinancePay({"api_key": "x"}).check()


def test_answers_of_another_layout_prove_nothing(
    pretend: PretendBinancePay, gateway: BinancePay, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = {"status": "FAIL", "code": "500000", "errorMessage": SECRET_KEY}
    for answer in ((200, {}), (200, "<html>"), (500, {}), (200, unknown), (200, {"status": "SUCCESS", "data": "x"})):
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        for call in (
            lambda: gateway.start(details(), customer=CUSTOMER, urls=URLS),
            lambda: gateway.query(details()),
            lambda: gateway.refund(details(upstream_id="1"), amount=Decimal(1), key="r"),
            gateway.check,
        ):
            with pytest.raises(GatewayUnreachable) as problem:
                call()
            assert SECRET_KEY not in str(problem.value)
