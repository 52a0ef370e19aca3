"""CoinPayments: the known signature, invoices, webhooks and questions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from storefront.payments.gateway import (
    GatewayRejected,
    GatewayReport,
    GatewayUnreachable,
    Redirect,
    ReportedState,
    WebhookRejected,
)
from storefront.payments.gateways.coinpayments import CoinPayments
from storefront.payments.wire import memory
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_coinpayments import CLIENT_SECRET, PretendCoinPayments


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendCoinPayments]:
    memory.clear()
    pretend = PretendCoinPayments()
    settings.PAYMENT_GATEWAY_URLS = {"coinpayments": pretend.url}
    yield pretend
    pretend.stop()
    memory.clear()


@pytest.fixture
def gateway(pretend: PretendCoinPayments) -> CoinPayments:
    return CoinPayments(pretend.config)


def test_the_known_webhook_is_signed(gateway: CoinPayments) -> None:
    """Computed apart from our code, in the steps of the vendor's library and node sample."""
    body = (
        b'{"id":"8a49a588266246a2ab5f43217ca993bd","type":"InvoiceCompleted","invoice":{"invoiceId":"ABCD-EFGH-2345"}}'
    )
    signature = gateway._sign("POST", "https://shop.example/hooks/coinpayments/", "2026-11-28T09:26:40", body)
    assert signature == "Bxz7AEXIxtMLyZzyrxc+f9zktAv/CGjBWFdLTpzldPM="


def test_start_opens_an_invoice(pretend: PretendCoinPayments, gateway: CoinPayments) -> None:
    following = gateway.start(details(), customer=CUSTOMER, urls=URLS)
    [opened] = pretend.opened.values()
    assert following.action == Redirect(url=pretend.page_url(opened))
    assert following.upstream_id == opened.id
    assert (opened.reference, opened.amount, opened.currency) == (REFERENCE, Decimal("12.34"), "USD")
    assert (opened.webhook_url, opened.done_url) == (URLS.webhook, URLS.done)


def test_numbers_of_currencies_are_asked_for_once(pretend: PretendCoinPayments, gateway: CoinPayments) -> None:
    for _time in range(2):
        gateway.start(details(currency="EUR"), customer=CUSTOMER, urls=URLS)
    assert [one.currency for one in pretend.opened.values()] == ["EUR", "EUR"]
    assert sum(request.path == "/api/v1/currencies" for request in pretend.received) == 1
    with pytest.raises(GatewayRejected, match="XYZ"):
        gateway.start(details(currency="XYZ"), customer=CUSTOMER, urls=URLS)


def test_a_refused_start_says_why(pretend: PretendCoinPayments, gateway: CoinPayments) -> None:
    with pytest.raises(GatewayRejected, match="too small"):
        gateway.start(details(amount=Decimal("0.5")), customer=CUSTOMER, urls=URLS)


@pytest.mark.parametrize("state", ["pending", "paid", "declined"])
def test_webhook_and_query_say_the_same(pretend: PretendCoinPayments, gateway: CoinPayments, state: str) -> None:
    number = gateway.start(details(), customer=CUSTOMER, urls=URLS).upstream_id
    report = gateway.read_webhook(pretend.webhook(details(), state=state))
    assert report == GatewayReport(
        state=ReportedState(state),
        reference=REFERENCE,
        upstream_id=number,
        amount=Decimal("12.34") if state == "paid" else None,
        currency="USD",
        note={"paid": "completed", "declined": "timedOut"}.get(state, state),
    )
    assert gateway.query(details(upstream_id=number)) == report


def test_an_invoice_that_is_paid_but_not_completed_waits(pretend: PretendCoinPayments, gateway: CoinPayments) -> None:
    webhook = pretend.webhook(details())
    next(iter(pretend.opened.values())).state = "paid"
    report = gateway.read_webhook(webhook)
    assert report is not None
    assert (report.state, report.amount) == (ReportedState.PENDING, None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"valueAsDecimal": None}, Decimal("12.34")),
        ({"valueAsDecimal": None, "value": "12.34"}, None),
        ({"valueAsDecimal": None, "value": None}, None),
        ({"valueAsDecimal": "x"}, None),
    ],
)
def test_the_unit_of_the_amount_must_be_certain(
    pretend: PretendCoinPayments,
    gateway: CoinPayments,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    expected: Decimal | None,
) -> None:
    pretend.webhook(details())
    [(number, opened)] = pretend.opened.items()
    invoice = pretend._invoice(opened)
    monkeypatch.setattr(pretend, "_invoice", lambda opened: invoice | {"amount": invoice["amount"] | changes})
    if expected is None:
        with pytest.raises(GatewayUnreachable):
            gateway.query(details(upstream_id=number))
    else:
        report = gateway.query(details(upstream_id=number))
        assert report is not None
        assert report.amount == expected


