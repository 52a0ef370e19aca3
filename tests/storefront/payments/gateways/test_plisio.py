"""Plisio: known signatures, invoices, webhooks and questions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from storefront.payments.gateway import (
    GatewayRejected,
    GatewayReport,
    GatewayUnreachable,
    Redirect,
    ReportedState,
    Webhook,
    WebhookRejected,
)
from storefront.payments.gateways.plisio import Plisio
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_plisio import KEY, PretendPlisio

KNOWN_KEY = "plisio-key-1"
#: A webhook and its signature, computed apart from our code by openssl and by node.
FIELDS = {
    "txn_id": "5f8c1d2e",
    "ipn_type": "invoice",
    "merchant": "Shop – Ünïcode",
    "amount": "12.50000000",
    "currency": "USDT",
    "order_number": "ABCD-EFGH-2345",
    "order_name": "a/b",
    "status": "completed",
    "source_currency": "USD",
    "source_amount": "12.34",
    "confirmations": "7",
    "comment": "",
}
SIGNATURE = "0f5c149051f0c3e0e6fb602646fe2fe1c428159e"
#: The same with values that are not texts, computed by node in the steps of the vendor's library.
MIXED = {
    "txn_id": "5f8c1d2e",
    "order_number": "ABCD-EFGH-2345",
    "status": "completed",
    "source_currency": "USD",
    "source_amount": "12.34",
    "expire_utc": 1764322000,
    "tx_urls": ["https://x.example/1", "https://x.example/2"],
    "switch": None,
    "flag": True,
}
MIXED_SIGNATURE = "dba61b5f215727377fde95251c4e36d75bc8e230"


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendPlisio]:
    pretend = PretendPlisio()
    settings.PAYMENT_GATEWAY_URLS = {"plisio": pretend.url}
    yield pretend
    pretend.stop()


@pytest.fixture
def gateway(pretend: PretendPlisio) -> Plisio:
    return Plisio(pretend.config)


def raw(body: Any) -> Webhook:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Webhook(method="POST", body=content, headers={}, query={}, form={})


@pytest.mark.parametrize(("fields", "signature"), [(FIELDS, SIGNATURE), (MIXED, MIXED_SIGNATURE)])
def test_the_known_webhooks_are_read(fields: dict[str, Any], signature: str) -> None:
    gateway = Plisio({"secret_key": KNOWN_KEY})
    report = gateway.read_webhook(raw(fields | {"verify_hash": signature}))
    assert report == GatewayReport(
        state=ReportedState.PAID,
        reference="ABCD-EFGH-2345",
        upstream_id="5f8c1d2e",
        amount=Decimal("12.34"),
        currency="USD",
        fee_currency="USDT" if fields is FIELDS else "",
        data={"txn_id": "5f8c1d2e"},
        note="completed",
    )
    for changed in (
        fields | {"source_amount": "99.00"},
        fields | {"order_number": "ZZZZ"},
        fields | {"more": "x"},
        {key: value for key, value in fields.items() if key != "source_currency"},
    ):
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(raw(changed | {"verify_hash": signature}))


def test_every_changed_byte_is_noticed(pretend: PretendPlisio, gateway: Plisio) -> None:
    webhook = pretend.webhook(details())
    signed = json.loads(webhook.body)
    for place in range(len(webhook.body)):
        changed = webhook.body[:place] + bytes([webhook.body[place] ^ 1]) + webhook.body[place + 1 :]
        try:
            same = json.loads(changed) == signed
        except ValueError:
            same = False
        if not same:  # the digits of an escaped letter may be capital ones
            with pytest.raises(WebhookRejected):
                gateway.read_webhook(raw(changed))


@pytest.mark.parametrize("signature", [None, "", 0, ["x"], "0" * 40, SIGNATURE.upper()])
def test_a_wrong_signature_is_rejected(signature: Any) -> None:
    with pytest.raises(WebhookRejected):
        Plisio({"secret_key": KNOWN_KEY}).read_webhook(raw(FIELDS | {"verify_hash": signature}))


def test_a_missing_signature_and_a_form_are_rejected(gateway: Plisio) -> None:
    for body in (FIELDS, b"status=completed&verify_hash=x", b"", b"[]"):
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(raw(body))


def test_nothing_is_accepted_without_a_key(pretend: PretendPlisio) -> None:
    with pytest.raises(WebhookRejected):
        Plisio({}).read_webhook(pretend.webhook(details(), secret=""))


def test_another_key_is_rejected(pretend: PretendPlisio, gateway: Plisio) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(pretend.webhook(details(), secret="other"))


def test_start_opens_one_invoice(pretend: PretendPlisio, gateway: Plisio) -> None:
    first = gateway.start(details(), customer=CUSTOMER, urls=URLS)
    second = gateway.start(details(), customer=CUSTOMER, urls=URLS)
    [opened] = pretend.opened.values()
    assert first == second
    assert first.action == Redirect(url=pretend.page_url(opened))
    assert first.upstream_id == opened.id
    assert (opened.reference, opened.amount, opened.currency) == (REFERENCE, Decimal("12.34"), "USD")
    assert (opened.webhook_url, opened.done_url) == (f"{URLS.webhook}?json=true", URLS.done)


def test_a_refused_start_says_why_without_the_key(gateway: Plisio) -> None:
    with pytest.raises(GatewayRejected, match="too small"):
        gateway.start(details(amount=Decimal("0.5")), customer=CUSTOMER, urls=URLS)


@pytest.mark.parametrize("state", ["pending", "paid", "declined"])
def test_webhook_and_query_say_the_same(pretend: PretendPlisio, gateway: Plisio, state: str) -> None:
    number = gateway.start(details(), customer=CUSTOMER, urls=URLS).upstream_id
    report = gateway.read_webhook(pretend.webhook(details(), state=state))
    assert report is not None
    assert (report.state, report.reference, report.upstream_id) == (ReportedState(state), REFERENCE, number)
    assert report.amount == (Decimal("12.34") if state == "paid" else None)
    assert (report.fee, report.fee_currency) == (Decimal("0.1234") if state == "paid" else None, "TRX")
    assert gateway.query(details(upstream_id=number)) == report


@pytest.mark.parametrize(
    ("received", "reported", "status"),
    [("6.17", "6.17", "expired"), ("24.68", "24.68", "mismatch"), ("4.11999", "4.11", "expired")],
)
def test_another_amount_is_reported_in_the_currency_of_the_payment(
    pretend: PretendPlisio, gateway: Plisio, received: str, reported: str, status: str
) -> None:
    report = gateway.read_webhook(pretend.webhook(details(), amount=Decimal(received)))
    assert report is not None
    assert (report.state, report.amount) == (ReportedState.PAID, Decimal(reported))
    assert (report.currency, report.note) == ("USD", status)


@pytest.mark.parametrize("pending", [None, "0", "24.68", "99", "x"])
def test_an_expired_invoice_counts_only_if_a_part_is_missing(
    pretend: PretendPlisio, gateway: Plisio, pending: str | None
) -> None:
    content = json.loads(pretend.webhook(details(), state="declined").body) | {"amount": "24.68"}
    del content["verify_hash"]
    report = gateway.read_webhook(pretend.signed(content | {"pending_amount": pending}))
    assert report is not None
    assert (report.state, report.amount) == (ReportedState.DECLINED, None)


def test_too_much_counts_in_full_at_least(pretend: PretendPlisio, gateway: Plisio) -> None:
    content = json.loads(pretend.webhook(details(), amount=Decimal(20)).body)
    del content["verify_hash"]
    for amount in ("1", None, "x"):
        report = gateway.read_webhook(pretend.signed(content | {"amount": amount}))
        assert report is not None
        assert report.amount == Decimal("12.34")


def test_a_replaced_invoice_changes_nothing(pretend: PretendPlisio, gateway: Plisio) -> None:
    content = json.loads(pretend.webhook(details()).body)
    del content["verify_hash"]
    assert gateway.read_webhook(pretend.signed(content | {"status": "cancelled duplicate"})) is None
    assert gateway.read_webhook(pretend.signed(content | {"order_number": None})) is None


def test_the_invoice_that_replaces_another_is_asked_for(pretend: PretendPlisio, gateway: Plisio) -> None:
    number = gateway.start(details(), customer=CUSTOMER, urls=URLS).upstream_id
    report = gateway.read_webhook(pretend.webhook(details(), entry="2"))
    assert report is not None
    assert report.upstream_id != number
    assert gateway.query(details(upstream_id=number, data=report.data)) == report


@pytest.mark.parametrize("amount", [None, Decimal(20), Decimal(5)])
def test_wrong_types_are_refused(pretend: PretendPlisio, gateway: Plisio, amount: Decimal | None) -> None:
    content = json.loads(pretend.webhook(details(), amount=amount).body)
    del content["verify_hash"]
    wrong_types.assert_handled(content, lambda changed: gateway.read_webhook(pretend.signed(changed)))


def test_query_of_unknown_and_foreign_invoices(pretend: PretendPlisio, gateway: Plisio) -> None:
    number = gateway.start(details(), customer=CUSTOMER, urls=URLS).upstream_id
    assert gateway.query(details()) is None
    assert gateway.query(details(upstream_id="1")) is None
    assert gateway.query(details(upstream_id="../balances")) is None
    with pytest.raises(GatewayUnreachable):
        gateway.query(details(upstream_id=number, reference="ZZZZ-ZZZZ-ZZZZ"))


def test_check(gateway: Plisio) -> None:
    assert gateway.check() == "The keys work."
    with pytest.raises(GatewayRejected, match="Invalid API key"):
        Plisio({"secret_key": "wrong"}).check()


def test_answers_of_another_layout_prove_nothing(
    pretend: PretendPlisio, gateway: Plisio, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = {"status": "error", "data": {"message": f"key {KEY} failed"}}
    for answer in ((200, {}), (200, "<html>"), (500, failure), (302, {})):
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        for call in (
            lambda: gateway.start(details(), customer=CUSTOMER, urls=URLS),
            lambda: gateway.query(details(upstream_id="1")),
            gateway.check,
        ):
            with pytest.raises(GatewayUnreachable) as problem:
                call()
            assert KEY not in str(problem.value)
    monkeypatch.setattr(pretend, "answer", lambda request: (200, {"status": "success", "data": [1]}))
    with pytest.raises(GatewayUnreachable):
        gateway.start(details(), customer=CUSTOMER, urls=URLS)
    assert gateway.query(details(upstream_id="1")) is None  # an operation without a state


def test_the_key_in_the_address_is_not_in_error_texts(gateway: Plisio, settings: Any) -> None:
    settings.PAYMENT_GATEWAY_URLS = {"plisio": "http://127.0.0.1:9"}
    with pytest.raises(GatewayUnreachable) as problem:
        gateway.check()
    assert KEY not in str(problem.value)
