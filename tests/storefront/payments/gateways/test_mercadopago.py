"""Mercado Pago: the known signature, preferences, Pix codes, webhooks that are asked about, and refunds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from storefront.payments.gateway import (
    Details,
    Gateway,
    GatewayRejected,
    GatewayUnreachable,
    Redirect,
    RefundState,
    ReportedState,
    Webhook,
    WebhookRejected,
)
from storefront.payments.gateways.mercadopago import MercadoPago, MercadoPagoPix
from storefront.payments.wire import memory
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_mercadopago import (
    REQUEST_ID,
    TOKEN,
    PretendMercadoPago,
    PretendMercadoPagoPix,
)

REAIS = details(amount=Decimal("100.50"), currency="BRL")
#: A signature computed apart from our code, equal to what the vendor's library computes.
SIGNATURE = "ts=1764322000,v1=da4e6a4df07b496cfe64e8df01ec4a0b5030ac29f4af1b36478e40fe4bb9e0df"


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendMercadoPago]:
    memory.clear()
    pretend = PretendMercadoPago()
    settings.PAYMENT_GATEWAY_URLS = {"mercadopago": pretend.url, "mercadopago_pix": pretend.url}
    yield pretend
    pretend.stop()
    memory.clear()


@pytest.fixture
def gateway(pretend: PretendMercadoPago) -> MercadoPago:
    return MercadoPago(pretend.config)


@pytest.fixture
def pix(pretend: PretendMercadoPago) -> MercadoPagoPix:
    return MercadoPagoPix(PretendMercadoPagoPix.config)


def known(number: str = "123456", signature: str = SIGNATURE, request_id: str = REQUEST_ID) -> Webhook:
    return Webhook(
        method="POST",
        body=b'{"type":"payment","data":{"id":"123456"}}',
        headers={"X-Signature": signature, "X-Request-Id": request_id},
        query={"data.id": number, "type": "payment"},
        form={},
    )


def test_the_known_signature_is_right(gateway: MercadoPago) -> None:
    assert gateway.read_webhook(known()) is None  # the pretend gateway has no such payment


@pytest.mark.parametrize(
    "changed",
    [
        known(number="123457"),
        known(request_id="another"),
        known(request_id=""),
        known(signature=SIGNATURE.replace("ts=1", "ts=2")),
        known(signature=SIGNATURE[:-1] + "e"),
        known(signature=""),
        known(signature="v1"),
    ],
)
def test_a_wrong_signature_is_rejected_before_anything_is_asked(
    pretend: PretendMercadoPago, gateway: MercadoPago, changed: Webhook
) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(changed)
    assert pretend.received == []


def test_nothing_is_accepted_without_a_secret(pretend: PretendMercadoPago) -> None:
    with pytest.raises(WebhookRejected):
        MercadoPago({"access_token": TOKEN}).read_webhook(pretend.webhook(REAIS, secret=""))


def test_a_signed_number_cannot_leave_its_path(pretend: PretendMercadoPago, gateway: MercadoPago) -> None:
    for number in ("../users/me", "1/refunds", "", "9" * 41):
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(pretend.signed({"type": "payment", "data": {"id": number}}))
    assert pretend.received == []


def test_letters_of_a_number_may_be_signed_in_lower_case(pretend: PretendMercadoPago, gateway: MercadoPago) -> None:
    webhook = pretend.signed({"type": "payment", "data": {"id": "ORD01"}}, number="ord01")
    assert gateway.read_webhook(replace(webhook, query={"data.id": "ORD01"})) is None
    assert pretend.received[-1].path == "/v1/payments/ORD01"


def test_start_opens_a_preference(pretend: PretendMercadoPago, gateway: MercadoPago) -> None:
    ends = datetime(2026, 11, 29, 9, 26, 40, tzinfo=UTC)
    following = gateway.start(replace(REAIS, expires_at=ends), customer=CUSTOMER, urls=URLS)
    [opened] = pretend.opened.values()
    assert (following.action, following.upstream_id) == (Redirect(url=pretend.page_url(opened)), opened.id)
    assert (opened.reference, opened.amount, opened.currency) == (REFERENCE, Decimal("100.50"), "BRL")
    assert (opened.done_url, opened.webhook_url) == (URLS.done, URLS.webhook)
    assert pretend.received[0].json()["expiration_date_to"] == "2026-11-29T09:26:40.000+00:00"
    in_test_mode = MercadoPago(pretend.config, is_test=True).start(REAIS, customer=CUSTOMER, urls=URLS)
    assert isinstance(in_test_mode.action, Redirect)
    assert in_test_mode.action.url.endswith("?sandbox")


def test_pix_shows_a_code(pretend: PretendMercadoPago, pix: MercadoPagoPix) -> None:
    following = pix.start(REAIS, customer=replace(CUSTOMER, tax_id="123.456.789-09"), urls=URLS)
    [opened] = pretend.opened.values()
    assert isinstance(following.action, Details)
    [(_label, code)] = following.action.rows
    assert code == following.action.qr_text == f"00020126580014br.gov.bcb.pix-{opened.id}"
    assert (following.upstream_id, following.data) == (opened.id, {"payment": opened.id})
    assert following.expires_at == datetime(2026, 11, 29, 9, 26, 40, tzinfo=UTC)
    assert pretend.received[0].json()["payer"]["identification"] == {"type": "CPF", "number": "12345678909"}
    assert pretend.received[0].header("X-Idempotency-Key") == REFERENCE


@pytest.mark.parametrize("tax_id", ["", "123", "x" * 12, "123456789012"])
def test_pix_needs_a_tax_id(pretend: PretendMercadoPago, pix: MercadoPagoPix, tax_id: str) -> None:
    with pytest.raises(GatewayRejected, match="CPF"):
        pix.start(REAIS, customer=replace(CUSTOMER, tax_id=tax_id), urls=URLS)
    assert pretend.received == []


@pytest.mark.parametrize("gateway_class", [MercadoPago, MercadoPagoPix])
@pytest.mark.parametrize("state", ["pending", "paid", "declined", "refunded", "charged_back", "disputed"])
def test_webhook_and_query_say_the_same(pretend: PretendMercadoPago, gateway_class: type[Gateway], state: str) -> None:
    gateway = gateway_class(pretend.config)
    report = gateway.read_webhook(pretend.webhook(REAIS, state=state))
    assert report is not None
    assert (report.state, report.reference) == (ReportedState(state), REFERENCE)
    moved = state in ("paid", "refunded", "charged_back")
    assert (report.amount, report.currency) == (Decimal("100.50") if moved else None, "BRL")
    assert report.fee == (Decimal("50.25") if state == "paid" else None)
    assert gateway.query(REAIS) == report


def test_a_part_that_is_refunded_is_reported_with_its_total(pretend: PretendMercadoPago, gateway: MercadoPago) -> None:
    webhook = pretend.webhook(REAIS)
    [payment] = pretend.payments.values()
    payment |= {"transaction_amount_refunded": 40, "status_detail": "partially_refunded"}
    report = gateway.read_webhook(webhook)
    assert report is not None
    assert (report.state, report.amount) == (ReportedState.REFUNDED, Decimal(40))
    assert report.entry_id == f"{payment['id']}-refunds"


def test_a_dispute_that_was_won(pretend: PretendMercadoPago, gateway: MercadoPago) -> None:
    webhook = pretend.webhook(REAIS, state="charged_back")
    next(iter(pretend.payments.values()))["status_detail"] = "reimbursed"
    report = gateway.read_webhook(webhook)
    assert report is not None
    assert report.state is ReportedState.DISPUTE_WON


def test_a_rejected_card_ends_no_payment_on_the_page(
    pretend: PretendMercadoPago, gateway: MercadoPago, pix: MercadoPagoPix
) -> None:
    webhook = pretend.webhook(REAIS, state="rejected")
    states = [one.read_webhook(webhook) for one in (gateway, pix)]
    assert [one and one.state for one in states] == [ReportedState.PENDING, ReportedState.DECLINED]
    pretend.webhook(REAIS, entry="2")
    report = gateway.query(REAIS)
    assert report is not None
    assert report.state is ReportedState.PAID


def test_payments_of_others_change_nothing(pretend: PretendMercadoPago, gateway: MercadoPago) -> None:
    assert gateway.read_webhook(pretend.webhook(REAIS, receiver="55555")) is None
    assert gateway.read_webhook(pretend.webhook(replace(REAIS, reference=""))) is None
    assert gateway.read_webhook(pretend.signed({"type": "plan", "data": {"id": "1"}})) is None
    assert gateway.query(replace(REAIS, reference="ZZZZ-ZZZZ-ZZZZ")) is None


def test_a_test_payment_says_so(pretend: PretendMercadoPago, gateway: MercadoPago) -> None:
    report = gateway.read_webhook(pretend.webhook(REAIS, is_test=True))
    assert report is not None
    assert report.is_test


def test_refunds(pretend: PretendMercadoPago, gateway: MercadoPago) -> None:
    report = gateway.read_webhook(pretend.webhook(REAIS))
    assert report is not None
    paid = replace(REAIS, data=report.data)
    result = gateway.refund(paid, amount=Decimal(40), key="k1")
    assert (result.state, result.refund_id) == (RefundState.DONE, "1234")
    with pytest.raises(GatewayRejected, match="larger"):
        gateway.refund(paid, amount=Decimal(400), key="k2")
    with pytest.raises(GatewayRejected, match="not known"):
        gateway.refund(REAIS, amount=Decimal(40), key="k3")


def test_check(pretend: PretendMercadoPago, gateway: MercadoPago) -> None:
    assert gateway.check() == "The keys work."
    with pytest.raises(GatewayRejected, match="invalid access token"):
        MercadoPago({**pretend.config, "access_token": "wrong"}).check()


def test_answers_of_another_layout_prove_nothing(
    pretend: PretendMercadoPago, gateway: MercadoPago, pix: MercadoPagoPix, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = pretend.webhook(REAIS)
    for answer in ((200, {}), (200, "<html>"), (500, {"message": TOKEN}), (200, {"id": 1}), (200, {"results": {}})):
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        for call in (
            lambda: gateway.start(REAIS, customer=CUSTOMER, urls=URLS),
            lambda: pix.start(REAIS, customer=CUSTOMER, urls=URLS),
            lambda: gateway.query(REAIS),
            lambda: gateway.read_webhook(webhook),
            lambda: gateway.refund(replace(REAIS, data={"payment": "1"}), amount=Decimal(1), key="k"),
        ):
            with pytest.raises(GatewayUnreachable) as problem:
                call()
            assert TOKEN not in str(problem.value)


def test_wrong_types_are_refused(
    pretend: PretendMercadoPago, gateway: MercadoPago, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = pretend.webhook(REAIS)
    [payment] = pretend.payments.values()
    content = json.loads(webhook.body)
    gateway.check()  # remembers the account
    wrong_types.assert_handled(
        content, lambda changed: gateway.read_webhook(replace(webhook, body=json.dumps(changed).encode(), query={}))
    )

    def ask(changed: Any) -> Any:
        monkeypatch.setattr(pretend, "answer", lambda request: (200, changed))
        return gateway.read_webhook(webhook)

    wrong_types.assert_handled(payment, ask)
