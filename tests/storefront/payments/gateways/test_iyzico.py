"""iyzico: the known signatures, forms, retrieved results and webhooks."""

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
from storefront.payments.gateways.iyzico import Iyzico, authorization
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_iyzico import API_KEY, SECRET, PretendIyzico, sign

#: Signatures computed apart from our code and equal to the vendor's library.
KNOWN_HEADER = (
    "IYZWSv2 YXBpS2V5OnNhbmRib3gtYXBpLTEmcmFuZG9tS2V5OkExYjJDM2Q0JnNpZ25hdHVyZTpjM2ZiZGNlNTdkNzQ3NGM3YmVhNWFkYmQ1NGFh"
    "MDNlNmMwYmVkZDNhMmUzNmRhZmFlNDVjNzdjZDUwMzM4YTgz"
)
KNOWN_FORM = "e39a3933cd7c5bb94a7b5dac2ac712b008b051996e1ecdffd1992ba3beaba105"
KNOWN_RESULT = "587580337894c6b93f78aad12c16d9f4a0408f23f672edf3ac3912a0620a6aca"
KNOWN_WEBHOOK = "331eb4b6278add4e116b6b34be75c93803a24a6e1bc6cb6ba5e16657ea985063"
LIRA = details(amount=Decimal("34.50"), currency="TRY")


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendIyzico]:
    pretend = PretendIyzico()
    settings.PAYMENT_GATEWAY_URLS = {"iyzico": pretend.url}
    yield pretend
    pretend.stop()


@pytest.fixture
def gateway(pretend: PretendIyzico) -> Iyzico:
    return Iyzico(pretend.config)


def test_requests_are_signed_as_known() -> None:
    body = b'{"locale": "tr", "conversationId": "ABCD-EFGH-2345", "price": "34.56"}'
    path = "/payment/iyzipos/checkoutform/initialize/ecom"
    assert authorization(API_KEY, SECRET, "A1b2C3d4", path, body) == KNOWN_HEADER


def test_the_pretend_gateway_signs_as_known() -> None:
    assert sign("ABCD-EFGH-2345:token-1") == KNOWN_FORM
    result = "SUCCESS:24157611:TRY:ABCD-EFGH-2345:ABCD-EFGH-2345:34.56:34.56:token-1"
    assert sign(result) == KNOWN_RESULT
    assert sign(f"{SECRET}CHECKOUT_FORM_AUTH24157611token-1ABCD-EFGH-2345SUCCESS") == KNOWN_WEBHOOK


def test_start_opens_a_form(pretend: PretendIyzico, gateway: Iyzico) -> None:
    following = gateway.start(LIRA, customer=CUSTOMER, urls=URLS)
    [opened] = pretend.opened.values()
    assert (following.action, following.upstream_id) == (Redirect(url=pretend.page_url(opened)), opened.id)
    buyer = pretend.received[0].json()["buyer"]
    assert (buyer["name"], buyer["surname"], buyer["ip"]) == ("Nadia", "Karim", "203.0.113.7")
    gateway.start(LIRA, customer=replace(CUSTOMER, name="Nadia"), urls=URLS)
    with pytest.raises(GatewayRejected, match="incomplete"):
        gateway.start(LIRA, customer=replace(CUSTOMER, tax_id=""), urls=URLS)


@pytest.mark.parametrize(("state", "amount"), [("paid", "34.50"), ("paid", "34"), ("paid", "100"), ("declined", "1")])
def test_webhook_query_and_return_say_the_same(
    pretend: PretendIyzico, gateway: Iyzico, state: str, amount: str
) -> None:
    token = gateway.start(LIRA, customer=CUSTOMER, urls=URLS).upstream_id
    report = gateway.read_webhook(pretend.webhook(LIRA, state=state, amount=Decimal(amount)))
    assert report is not None
    assert (report.state, report.reference, report.upstream_id) == (ReportedState(state), REFERENCE, token)
    assert report.amount == (Decimal(amount) if state == "paid" else None)
    payment = replace(LIRA, upstream_id=token)
    assert gateway.query(payment) == report == gateway.read_return(payment, {"token": "forged"})


