"""PayPal: the known signature, orders and captures, webhooks with certificates, refunds and disputes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

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
from storefront.payments.gateways.paypal import PayPal, signed_text
from storefront.payments.wire import memory, signatures
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_paypal import CERT_URL, CLIENT_SECRET, WEBHOOK_ID, PretendPayPal

#: A webhook signed apart from our code with a key made for it. The signed text is that of PayPal's own library.
PUBLIC_KEY = b"""-----BEGIN PUBLIC KEY-----
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
    b'{"id":"WH-1","event_type":"PAYMENT.CAPTURE.COMPLETED","resource":{"id":"3C679366HH908993F",'
    b'"status":"COMPLETED","amount":{"currency_code":"USD","value":"10.00"},"custom_id":"ABCD-EFGH-2345"}}'
)
SIGNATURE = (
    "U/qiD36WTFjyBzUnWvSmixxe22DzJIm297zNwISEfIsbBiRMCWLIb9iiCI3PXH1iKLYitw5pfr/A41+00fnwphv2N5JdAfIfN8KsuLC8DvfU"
    "i0YwiBLxZQR6YRaGtr7V6GeKDEldxoa/fomnOJoxaiqNTn8+JkmwTX0VOULUKwLnXBeeBBFrF2vmSvoysr0QiW0KnDpx76FySjkEVS7VvQM1"
    "AY89w5bpSxdP/dBLnpwZ3kHyHc3vCkOY6eZjXXWNDKe2HnbDRNKMoPxnTt24YuIYLhID2zRgQqoWs3Hdc9mZN96i8fdbYjaDn6GdhzGXSClb"
    "pGLev69rJXRb8vZJUg=="
)


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendPayPal]:
    memory.clear()
    pretend = PretendPayPal()
    settings.PAYMENT_GATEWAY_URLS = {"paypal": pretend.url}
    yield pretend
    pretend.stop()
    memory.clear()


@pytest.fixture
def gateway(pretend: PretendPayPal) -> PayPal:
    return PayPal(pretend.config)


def with_header(webhook: Webhook, name: str, value: str) -> Webhook:
    return replace(webhook, headers={**webhook.headers, name: value})


def test_the_known_signature_is_right() -> None:
    text = signed_text("69cd13f0-d67a-11e5-baa3-778b53f4ae55", "2026-11-28T09:26:40Z", WEBHOOK_ID, BODY)
    assert text == b"69cd13f0-d67a-11e5-baa3-778b53f4ae55|2026-11-28T09:26:40Z|1JE4291016473214C|1072443856"
    key = load_pem_public_key(PUBLIC_KEY)
    assert signatures.is_rsa_sha256(key, text, SIGNATURE)
    assert not signatures.is_rsa_sha256(key, text + b" ", SIGNATURE)
    for wrong in ("", "é", "AAAA", SIGNATURE[:-4], SIGNATURE.lower(), "\n" + SIGNATURE):
        assert not signatures.is_rsa_sha256(key, text, wrong)


def test_start_opens_one_order(pretend: PretendPayPal, gateway: PayPal) -> None:
    first = gateway.start(details(), customer=CUSTOMER, urls=URLS)
    second = gateway.start(details(), customer=CUSTOMER, urls=URLS)
    [opened] = pretend.opened.values()
    assert first == second
    assert first.action == Redirect(url=pretend.page_url(opened))
    assert (first.upstream_id, opened.done_url) == (opened.id, URLS.done)
    assert (opened.reference, opened.amount, opened.currency) == (REFERENCE, Decimal("12.34"), "USD")
    assert sum(request.path == "/v1/oauth2/token" for request in pretend.received) == 1


def test_currencies_without_cents(pretend: PretendPayPal, gateway: PayPal) -> None:
    gateway.start(details(amount=Decimal(500), currency="JPY"), customer=CUSTOMER, urls=URLS)
    unit = pretend.received[-1].json()["purchase_units"][0]
    assert unit["amount"] == {"currency_code": "JPY", "value": "500"}
    with pytest.raises(GatewayRejected, match="HUF"):
        gateway.start(details(amount=Decimal("500.5"), currency="HUF"), customer=CUSTOMER, urls=URLS)


def test_a_refused_start_says_why(pretend: PretendPayPal, gateway: PayPal) -> None:
    with pytest.raises(GatewayRejected, match="too small"):
        gateway.start(details(amount=Decimal("0.5")), customer=CUSTOMER, urls=URLS)
    with pytest.raises(GatewayRejected, match="Client Authentication failed"):
        PayPal({**pretend.config, "client_secret": "wrong"}).start(details(), customer=CUSTOMER, urls=URLS)


