"""CryptoBot: the known signature, invoices, updates and questions."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
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
from storefront.payments.gateways.cryptobot import CryptoBot
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_cryptobot import TOKEN, PretendCryptoBot

#: An update and its signature, computed apart from our code and equal to what aiocryptopay 0.4.8 computes.
BODY = (
    b'{"update_id":1,"update_type":"invoice_paid","request_date":"2026-11-28T09:26:40.000Z","payload":'
    b'{"invoice_id":528890,"status":"paid","currency_type":"fiat","fiat":"USD","amount":"10","paid_asset":"USDT",'
    b'"paid_amount":"10.0","payload":"ABCD-EFGH-2345"}}'
)
SIGNATURE = "62e5ca22109c1e2376d12d3a85e7ff8bde631df53e06e39382cf1ee937aa2b19"


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendCryptoBot]:
    pretend = PretendCryptoBot()
    settings.PAYMENT_GATEWAY_URLS = {"cryptobot": pretend.url}
    yield pretend
    pretend.stop()


@pytest.fixture
def gateway(pretend: PretendCryptoBot) -> CryptoBot:
    return CryptoBot(pretend.config)


def raw(signature: str | None, body: bytes = BODY) -> Webhook:
    headers = {} if signature is None else {"Crypto-Pay-Api-Signature": signature}
    return Webhook(method="POST", body=body, headers=headers, query={}, form={})


def test_the_known_update_is_read(gateway: CryptoBot) -> None:
    assert gateway.read_webhook(raw(SIGNATURE)) == GatewayReport(
        state=ReportedState.PAID,
        reference="ABCD-EFGH-2345",
        upstream_id="528890",
        amount=Decimal(10),
        currency="USD",
        note="10.0 USDT",
    )


def test_every_changed_byte_is_noticed(gateway: CryptoBot) -> None:
    for place in range(len(BODY)):
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(raw(SIGNATURE, BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]))


@pytest.mark.parametrize("signature", [None, "", "0" * 64, SIGNATURE.upper(), "é"])
def test_a_wrong_signature_is_rejected(gateway: CryptoBot, signature: str | None) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(raw(signature))


def test_the_token_itself_is_not_the_key(gateway: CryptoBot) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(raw(hmac.new(TOKEN.encode(), BODY, hashlib.sha256).hexdigest()))


def test_nothing_is_accepted_without_a_token(pretend: PretendCryptoBot) -> None:
    with pytest.raises(WebhookRejected):
        CryptoBot({}).read_webhook(pretend.webhook(details(), secret=""))


def test_start_opens_an_invoice(pretend: PretendCryptoBot, gateway: CryptoBot) -> None:
    following = gateway.start(details(), customer=CUSTOMER, urls=URLS)
    [opened] = pretend.opened.values()
    assert following.action == Redirect(url=pretend.page_url(opened))
    assert following.upstream_id == opened.id
    assert following.expires_at == datetime(2026, 11, 29, 9, 26, 40, tzinfo=UTC)
    assert (opened.reference, opened.amount, opened.currency) == (REFERENCE, Decimal("12.34"), "USD")
    assert opened.done_url == URLS.done


def test_an_invoice_in_a_coin_is_read_as_one(pretend: PretendCryptoBot, gateway: CryptoBot) -> None:
    """No invoice of ours is in a coin, so its currency is not that of the payment and staff look at it."""
    content = json.loads(pretend.webhook(details()).body)
    content["payload"] |= {"currency_type": "crypto", "asset": "TON"}
    report = gateway.read_webhook(pretend.signed(content))
    assert report is not None
    assert (report.amount, report.currency) == (Decimal("12.34"), "TON")


def test_a_refused_start_says_why(gateway: CryptoBot) -> None:
    with pytest.raises(GatewayRejected, match="AMOUNT_TOO_SMALL"):
        gateway.start(details(amount=Decimal("0.5")), customer=CUSTOMER, urls=URLS)


@pytest.mark.parametrize("state", ["pending", "paid", "declined"])
def test_webhook_and_query_say_the_same(pretend: PretendCryptoBot, gateway: CryptoBot, state: str) -> None:
    number = gateway.start(details(), customer=CUSTOMER, urls=URLS).upstream_id
    report = gateway.read_webhook(pretend.webhook(details(), state=state))
    assert report is not None
    assert (report.state, report.reference, report.upstream_id) == (ReportedState(state), REFERENCE, number)
    assert report.amount == (Decimal("12.34") if state == "paid" else None)
    assert (report.fee, report.fee_currency) == ((Decimal("0.075"), "TON") if state == "paid" else (None, ""))
    assert gateway.query(details(upstream_id=number)) == report


def test_a_second_invoice_is_told_apart(pretend: PretendCryptoBot, gateway: CryptoBot) -> None:
    reports = [gateway.read_webhook(pretend.webhook(details(), entry=entry)) for entry in ("1", "2")]
    assert len({report.upstream_id for report in reports if report}) == 2


def test_query_of_unknown_and_foreign_invoices(pretend: PretendCryptoBot, gateway: CryptoBot) -> None:
    number = gateway.start(details(), customer=CUSTOMER, urls=URLS).upstream_id
    assert gateway.query(details()) is None
    assert gateway.query(details(upstream_id="1")) is None
    with pytest.raises(GatewayUnreachable):
        gateway.query(details(upstream_id=number, reference="ZZZZ-ZZZZ-ZZZZ"))


def test_proven_but_irrelevant(pretend: PretendCryptoBot, gateway: CryptoBot) -> None:
    content = json.loads(pretend.webhook(details()).body)
    assert gateway.read_webhook(pretend.signed(content | {"update_type": "check_activated"})) is None
    assert gateway.read_webhook(pretend.signed(content | {"payload": content["payload"] | {"payload": ""}})) is None


def test_wrong_types_are_refused(pretend: PretendCryptoBot, gateway: CryptoBot) -> None:
    content = json.loads(pretend.webhook(details()).body)
    wrong_types.assert_handled(content, lambda changed: gateway.read_webhook(pretend.signed(changed)))


def test_check(pretend: PretendCryptoBot, gateway: CryptoBot) -> None:
    assert gateway.check() == "The keys work."
    with pytest.raises(GatewayRejected, match="UNAUTHORIZED"):
        CryptoBot({"api_token": "wrong"}).check()


def test_answers_of_another_layout_prove_nothing(
    pretend: PretendCryptoBot, gateway: CryptoBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    for answer in ((200, {}), (200, "<html>"), (500, {"error": {"name": TOKEN}}), (200, {"result": [1]})):
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        for call in (
            lambda: gateway.start(details(), customer=CUSTOMER, urls=URLS),
            lambda: gateway.query(details(upstream_id="1")),
            gateway.check,
        ):
            with pytest.raises(GatewayUnreachable) as problem:
                call()
            assert TOKEN not in str(problem.value)


def test_the_test_network_has_its_own_address() -> None:
    assert CryptoBot({}).url("getMe") == "https://pay.crypt.bot/api/getMe"
    assert CryptoBot({}, is_test=True).url("getMe") == "https://testnet-pay.crypt.bot/api/getMe"