def test_what_the_webhook_claims_is_asked_for(pretend: PretendCoinPayments, gateway: CoinPayments) -> None:
    content = json.loads(pretend.webhook(details(), amount=Decimal(5)).body)
    content["invoice"] |= {"invoiceId": "ZZZZ-ZZZZ-ZZZZ", "amount": {"total": "999999"}}
    report = gateway.read_webhook(pretend.signed(content))
    assert report is not None
    assert (report.reference, report.amount) == (REFERENCE, Decimal(5))
    content["invoice"]["id"] = "0-0"
    with pytest.raises(GatewayUnreachable):
        gateway.read_webhook(pretend.signed(content))


def test_every_changed_byte_is_noticed(pretend: PretendCoinPayments, gateway: CoinPayments) -> None:
    webhook = pretend.webhook(details())
    for place in range(len(webhook.body)):
        changed = webhook.body[:place] + bytes([webhook.body[place] ^ 1]) + webhook.body[place + 1 :]
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(replace(webhook, body=changed))


def test_wrong_signatures_are_rejected(pretend: PretendCoinPayments, gateway: CoinPayments) -> None:
    webhook = pretend.webhook(details())
    for name in ("X-CoinPayments-Client", "X-CoinPayments-Timestamp", "X-CoinPayments-Signature"):
        for value in ("", "x", "é", webhook.header(name) + "0"):
            with pytest.raises(WebhookRejected):
                gateway.read_webhook(replace(webhook, headers={**webhook.headers, name: value}))
    for other in (
        replace(webhook, url="https://shop.example/other/"),
        replace(webhook, url=""),
        replace(webhook, method="GET"),
        pretend.webhook(details(), secret="other"),
        pretend.signed(json.loads(webhook.body), client="another-client"),
        pretend.webhook(details(), receiver="another-client"),
    ):
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(other)
    with pytest.raises(WebhookRejected):
        CoinPayments({"client_id": pretend.config["client_id"]}).read_webhook(pretend.webhook(details(), secret=""))


def test_proven_but_irrelevant(pretend: PretendCoinPayments, gateway: CoinPayments) -> None:
    content = json.loads(pretend.webhook(details()).body)
    for kind in ("InvoiceCreated", "PaymentCreated", "", 5):
        assert gateway.read_webhook(pretend.signed(content | {"type": kind})) is None
    next(iter(pretend.opened.values())).reference = ""
    assert gateway.read_webhook(pretend.signed(content)) is None


def test_wrong_types_are_refused(
    pretend: PretendCoinPayments, gateway: CoinPayments, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = pretend.webhook(details())
    content = json.loads(webhook.body)
    wrong_types.assert_handled(content, lambda changed: gateway.read_webhook(pretend.signed(changed)))
    [opened] = pretend.opened.values()
    invoice = pretend._invoice(opened)

    def ask(changed: Any) -> GatewayReport | None:
        monkeypatch.setattr(pretend, "_invoice", lambda opened: changed)
        return gateway.read_webhook(webhook)

    wrong_types.assert_handled(invoice, ask)


def test_query_of_unknown_and_foreign_invoices(pretend: PretendCoinPayments, gateway: CoinPayments) -> None:
    number = gateway.start(details(), customer=CUSTOMER, urls=URLS).upstream_id
    assert gateway.query(details()) is None
    assert gateway.query(details(upstream_id="0-0")) is None
    for wrong in ({"reference": "ZZZZ-ZZZZ-ZZZZ", "upstream_id": number}, {"upstream_id": "../wallets"}):
        with pytest.raises(GatewayUnreachable):
            gateway.query(details(**wrong))


def test_check(pretend: PretendCoinPayments, gateway: CoinPayments) -> None:
    assert gateway.check() == "The keys work."
    with pytest.raises(GatewayRejected, match="Unauthorized"):
        CoinPayments({**pretend.config, "client_secret": "wrong"}).check()
    with pytest.raises(GatewayRejected, match="not set"):
        CoinPayments({}).check()


def test_answers_of_another_layout_prove_nothing(
    pretend: PretendCoinPayments, gateway: CoinPayments, monkeypatch: pytest.MonkeyPatch
) -> None:
    for answer in ((200, {}), (200, "<html>"), (500, {"detail": CLIENT_SECRET}), (200, {"invoices": "x"})):
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        for call in (
            lambda: gateway.start(details(), customer=CUSTOMER, urls=URLS),
            lambda: gateway.start(details(currency="EUR"), customer=CUSTOMER, urls=URLS),
            lambda: gateway.query(details(upstream_id="1-1")),
        ):
            with pytest.raises(GatewayUnreachable) as problem:
                call()
            assert CLIENT_SECRET not in str(problem.value)


def test_the_address_is_that_of_the_instance() -> None:
    assert CoinPayments({})._url("api/v1/x") == "https://a-api.coinpayments.net/api/v1/x"
    assert CoinPayments({"instance": "c"})._url("api/v1/x") == "https://c-api.coinpayments.net/api/v1/x"