def test_the_order_is_captured_when_the_customer_returns(pretend: PretendPayPal, gateway: PayPal) -> None:
    number = gateway.start(details(), customer=CUSTOMER, urls=URLS).upstream_id
    payment = details(upstream_id=number)
    waiting = gateway.read_return(payment, {"token": number})
    assert waiting is not None
    assert (waiting.state, waiting.amount) == (ReportedState.PENDING, None)
    pretend.approve(number)
    report = gateway.read_return(payment, {"token": "forged"})
    assert report == GatewayReport(
        state=ReportedState.PAID,
        reference=REFERENCE,
        upstream_id=number,
        entry_id=f"3C6{number}",
        amount=Decimal("12.34"),
        currency="USD",
        fee=Decimal("0.79"),
        fee_currency="USD",
        data={"capture_id": f"3C6{number}"},
        note="COMPLETED",
    )
    assert gateway.query(payment) == report
    assert sum(request.path.endswith("/capture") for request in pretend.received) == 1


def test_a_capture_that_somebody_else_made_is_read(pretend: PretendPayPal, gateway: PayPal) -> None:
    number = gateway.start(details(), customer=CUSTOMER, urls=URLS).upstream_id
    pretend.approve(number)
    first = gateway.query(details(upstream_id=number))
    pretend.approve(number)
    pretend._by_key.clear()
    pretend.opened[number].state = "COMPLETED"
    original, stale = (
        pretend._order,
        [{"id": number, "status": "APPROVED", "purchase_units": [{"custom_id": REFERENCE}]}],
    )
    pretend._order = lambda opened: stale.pop() if stale else original(opened)  # type: ignore[method-assign]
    assert gateway.query(details(upstream_id=number)) == first


@pytest.mark.parametrize(
    ("capture", "state"), [("PENDING", ReportedState.PENDING), ("DECLINED", ReportedState.DECLINED)]
)
def test_captures_that_bring_no_money_yet(
    pretend: PretendPayPal, gateway: PayPal, capture: str, state: ReportedState
) -> None:
    number = gateway.start(details(), customer=CUSTOMER, urls=URLS).upstream_id
    pretend.approve(number)
    pretend.opened[number].facts["capture"] = capture
    report = gateway.query(details(upstream_id=number))
    assert report is not None
    assert (report.state, report.amount) == (state, None)


def test_query_of_unknown_foreign_and_void_orders(pretend: PretendPayPal, gateway: PayPal) -> None:
    number = gateway.start(details(), customer=CUSTOMER, urls=URLS).upstream_id
    assert gateway.query(details()) is None
    assert gateway.query(details(upstream_id="5O0000000")) is None
    with pytest.raises(GatewayUnreachable):
        gateway.query(details(upstream_id=number, reference="ZZZZ-ZZZZ-ZZZZ"))
    with pytest.raises(GatewayUnreachable):
        gateway.query(details(upstream_id="x/../y"))
    pretend.opened[number].state = "VOIDED"
    report = gateway.query(details(upstream_id=number))
    assert report is not None
    assert report.state is ReportedState.DECLINED


@pytest.mark.parametrize("state", ["pending", "paid", "declined"])
def test_webhooks_about_captures(pretend: PretendPayPal, gateway: PayPal, state: str) -> None:
    report = gateway.read_webhook(pretend.webhook(details(), state=state))
    assert report is not None
    assert (report.state, report.reference, report.currency) == (ReportedState(state), REFERENCE, "USD")
    assert report.amount == (Decimal("12.34") if state == "paid" else None)
    assert report.upstream_id in pretend.opened
    assert gateway.query(details(upstream_id=report.upstream_id)) == replace(
        report, note="PENDING_REVIEW" if state == "pending" else "COMPLETED"
    )


def test_what_the_webhook_claims_is_asked_for(pretend: PretendPayPal, gateway: PayPal) -> None:
    """The signature covers a CRC of the body only, and any body can be given the CRC of another one."""
    webhook = pretend.webhook(details())
    content = json.loads(webhook.body)
    content["resource"]["amount"]["value"] = "9999.00"
    content["resource"]["custom_id"] = "ZZZZ-ZZZZ-ZZZZ"
    report = gateway.read_webhook(pretend.signed(content))
    assert report is not None
    assert (report.amount, report.reference) == (Decimal("12.34"), REFERENCE)
    content["resource"]["id"] = "OTHER"
    with pytest.raises(GatewayUnreachable):
        gateway.read_webhook(pretend.signed(content))


