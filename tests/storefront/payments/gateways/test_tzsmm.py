"""TZSMM Pay: payments, and callbacks that are verified."""

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
from storefront.payments.gateways.tzsmm import TZSMMPay
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_tzsmm import KEY, PretendTZSMMPay

TAKA = details(amount=Decimal("1200.50"), currency="BDT")


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendTZSMMPay]:
    pretend = PretendTZSMMPay()
    settings.PAYMENT_GATEWAY_URLS = {"tzsmm": pretend.url}
    yield pretend
    pretend.stop()


@pytest.fixture
def gateway(pretend: PretendTZSMMPay) -> TZSMMPay:
    return TZSMMPay(pretend.config)


def test_start_hides_the_reference_in_the_callback_address(pretend: PretendTZSMMPay, gateway: TZSMMPay) -> None:
    following = gateway.start(TAKA, customer=CUSTOMER, urls=URLS)
    [opened] = pretend.opened.values()
    assert (following.action, following.upstream_id) == (Redirect(url=pretend.page_url(opened)), opened.id)
    assert opened.webhook_url == f"{URLS.webhook}?payment={REFERENCE}"


@pytest.mark.parametrize("state", ["pending", "paid", "declined"])
def test_a_callback_is_verified_however_it_comes(pretend: PretendTZSMMPay, gateway: TZSMMPay, state: str) -> None:
    number = gateway.start(TAKA, customer=CUSTOMER, urls=URLS).upstream_id
    posted = pretend.webhook(TAKA, state=state)
    as_json = replace(posted, body=json.dumps({"trx_id": number}).encode(), form={}, query={})
    by_get = replace(posted, method="GET", body=b"", form={}, query=posted.form)
    for webhook in (posted, as_json, by_get):
        report = gateway.read_webhook(webhook)
        assert report is not None
        assert (report.state, report.upstream_id) == (ReportedState(state), number)
        assert report.amount == (Decimal("1200.50") if state == "paid" else None)
    assert gateway.query(replace(TAKA, upstream_id=number)) == report


def test_what_the_callback_claims_is_not_believed(pretend: PretendTZSMMPay, gateway: TZSMMPay) -> None:
    number = gateway.start(TAKA, customer=CUSTOMER, urls=URLS).upstream_id
    fields = {"trx_id": number, "status": "Completed", "amount": "1200.50", "api_key": "somebody-elses"}
    report = gateway.read_webhook(Webhook(method="POST", body=b"", headers={}, query={}, form=fields))
    assert report is not None
    assert report.state is ReportedState.PENDING
    assert pretend.received[-1].json()["api_key"] == KEY


@pytest.mark.parametrize("number", ["", "x", "../verify", "a b c d e", "é" * 8])
def test_a_callback_without_a_transaction_is_rejected(gateway: TZSMMPay, number: str) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(Webhook(method="GET", body=b"", headers={}, query={"trx_id": number}, form={}))


def test_the_layout_of_the_readme_is_read_too(
    pretend: PretendTZSMMPay, gateway: TZSMMPay, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = {"status": "Completed", "amount": "1200.50", "currency": "BDT"}
    monkeypatch.setattr(pretend, "answer", lambda request: (200, {"status": True, "data": inner}))
    report = gateway.query(replace(TAKA, upstream_id="TZ00000001"))
    assert report is not None
    assert (report.state, report.amount) == (ReportedState.PAID, Decimal("1200.50"))


def test_another_transaction_proves_nothing(
    pretend: PretendTZSMMPay, gateway: TZSMMPay, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [
        (200, {"status": "Completed", "amount": "1200.50", "trx_id": "TZ99999999"}),
        (200, {"status": "Completed"}),
        (200, {"status": "Completed", "amount": "NaN"}),
        (500, {"messages": KEY}),
        (200, "<html>"),
    ]
    for answer in answers:
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        with pytest.raises(GatewayUnreachable) as problem:
            gateway.query(replace(TAKA, upstream_id="TZ00000001"))
        assert KEY not in str(problem.value)
    assert gateway.query(TAKA) is None


def test_a_refused_start_says_why(pretend: PretendTZSMMPay, gateway: TZSMMPay) -> None:
    with pytest.raises(GatewayRejected, match="Invalid API key"):
        TZSMMPay({"api_key": "wrong"}).start(TAKA, customer=CUSTOMER, urls=URLS)
    with pytest.raises(GatewayRejected, match="invalid"):
        gateway.start(TAKA, customer=replace(CUSTOMER, phone=""), urls=URLS)


def test_wrong_types_are_refused(pretend: PretendTZSMMPay, gateway: TZSMMPay, monkeypatch: pytest.MonkeyPatch) -> None:
    webhook = pretend.webhook(TAKA)
    content = {"status": "Completed", "amount": "1200.50", "currency": "BDT", "trx_id": "TZ00000001"}

    def ask(changed: Any) -> Any:
        monkeypatch.setattr(pretend, "answer", lambda request: (200, changed))
        return gateway.read_webhook(webhook)

    wrong_types.assert_handled(content, ask)
