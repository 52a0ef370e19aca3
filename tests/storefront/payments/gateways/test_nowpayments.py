"""NOWPayments: known signatures with their traps, invoices, notifications and questions."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
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
from storefront.payments.gateways.nowpayments import NowPayments
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_nowpayments import API_KEY, IPN_SECRET, PretendNowPayments

#: Bodies and their signatures, computed apart from our code and equal to what the vendor's node library computes.
PLAIN = (
    '{"payment_id":123456789,"parent_payment_id":null,"invoice_id":4522625843,"payment_status":"finished",'
    '"pay_address":"TAddr","payin_extra_id":null,"price_amount":10,"price_currency":"usd","pay_amount":10.2,'
    '"actually_paid":10.2,"actually_paid_at_fiat":0,"pay_currency":"usdttrc20","order_id":"ABCD-EFGH-2345",'
    '"order_description":null,"purchase_id":"5312822613","outcome_amount":10.149,"outcome_currency":"usdttrc20",'
    '"payment_extra_ids":null,"fee":{"withdrawalFee":0,"depositFee":0.051,"currency":"usdttrc20","serviceFee":0}}'
)
KNOWN = {
    "plain": (
        PLAIN,
        "9809443dcedae686a2dd8920866a961b0dff54a93bb8cd34f44b7574fddcf7b7"
        "16f3ada146a5add2cb2394507d0bc5e0da2e6a4b20292fade1cf038b44883389",
    ),
    "exponent, Cyrillic, slash": (
        '{"payment_id":1,"payment_status":"finished","order_description":"Пополнение / top-up",'
        '"outcome_amount":1e-7,"fee":{"serviceFee":0.09853637216235617,"currency":"btc"}}',
        "70be44f994be667860d0bfbd9b2a6a6f1d51ed168d59b7415bfed3498dda3ee2"
        "04c142deedcc61ca681f2aef737df5eac817f0ad91ab89affc2c7696b4be2d89",
    ),
    "small amount": (
        '{"payment_id":2,"payment_status":"finished","pay_amount":0.00009,"actually_paid":0.00009,'
        '"pay_currency":"btc","price_amount":5,"price_currency":"usd","outcome_amount":0.0000893,'
        '"outcome_currency":"btc"}',
        "2bfe2434dcab78dd354e3887a13a47ee04a43da338399c0e3f5a162b85cbd3a4"
        "fb986e772c5a4ea563eed0fe69d6336815c0a08f1d70d432b0d43b241b6d16c7",
    ),
    "Cyrillic": (
        '{"payment_id":3,"payment_status":"finished","order_description":"Пополнение","price_amount":5,'
        '"price_currency":"usd"}',
        "fa2933f9742855cba1b199b2c83f78ab3262df334b7f445042e56705cf4ac4a7"
        "a141950a94097af42e2653ac9742402a2ce2a65b06e2a5e1d5b577370bf30401",
    ),
}


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendNowPayments]:
    pretend = PretendNowPayments()
    settings.PAYMENT_GATEWAY_URLS = {"nowpayments": pretend.url}
    yield pretend
    pretend.stop()


@pytest.fixture
def gateway(pretend: PretendNowPayments) -> NowPayments:
    return NowPayments(pretend.config)


def raw(body: str | bytes, signature: str | None) -> Webhook:
    content = body.encode() if isinstance(body, str) else body
    headers = {} if signature is None else {"X-Nowpayments-Sig": signature}
    return Webhook(method="POST", body=content, headers=headers, query={}, form={})


def content_of(webhook: Webhook, **changes: Any) -> dict[str, Any]:
    return {**json.loads(webhook.body), **changes}


def test_the_known_notification_is_read(gateway: NowPayments) -> None:
    assert gateway.read_webhook(raw(*KNOWN["plain"])) == GatewayReport(
        state=ReportedState.PAID,
        reference="ABCD-EFGH-2345",
        upstream_id="4522625843",
        entry_id="123456789",
        amount=Decimal(10),
        currency="USD",
        fee=Decimal("0.051"),
        fee_currency="USDTTRC20",
        data={"payment_id": "123456789"},
        note="finished",
    )


@pytest.mark.parametrize("name", KNOWN)
def test_the_known_signatures_are_right(gateway: NowPayments, name: str) -> None:
    body, signature = KNOWN[name]
    gateway.read_webhook(raw(body, signature))  # not all of them name a payment
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(raw(body.replace("finished", "finisheD"), signature))


def test_every_changed_byte_is_noticed(gateway: NowPayments) -> None:
    body, signature = PLAIN.encode(), KNOWN["plain"][1]
    for place in range(len(body)):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(raw(changed, signature))


def test_a_repeated_key_cannot_hide_from_the_signature(gateway: NowPayments) -> None:
    forged = PLAIN[:-1] + ',"price_amount":999}'
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(raw(forged, KNOWN["plain"][1]))


@pytest.mark.parametrize("signature", [None, "", "0" * 128, KNOWN["plain"][1].upper(), KNOWN["Cyrillic"][1]])
def test_a_wrong_signature_is_rejected(gateway: NowPayments, signature: str | None) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(raw(PLAIN, signature))


def test_nothing_is_accepted_without_a_secret() -> None:
    text = json.dumps(json.loads(PLAIN), sort_keys=True, separators=(",", ":"))
    signature = hmac.new(b"", text.encode(), hashlib.sha512).hexdigest()
    with pytest.raises(WebhookRejected):
        NowPayments({"api_key": API_KEY}).read_webhook(raw(PLAIN, signature))


def test_start_opens_an_invoice(pretend: PretendNowPayments, gateway: NowPayments) -> None:
    following = gateway.start(details(), customer=CUSTOMER, urls=URLS)
    [opened] = pretend.opened.values()
    assert following.action == Redirect(url=pretend.page_url(opened))
    assert following.upstream_id == opened.id
    assert (opened.reference, opened.amount, opened.currency) == (REFERENCE, Decimal("12.34"), "USD")
    assert (opened.webhook_url, opened.done_url) == (URLS.webhook, URLS.done)
    assert b'"price_amount":12.34,' in pretend.received[0].body


def test_a_refused_start_says_why(pretend: PretendNowPayments, gateway: NowPayments) -> None:
    with pytest.raises(GatewayRejected, match="too small"):
        gateway.start(details(amount=Decimal("0.5")), customer=CUSTOMER, urls=URLS)


@pytest.mark.parametrize("state", ["pending", "paid", "declined", "refunded"])
def test_webhook_and_query_say_the_same(pretend: PretendNowPayments, gateway: NowPayments, state: str) -> None:
    payment = details()
    gateway.start(payment, customer=CUSTOMER, urls=URLS)
    assert gateway.query(payment) is None
    report = gateway.read_webhook(pretend.webhook(payment, state=state))
    assert report is not None
    assert (report.state, report.reference) == (ReportedState(state), REFERENCE)
    assert report.amount == (payment.amount if state == "paid" else None)
    assert gateway.query(replace(payment, data=report.data)) == report


@pytest.mark.parametrize(
    ("received", "reported", "status"),
    [("6.17", "6.17", "partially_paid"), ("24.68", "24.68", "finished"), ("4.11999", "4.11", "partially_paid")],
)
def test_another_amount_is_reported_in_the_currency_of_the_payment(
    pretend: PretendNowPayments, gateway: NowPayments, received: str, reported: str, status: str
) -> None:
    report = gateway.read_webhook(pretend.webhook(details(), amount=Decimal(received)))
    assert report is not None
    assert (report.amount, report.currency, report.note) == (Decimal(reported), "USD", status)


def test_a_finished_payment_counts_in_full_if_a_few_coins_are_missing(
    pretend: PretendNowPayments, gateway: NowPayments
) -> None:
    content = content_of(pretend.webhook(details()), actually_paid=24.6)
    report = gateway.read_webhook(pretend.signed(content))
    assert report is not None
    assert report.amount == Decimal("12.34")


def test_a_second_deposit_is_reported_as_what_it_brings(pretend: PretendNowPayments, gateway: NowPayments) -> None:
    """Its price is that of the first payment, so a small deposit would count as a full payment."""
    content = content_of(pretend.webhook(details()), parent_payment_id=1, pay_amount=1, actually_paid=1)
    report = gateway.read_webhook(pretend.signed(content | {"outcome_amount": 0.99}))
    assert report is not None
    assert (report.amount, report.currency) == (Decimal("0.99"), "USDTTRC20")


def test_several_payments_of_an_invoice_are_told_apart(pretend: PretendNowPayments, gateway: NowPayments) -> None:
    reports = [gateway.read_webhook(pretend.webhook(details(), entry=entry)) for entry in ("1", "2")]
    assert len({report.entry_id for report in reports if report}) == 2
    assert len({report.upstream_id for report in reports if report}) == 1


def test_a_part_without_the_expected_amount_is_not_understood(
    pretend: PretendNowPayments, gateway: NowPayments
) -> None:
    content = content_of(pretend.webhook(details(), amount=Decimal(1)), pay_amount=None)
    with pytest.raises(InvalidAmount):
        gateway.read_webhook(pretend.signed(content))


def test_proven_but_irrelevant(pretend: PretendNowPayments, gateway: NowPayments) -> None:
    content = content_of(pretend.webhook(details()))
    assert gateway.read_webhook(pretend.signed(content | {"order_id": None})) is None
    assert gateway.read_webhook(pretend.signed(content | {"payment_status": "new_status"})) is None


@pytest.mark.parametrize("amount", [None, Decimal(1)])
def test_wrong_types_are_refused(pretend: PretendNowPayments, gateway: NowPayments, amount: Decimal | None) -> None:
    content = content_of(pretend.webhook(details(), amount=amount))
    wrong_types.assert_handled(content, lambda changed: gateway.read_webhook(pretend.signed(changed)))
    wrong_types.assert_handled(
        content | {"parent_payment_id": 1}, lambda changed: gateway.read_webhook(pretend.signed(changed))
    )


def test_query_of_unknown_and_foreign_payments(pretend: PretendNowPayments, gateway: NowPayments) -> None:
    report = gateway.read_webhook(pretend.webhook(details()))
    assert report is not None
    assert gateway.query(details(data={"payment_id": "1"})) is None
    assert gateway.query(details(data={"payment_id": "../invoice"})) is None
    with pytest.raises(GatewayUnreachable):
        gateway.query(details(reference="ZZZZ-ZZZZ-ZZZZ", data=report.data))


def test_check(pretend: PretendNowPayments, gateway: NowPayments) -> None:
    assert gateway.check() == "The keys work."
    with pytest.raises(GatewayRejected, match="Invalid api key"):
        NowPayments({**pretend.config, "api_key": "wrong"}).check()


def test_answers_of_another_layout_prove_nothing(
    pretend: PretendNowPayments, gateway: NowPayments, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = details(data={"payment_id": "1"})
    for answer in ((200, {}), (200, "<html>"), (500, {"message": f"{API_KEY} {IPN_SECRET}"}), (429, {})):
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        for call in (
            lambda: gateway.start(details(), customer=CUSTOMER, urls=URLS),
            lambda: gateway.query(payment),
            gateway.check,
        ):
            with pytest.raises(GatewayUnreachable) as problem:
                call()
            assert API_KEY not in str(problem.value)


def test_the_sandbox_has_its_own_address() -> None:
    assert NowPayments({}).url("v1/invoice") == "https://api.nowpayments.io/v1/invoice"
    assert NowPayments({}, is_test=True).url("v1/invoice") == "https://api-sandbox.nowpayments.io/v1/invoice"