def test_an_approved_order_is_not_captured_by_its_webhook(pretend: PretendPayPal, gateway: PayPal) -> None:
    event = {
        "event_type": "CHECKOUT.ORDER.APPROVED",
        "resource": {"id": "5O1", "purchase_units": [{"custom_id": REFERENCE}]},
    }
    report = gateway.read_webhook(pretend.signed(event))
    assert report == GatewayReport(state=ReportedState.PENDING, reference=REFERENCE, upstream_id="5O1")
    assert not any(request.path.endswith("/capture") for request in pretend.received)


@pytest.mark.parametrize("state", ["refunded", "charged_back", "disputed", "dispute_won"])
def test_events_after_the_payment(pretend: PretendPayPal, gateway: PayPal, state: str) -> None:
    report = gateway.read_webhook(pretend.webhook(details(), state=state, amount=Decimal(5), entry="7"))
    assert report is not None
    assert (report.state, report.reference, report.currency) == (ReportedState(state), REFERENCE, "USD")
    assert report.amount == (None if state == "dispute_won" else Decimal(5))
    assert report.entry_id == ("PP-D-7" if "dispute" in state else "1JU089027")


def test_a_lost_dispute_and_an_unfinished_refund_change_nothing(pretend: PretendPayPal, gateway: PayPal) -> None:
    content = json.loads(pretend.webhook(details(), state="dispute_won").body)
    content["resource"]["dispute_outcome"] = {"outcome_code": "RESOLVED_BUYER_FAVOUR"}
    assert gateway.read_webhook(pretend.signed(content)) is None
    webhook = pretend.webhook(details(), state="refunded")
    next(iter(pretend.refunds.values()))["status"] = "PENDING"
    assert gateway.read_webhook(webhook) is None


def test_proven_but_irrelevant(pretend: PretendPayPal, gateway: PayPal) -> None:
    webhook = pretend.webhook(details())
    for capture in pretend.captures.values():
        del capture["custom_id"]
    assert gateway.read_webhook(webhook) is None
    assert gateway.read_webhook(pretend.signed({"event_type": "BILLING.PLAN.CREATED", "resource": {}})) is None


def test_every_changed_byte_is_noticed(pretend: PretendPayPal, gateway: PayPal) -> None:
    webhook = pretend.webhook(details())
    for place in range(0, len(webhook.body), 5):
        changed = webhook.body[:place] + bytes([webhook.body[place] ^ 1]) + webhook.body[place + 1 :]
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(replace(webhook, body=changed))


def test_wrong_signatures_are_rejected(pretend: PretendPayPal, gateway: PayPal) -> None:
    webhook = pretend.webhook(details())
    for name in webhook.headers:
        for value in ("", "x", "é", "SHA256withRSA "):
            with pytest.raises(WebhookRejected):
                gateway.read_webhook(with_header(webhook, name, value))
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(pretend.webhook(details(), secret="other"))
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(pretend.signed(json.loads(webhook.body), webhook_id="another-webhook"))
    with pytest.raises(WebhookRejected):
        PayPal({**pretend.config, "webhook_id": ""}).read_webhook(
            pretend.signed(json.loads(webhook.body), webhook_id="")
        )


@pytest.mark.parametrize(
    "url",
    [
        CERT_URL.replace("https", "http"),
        CERT_URL.replace("api.paypal.com", "evil.example"),
        CERT_URL.replace("api.paypal.com", "api.paypal.com.evil.example"),
        CERT_URL.replace("api.paypal.com", "evil.example#api.paypal.com"),
        CERT_URL.replace("api.paypal.com", "api.paypal.com@evil.example"),
        CERT_URL.replace("api.paypal.com", "evil.example\\@api.paypal.com"),
        CERT_URL.replace("api.paypal.com", "api.paypal.com:8443"),
        CERT_URL.replace("api.paypal.com", "api.sandbox.paypal.com"),
        CERT_URL + "?x=1",
        CERT_URL + "#x",
        CERT_URL + "\n",
        "https://api.paypal.com/v1/notifications/certs/../../oauth2/token",
        "https://api.paypal.com/v1/notifications/certs/",
        "https://api.paypal.com/logo.pem",
        "https://[api.paypal.com/v1/notifications/certs/x",
        "",
    ],
)
def test_the_certificate_must_be_paypals(pretend: PretendPayPal, gateway: PayPal, url: str) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(with_header(pretend.webhook(details()), "PAYPAL-CERT-URL", url))
    assert not pretend.received


def test_an_expired_certificate_is_rejected(pretend: PretendPayPal, gateway: PayPal) -> None:
    pretend.is_cert_expired = True
    with pytest.raises(WebhookRejected, match="expired"):
        gateway.read_webhook(pretend.webhook(details()))