def test_nobody_paid_yet(pretend: PretendIyzico, gateway: Iyzico) -> None:
    token = gateway.start(LIRA, customer=CUSTOMER, urls=URLS).upstream_id
    assert gateway.query(replace(LIRA, upstream_id=token)) is None
    assert gateway.query(LIRA) is None
    assert gateway.query(replace(LIRA, upstream_id="unknown")) is None


@pytest.mark.parametrize(("fraud", "state"), [(1, "paid"), (0, "pending"), (-1, "declined")])
def test_a_payment_under_review_waits(pretend: PretendIyzico, gateway: Iyzico, fraud: int, state: str) -> None:
    gateway.start(LIRA, customer=CUSTOMER, urls=URLS)
    webhook = pretend.webhook(LIRA)
    next(iter(pretend.opened.values())).facts["fraud"] = fraud
    report = gateway.read_webhook(webhook)
    assert report is not None
    assert report.state is ReportedState(state)


def test_what_the_webhook_claims_is_not_believed(pretend: PretendIyzico, gateway: Iyzico) -> None:
    token = gateway.start(LIRA, customer=CUSTOMER, urls=URLS).upstream_id
    claimed = {"token": token, "paymentConversationId": REFERENCE, "status": "SUCCESS"}
    webhook = Webhook(method="POST", body=json.dumps(claimed).encode(), headers={}, query={}, form={})
    assert gateway.read_webhook(webhook) is None


@pytest.mark.parametrize("secret", ["guessed", ""])
def test_a_wrong_signature_is_rejected(pretend: PretendIyzico, gateway: Iyzico, secret: str) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(pretend.webhook(LIRA, secret=secret))


def test_an_answer_that_is_not_signed_proves_nothing(
    pretend: PretendIyzico, gateway: Iyzico, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = gateway.start(LIRA, customer=CUSTOMER, urls=URLS).upstream_id
    pretend.webhook(LIRA)
    result = pretend._result(pretend.opened[token])
    for changes in (
        {"paidPrice": 3450},
        {"currency": "USD"},
        {"basketId": "ZZZZ-ZZZZ-ZZZZ"},
        {"signature": ""},
        {"paymentStatus": "FAILURE"},
    ):
        monkeypatch.setattr(pretend, "answer", lambda request, given=changes: (200, result | given))
        with pytest.raises(GatewayUnreachable):
            gateway.query(replace(LIRA, upstream_id=token))


def test_check_and_answers_of_another_layout(
    pretend: PretendIyzico, gateway: Iyzico, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "service answers" in gateway.check()
    with pytest.raises(GatewayRejected, match="credentials"):
        Iyzico({**pretend.config, "secret_key": "wrong"}).check()
    for answer in ((200, {}), (200, "<html>"), (500, {"errorMessage": SECRET})):
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        for call in (
            lambda: gateway.start(LIRA, customer=CUSTOMER, urls=URLS),
            lambda: gateway.query(replace(LIRA, upstream_id="1")),
            gateway.check,
        ):
            with pytest.raises(GatewayUnreachable) as problem:
                call()
            assert SECRET not in str(problem.value)


def test_wrong_types_are_refused(pretend: PretendIyzico, gateway: Iyzico, monkeypatch: pytest.MonkeyPatch) -> None:
    webhook = pretend.webhook(LIRA)
    content, result = json.loads(webhook.body), pretend._result(next(iter(pretend.opened.values())))
    wrong_types.assert_handled(content, lambda changed: gateway.read_webhook(pretend.signed(changed)))

    def ask(changed: Any) -> Any:
        monkeypatch.setattr(pretend, "answer", lambda request: (200, changed))
        return gateway.read_webhook(webhook)

    wrong_types.assert_handled(result, ask)
