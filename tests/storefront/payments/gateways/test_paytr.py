"""PayTR: the known signatures, the iframe, notifications, status and refunds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from storefront.payments.gateway import (
    Frame,
    GatewayRejected,
    GatewayUnreachable,
    RefundState,
    ReportedState,
    Webhook,
    WebhookRejected,
)
from storefront.payments.gateways.paytr import PayTR
from tests.storefront.payments.gateways.pretend import CUSTOMER, URLS, details
from tests.storefront.payments.gateways.pretend_paytr import KEY, SALT, PretendPayTR, sign

#: A notification and a question with their signatures, computed apart from our code.
KNOWN = {
    "merchant_oid": "ABCDEFGH2345",
    "status": "success",
    "total_amount": "3456",
    "hash": "SdHqIJDAuDqdSEPggfYiKnipD860OOMkMsMlcrIlfYM=",
}
KNOWN_QUESTION = "+LxXIe3mU+gl+MZKRX3knWfFhI5poaBzi+PtouFWqEE="
KNOWN_TOKEN = "XvKwEuos9HpO4B72sJUm8rm6zK8Ni7b1L11knjVKw4c="
LIRA = details(amount=Decimal("34.56"), currency="TRY")


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendPayTR]:
    pretend = PretendPayTR()
    settings.PAYMENT_GATEWAY_URLS = {"paytr": pretend.url}
    yield pretend
    pretend.stop()


@pytest.fixture
def gateway(pretend: PretendPayTR) -> PayTR:
    return PayTR(pretend.config)


def sent(**changes: str) -> Webhook:
    return Webhook(method="POST", body=b"", headers={}, query={}, form=KNOWN | changes)


def test_the_known_notification_is_read(gateway: PayTR) -> None:
    report = gateway.read_webhook(sent())
    assert report is not None
    assert (report.state, report.reference) == (ReportedState.PAID, "ABCDEFGH2345")
    assert (report.amount, report.currency) == (Decimal("34.56"), "")
    assert gateway.answer_webhook(sent()).body == "OK"


@pytest.mark.parametrize(
    "changes",
    [
        {"hash": ""},
        {"hash": "x"},
        {"hash": "é"},
        {"status": "failed"},
        {"total_amount": "34560"},
        {"merchant_oid": "ABCDEFGH2346"},
    ],
)
def test_what_is_not_signed_is_rejected(gateway: PayTR, changes: dict[str, str]) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(sent(**changes))


@pytest.mark.parametrize(
    "fields",
    [
        {"merchant_oid": "ABCDEFGH2345", "status": "success3", "total_amount": "456"},
        {"merchant_oid": "ABCDEFGH2345", "status": "", "total_amount": "success3456"},
        {"merchant_oid": "ABCDEFGH2345", "status": "success", "total_amount": "34.56"},
        {"merchant_oid": "ABCDEFGH23456", "status": "success", "total_amount": "3456"},
    ],
)
def test_a_field_that_moved_under_the_same_signature_is_rejected(gateway: PayTR, fields: dict[str, str]) -> None:
    signed = sign(fields["merchant_oid"] + SALT + fields["status"] + fields["total_amount"])
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(sent(**fields, hash=signed))


def test_nothing_is_accepted_without_a_key(pretend: PretendPayTR) -> None:
    for config in ({}, {"merchant_key": KEY}, {"merchant_salt": SALT}):
        with pytest.raises(WebhookRejected):
            PayTR(config).read_webhook(pretend.webhook(LIRA, secret=""))


def test_start_shows_the_form_in_a_frame(pretend: PretendPayTR, gateway: PayTR) -> None:
    following = gateway.start(LIRA, customer=CUSTOMER, urls=URLS)
    assert following.action == Frame(url=f"{pretend.url}/odeme/guvenli/tokenABCDEFGH2345")
    asked = pretend.received[0].form()
    assert (asked["payment_amount"], asked["currency"], asked["no_installment"]) == ("3456", "TL", "1")
    assert (asked["user_ip"], asked["merchant_ok_url"]) == ("203.0.113.7", URLS.done)


def test_the_token_is_signed_as_documented() -> None:
    basket = "W1siV2FsbGV0IHRvcC11cCIsICIzNC41NiIsIDFdXQ=="
    fields = ("123456", "203.0.113.7", "ABCDEFGH2345", "a@example.com", "3456", basket, "1", "0", "TL", "1")
    gateway = PayTR({"merchant_id": "123456", "merchant_key": KEY, "merchant_salt": SALT})
    assert gateway._sign("".join(fields)) == KNOWN_TOKEN


def test_a_customer_without_an_ipv4_address_is_refused(gateway: PayTR) -> None:
    with pytest.raises(GatewayRejected, match="IPv4"):
        gateway.start(LIRA, customer=replace(CUSTOMER, ip=""), urls=URLS)


def test_a_refused_start_says_why(gateway: PayTR) -> None:
    with pytest.raises(GatewayRejected, match="payment_amount is invalid"):
        gateway.start(replace(LIRA, amount=Decimal("0.50")), customer=CUSTOMER, urls=URLS)
    with pytest.raises(GatewayRejected, match="invalid paytr_token"):
        PayTR({**gateway.config, "merchant_key": "wrong"}).start(LIRA, customer=CUSTOMER, urls=URLS)


def test_the_state_is_asked_for(pretend: PretendPayTR, gateway: PayTR) -> None:
    gateway.start(LIRA, customer=CUSTOMER, urls=URLS)
    assert gateway.query(LIRA) is None
    assert pretend.received[-1].form()["paytr_token"] == KNOWN_QUESTION
    report = gateway.read_webhook(pretend.webhook(LIRA))
    paid = gateway.query(LIRA)
    assert paid is not None
    assert report is not None
    assert (paid.state, paid.amount, paid.currency) == (ReportedState.PAID, Decimal("34.56"), "TRY")
    assert paid.entry_id == report.entry_id


def test_a_refund_names_its_amount(pretend: PretendPayTR, gateway: PayTR) -> None:
    result = gateway.refund(LIRA, amount=Decimal("4.5"), key="ABCD-EFGH-2345-refund-1")
    assert (result.state, result.refund_id) == (RefundState.DONE, "ABCDEFGH2345refund1")
    assert pretend.received[0].form()["return_amount"] == "4.50"
    with pytest.raises(GatewayRejected, match="invalid token"):
        PayTR({**gateway.config, "merchant_key": "wrong"}).refund(LIRA, amount=Decimal(1), key="x")


@pytest.mark.parametrize(
    "answer", [(200, ""), (200, "<html>"), (502, {}), (200, {"status": []}), (200, {"token": "/"})]
)
def test_an_answer_of_another_layout_proves_nothing(
    pretend: PretendPayTR, gateway: PayTR, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, Any]
) -> None:
    monkeypatch.setattr(pretend, "answer", lambda request: answer)
    with pytest.raises(GatewayUnreachable):
        gateway.start(LIRA, customer=CUSTOMER, urls=URLS)
    with pytest.raises(GatewayUnreachable):
        gateway.refund(LIRA, amount=Decimal(1), key="x")


def test_a_test_payment_says_so(pretend: PretendPayTR, gateway: PayTR) -> None:
    report = gateway.read_webhook(pretend.webhook(LIRA, is_test=True))
    assert report is not None
    assert report.is_test