def test_the_certificate_is_asked_for_once(pretend: PretendPayPal, gateway: PayPal) -> None:
    for _time in range(3):
        gateway.read_webhook(pretend.webhook(details()))
    assert sum(request.path.startswith("/v1/notifications/certs/") for request in pretend.received) == 1


def test_without_a_certificate_the_webhook_comes_again(
    pretend: PretendPayPal, gateway: PayPal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for answer in ((500, {}), (200, "<html>"), (404, {})):
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        with pytest.raises(GatewayUnreachable):
            gateway.read_webhook(pretend.webhook(details()))


@pytest.mark.parametrize("state", ["paid", "refunded", "charged_back", "disputed", "dispute_won"])
def test_wrong_types_are_refused(pretend: PretendPayPal, gateway: PayPal, state: str) -> None:
    content = json.loads(pretend.webhook(details(), state=state).body)
    wrong_types.assert_handled(content, lambda changed: gateway.read_webhook(pretend.signed(changed)))


def test_a_revoked_token_is_replaced(pretend: PretendPayPal, gateway: PayPal) -> None:
    gateway.check()
    pretend.tokens = []
    assert gateway.check() == "The keys work."


def test_refund(pretend: PretendPayPal, gateway: PayPal) -> None:
    number = gateway.start(details(), customer=CUSTOMER, urls=URLS).upstream_id
    payment = details(upstream_id=number)
    with pytest.raises(GatewayRejected, match="not captured"):
        gateway.refund(payment, amount=Decimal(5), key="r1")
    pretend.approve(number)
    report = gateway.query(payment)
    assert report is not None
    result = gateway.refund(replace(payment, data=report.data), amount=Decimal(5), key="r1")
    assert (result.state, result.refund_id) == (RefundState.DONE, "9RF0")
    assert gateway.refund(payment, amount=Decimal(5), key="r1") == result  # the capture is asked for
    assert pretend.received[-1].json()["amount"] == {"currency_code": "USD", "value": "5.00"}
    assert len(pretend.refunds) == 1


@pytest.mark.parametrize(("status", "state"), [("PENDING", RefundState.PENDING), ("FAILED", None), ("CANCELLED", None)])
def test_states_of_refunds(pretend: PretendPayPal, gateway: PayPal, status: str, state: RefundState | None) -> None:
    pretend.refund_status = status
    report = gateway.read_webhook(pretend.webhook(details()))
    assert report is not None
    payment = details(data=report.data)
    if state:
        assert gateway.refund(payment, amount=Decimal(5), key="r1").state is state
    else:
        with pytest.raises(GatewayRejected, match=status.lower()):
            gateway.refund(payment, amount=Decimal(5), key="r1")


def test_check(pretend: PretendPayPal, gateway: PayPal) -> None:
    assert gateway.check() == "The keys work."
    with pytest.raises(GatewayRejected, match="webhook ID does not exist"):
        PayPal({**pretend.config, "webhook_id": "WRONG"}).check()
    with pytest.raises(GatewayRejected, match="Client Authentication failed"):
        PayPal({**pretend.config, "client_id": "wrong"}).check()


def test_answers_of_another_layout_prove_nothing(
    pretend: PretendPayPal, gateway: PayPal, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.check()
    payment = details(upstream_id="5O1", data={"capture_id": "3C1"})
    for answer in ((200, {}), (200, "<html>"), (500, {"message": CLIENT_SECRET}), (503, {})):
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        for call in (
            lambda: gateway.start(details(), customer=CUSTOMER, urls=URLS),
            lambda: gateway.query(payment),
            lambda: gateway.refund(payment, amount=Decimal(1), key="r"),
            gateway.check,
        ):
            with pytest.raises(GatewayUnreachable) as problem:
                call()
            assert CLIENT_SECRET not in str(problem.value)


def test_the_sandbox_has_its_own_addresses(pretend: PretendPayPal, settings: Any) -> None:
    sandbox = PayPal(pretend.config, is_test=True)
    with pytest.raises(WebhookRejected):
        sandbox.read_webhook(pretend.webhook(details()))
    url = CERT_URL.replace("api.paypal.com", "api.sandbox.paypal.com")
    assert sandbox.read_webhook(with_header(pretend.webhook(details()), "PAYPAL-CERT-URL", url)) is not None
    settings.PAYMENT_GATEWAY_URLS = {}
    assert sandbox.url("v2/checkout/orders") == "https://api-m.sandbox.paypal.com/v2/checkout/orders"
