"""Heleket and Cryptomus: known signatures, invoices, webhooks and questions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from orders.errors import InvalidAmount
from storefront.payments.gateway import (
    GatewayRejected,
    GatewayReport,
    GatewayUnreachable,
    Redirect,
    ReportedState,
    Webhook,
    WebhookRejected,
)
from storefront.payments.gateways.heleket import Cryptomus, Heleket
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_heleket import KEY, PretendCryptomus, PretendHeleket

#: A webhook and its signature, computed apart from our code and equal to what the vendor's PHP library computes.
UNSIGNED = (
    '{"type":"payment","uuid":"62f88b36-a9d5-4fa6-aa26-e040c3dbf26d","order_id":"ABCD-EFGH-2345",'
    '"amount":"15.00000000","payment_amount":"15.00000000","payment_amount_usd":"15.00",'
    '"merchant_amount":"14.85000000","commission":"0.15000000","is_final":true,"status":"paid",'
    '"from":"THgEWubVc8tPKXLJ4VZ5zbiiAK7AgqSeGH","wallet_address_uuid":null,"network":"tron","currency":"USD",'
    '"payer_currency":"USDT","additional_data":"a\\/b – Ünïcode",'
    '"txid":"6f0d9c8374db57cac0d806251473de754f361c83a03cd805f74aa9da3193486b"}'
)
SIGNATURE = "0070e01b74dc492bf3064045f5ea96d6"


@pytest.fixture(params=[(PretendHeleket, Heleket), (PretendCryptomus, Cryptomus)], ids=["heleket", "cryptomus"])
def both(request: Any, settings: Any) -> Iterator[tuple[PretendHeleket, Heleket]]:
    pretend_class, gateway_class = request.param
    pretend = pretend_class()
    settings.PAYMENT_GATEWAY_URLS = {pretend.name: pretend.url}
    yield pretend, gateway_class(pretend.config)
    pretend.stop()


@pytest.fixture
def pretend(both: Any) -> PretendHeleket:
    return both[0]


@pytest.fixture
def gateway(both: Any) -> Heleket:
    return both[1]


def raw(body: str | bytes) -> Webhook:
    content = body.encode() if isinstance(body, str) else body
    return Webhook(method="POST", body=content, headers={}, query={}, form={})


def test_the_known_webhook_is_read(gateway: Heleket) -> None:
    report = gateway.read_webhook(raw(f'{UNSIGNED[:-1]},"sign":"{SIGNATURE}"}}'))
    assert report == GatewayReport(
        state=ReportedState.PAID,
        reference="ABCD-EFGH-2345",
        upstream_id="62f88b36-a9d5-4fa6-aa26-e040c3dbf26d",
        amount=Decimal(15),
        currency="USD",
        fee=Decimal("0.15"),
        fee_currency="USDT",
        note="paid",
    )


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (
            '{"amount":"15.00","currency":"USD","order_id":"ABCD-EFGH-2345","url_callback":"https://shop.example/hook/"}',
            "e1b396c0b6635aee57378c5e89680281",
        ),
        (
            '{"amount":"15.00","currency":"USD","order_id":"ABCD-EFGH-2345",'
            '"url_callback":"https:\\/\\/shop.example\\/hook\\/"}',
            "916dbe6f4aa1b7930d61d37ddea8a8ff",
        ),
    ],
)
def test_the_known_requests_are_signed(gateway: Heleket, body: str, signature: str) -> None:
    assert gateway._sign(body.encode()) == signature


@pytest.mark.parametrize(
    "body",
    [
        f'{{"sign":"{SIGNATURE}",{UNSIGNED[1:]}',
        f'{UNSIGNED[:-1]}, "sign": "{SIGNATURE}"}}',
        json.dumps(json.loads(UNSIGNED) | {"sign": SIGNATURE}),
        json.dumps(json.loads(UNSIGNED) | {"sign": SIGNATURE}, indent=2, ensure_ascii=False),
    ],
    ids=["sign first", "spaces", "ASCII", "pretty"],
)
def test_the_signature_survives_another_layout(gateway: Heleket, body: str) -> None:
    report = gateway.read_webhook(raw(body))
    assert report is not None
    assert (report.reference, report.amount) == (REFERENCE, Decimal(15))


def test_every_changed_byte_is_noticed(gateway: Heleket) -> None:
    body = f'{UNSIGNED[:-1]},"sign":"{SIGNATURE}"}}'.encode()
    for place in range(0, len(body), 3):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(raw(changed))


@pytest.mark.parametrize("sign_member", ["", ',"sign":""', ',"sign":null', f',"sign":["{SIGNATURE}"]', ',"sign":0'])
def test_a_webhook_without_a_signature_is_rejected(gateway: Heleket, sign_member: str) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(raw(f"{UNSIGNED[:-1]}{sign_member}}}"))


def test_only_what_is_signed_is_read(gateway: Heleket) -> None:
    """A second member after the signed ones, or one hidden in a nested object, must not change what is read."""
    forged = UNSIGNED[:-1] + f',"sign":"{SIGNATURE}","amount":"999"}}'
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(raw(forged))
    nested = UNSIGNED.replace('"uuid":', f'"sign":"{SIGNATURE}","uuid":', 1)
    report = gateway.read_webhook(raw(nested))
    assert report is not None
    assert report.amount == Decimal(15)


def test_nothing_is_accepted_without_a_key(pretend: PretendHeleket, gateway: Heleket) -> None:
    without_key = type(gateway)({"merchant_id": "m"})
    with pytest.raises(WebhookRejected):
        without_key.read_webhook(pretend.webhook(details(), secret=""))


def test_another_key_is_rejected(pretend: PretendHeleket, gateway: Heleket) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(pretend.webhook(details(), secret="other"))


def test_start_opens_one_invoice_and_sends_the_customer_there(pretend: PretendHeleket, gateway: Heleket) -> None:
    payment = details()
    first = gateway.start(payment, customer=CUSTOMER, urls=URLS)
    second = gateway.start(payment, customer=CUSTOMER, urls=URLS)
    [opened] = pretend.opened.values()
    assert first == second
    assert first.action == Redirect(url=pretend.page_url(opened))
    assert (first.upstream_id, first.expires_at) == (opened.id, datetime.fromtimestamp(1_764_400_000, UTC))
    assert (opened.reference, opened.amount, opened.currency) == (REFERENCE, Decimal("12.34"), "USD")
    assert (opened.webhook_url, opened.done_url) == (URLS.webhook, URLS.done)


def test_a_refused_start_says_why(gateway: Heleket) -> None:
    with pytest.raises(GatewayRejected, match=r"answered 422: The amount is too small\."):
        gateway.start(details(amount=Decimal("0.5")), customer=CUSTOMER, urls=URLS)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("pending", ReportedState.PENDING),
        ("paid", ReportedState.PAID),
        ("declined", ReportedState.DECLINED),
        ("refunded", ReportedState.REFUNDED),
    ],
)
def test_webhook_and_query_say_the_same(
    pretend: PretendHeleket, gateway: Heleket, state: str, expected: ReportedState
) -> None:
    payment = details()
    gateway.start(payment, customer=CUSTOMER, urls=URLS)
    report = gateway.read_webhook(pretend.webhook(payment, state=state))
    assert report is not None
    assert (report.state, report.reference) == (expected, REFERENCE)
    assert report.amount == (payment.amount if state == "paid" else None)
    assert gateway.query(payment) == report


@pytest.mark.parametrize(
    ("received", "reported", "status"),
    [
        ("6.17", "6.17", "wrong_amount"),
        ("24.68", "24.68", "paid_over"),
        ("4.11999999", "4.11", "wrong_amount"),
    ],
)
def test_another_amount_is_reported_in_the_currency_of_the_payment(
    pretend: PretendHeleket, gateway: Heleket, received: str, reported: str, status: str
) -> None:
    report = gateway.read_webhook(pretend.webhook(details(currency="EUR"), amount=Decimal(received)))
    assert report is not None
    assert (report.amount, report.currency, report.note) == (Decimal(reported), "EUR", status)


def test_without_the_expected_amount_only_dollars_are_read(pretend: PretendHeleket, gateway: Heleket) -> None:
    content = json.loads(pretend.webhook(details(), amount=Decimal(20)).body)
    del content["sign"], content["payer_amount"]
    report = gateway.read_webhook(pretend.signed(content))
    assert report is not None
    assert report.amount == Decimal(20)
    with pytest.raises(InvalidAmount):
        gateway.read_webhook(pretend.signed(content | {"currency": "EUR"}))


def test_a_payment_that_is_not_final_is_not_reported_as_paid(pretend: PretendHeleket, gateway: Heleket) -> None:
    content = json.loads(pretend.webhook(details()).body)
    del content["sign"]
    report = gateway.read_webhook(pretend.signed(content | {"is_final": False}))
    assert report is not None
    assert (report.state, report.amount) == (ReportedState.PENDING, None)


@pytest.mark.parametrize("changes", [{"type": "wallet"}, {"type": "payout"}, {"status": "refund_process"}])
def test_proven_but_irrelevant(pretend: PretendHeleket, gateway: Heleket, changes: dict[str, Any]) -> None:
    content = json.loads(pretend.webhook(details()).body)
    del content["sign"]
    assert gateway.read_webhook(pretend.signed(content | changes)) is None


def test_wrong_types_are_refused(pretend: PretendHeleket, gateway: Heleket) -> None:
    for amount in (None, Decimal(20)):
        content = json.loads(pretend.webhook(details(), amount=amount).body)
        del content["sign"]
        wrong_types.assert_handled(content, lambda changed: gateway.read_webhook(pretend.signed(changed)))


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"x"', b"\xff", b"{", b'{"sign":' + b"[" * 5000])
def test_what_is_not_an_object_is_rejected(gateway: Heleket, body: bytes) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(raw(body))


def test_query_of_an_unknown_payment(gateway: Heleket) -> None:
    assert gateway.query(details()) is None


def test_check(pretend: PretendHeleket, gateway: Heleket) -> None:
    assert gateway.check() == "The keys work."
    with pytest.raises(GatewayRejected, match="Invalid Sign"):
        type(gateway)({**pretend.config, "api_key": "wrong"}).check()


def test_an_unreachable_gateway(gateway: Heleket, settings: Any) -> None:
    settings.PAYMENT_GATEWAY_URLS = {gateway.name: "http://127.0.0.1:9"}
    with pytest.raises(GatewayUnreachable):
        gateway.start(details(), customer=CUSTOMER, urls=URLS)


def test_an_answer_of_another_layout_proves_nothing(
    pretend: PretendHeleket, gateway: Heleket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for answer in ((200, {}), (200, "<html>"), (500, {"message": KEY}), (200, {"state": 0, "result": [1]})):
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        for call in (
            lambda: gateway.start(details(), customer=CUSTOMER, urls=URLS),
            lambda: gateway.query(details()),
        ):
            with pytest.raises(GatewayUnreachable) as problem:
                call()
            assert KEY not in str(problem.value)


def test_the_addresses_are_those_of_the_vendors() -> None:
    assert Heleket({}).url("v1/payment") == "https://api.heleket.com/v1/payment"
    assert Cryptomus({}, is_test=True).url("v1/payment") == "https://api.cryptomus.com/v1/payment"
