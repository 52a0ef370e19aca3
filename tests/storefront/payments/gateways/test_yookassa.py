"""YooKassa: payments, notifications that are asked about, refunds and checks."""

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
    RefundState,
    ReportedState,
    Webhook,
    WebhookRejected,
)
from storefront.payments.gateways.yookassa import YooKassa
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_yookassa import KEY, PretendYooKassa

RUBLES = details(amount=Decimal("100.50"), currency="RUB")


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendYooKassa]:
    pretend = PretendYooKassa()
    settings.PAYMENT_GATEWAY_URLS = {"yookassa": pretend.url}
    yield pretend
    pretend.stop()


@pytest.fixture
def gateway(pretend: PretendYooKassa) -> YooKassa:
    return YooKassa(pretend.config)


def notification(content: Any) -> Webhook:
    return Webhook(method="POST", body=json.dumps(content).encode(), headers={}, query={}, form={})


def test_start_opens_a_payment_once(pretend: PretendYooKassa, gateway: YooKassa) -> None:
    following = gateway.start(RUBLES, customer=CUSTOMER, urls=URLS)
    [opened] = pretend.opened.values()
    assert (following.action, following.upstream_id) == (Redirect(url=pretend.page_url(opened)), opened.id)
    assert (opened.reference, opened.amount, opened.done_url) == (REFERENCE, Decimal("100.50"), URLS.done)
    assert pretend.received[0].header("Idempotence-Key") == REFERENCE


@pytest.mark.parametrize("state", ["pending", "paid", "declined"])
def test_a_notification_reports_what_the_gateway_answers(
    pretend: PretendYooKassa, gateway: YooKassa, state: str
) -> None:
    number = gateway.start(RUBLES, customer=CUSTOMER, urls=URLS).upstream_id
    report = gateway.read_webhook(pretend.webhook(RUBLES, state=state))
    assert report is not None
    assert (report.state, report.reference, report.upstream_id) == (ReportedState(state), REFERENCE, number)
    if state == "paid":
        assert (report.amount, report.currency, report.fee) == (Decimal("100.50"), "RUB", Decimal("3.02"))
    assert gateway.query(replace(RUBLES, upstream_id=number)) == report


def test_what_the_notification_claims_is_not_believed(pretend: PretendYooKassa, gateway: YooKassa) -> None:
    number = gateway.start(RUBLES, customer=CUSTOMER, urls=URLS).upstream_id
    claimed = {"id": number, "status": "succeeded", "amount": {"value": "100.50", "currency": "RUB"}}
    report = gateway.read_webhook(notification({"event": "payment.succeeded", "object": claimed}))
    assert report is not None
    assert report.state is ReportedState.PENDING


def test_a_refund_is_reported_with_its_total(pretend: PretendYooKassa, gateway: YooKassa) -> None:
    gateway.start(RUBLES, customer=CUSTOMER, urls=URLS)
    report = gateway.read_webhook(pretend.webhook(RUBLES, state="refunded", amount=Decimal(40)))
    assert report is not None
    assert (report.state, report.amount, report.currency) == (ReportedState.REFUNDED, Decimal(40), "RUB")


@pytest.mark.parametrize("number", ["", "../../me", "1", "x" * 100, None, ["a"]])
def test_a_notification_without_a_valid_number_is_rejected(gateway: YooKassa, number: Any) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(notification({"event": "payment.succeeded", "object": {"id": number}}))


def test_an_unknown_payment_or_event_changes_nothing(pretend: PretendYooKassa, gateway: YooKassa) -> None:
    unknown = {"id": "2d9f3a5c-000f-5000-9000-999999999999"}
    assert gateway.read_webhook(notification({"event": "payment.succeeded", "object": unknown})) is None
    assert gateway.read_webhook(notification({"event": "deal.closed", "object": unknown})) is None
    assert gateway.query(RUBLES) is None


def test_a_test_payment_says_so(pretend: PretendYooKassa, gateway: YooKassa) -> None:
    webhook = pretend.webhook(RUBLES, is_test=True)
    report = gateway.read_webhook(webhook)
    assert report is not None
    assert report.is_test
    in_test_mode = YooKassa(pretend.config, is_test=True).read_webhook(webhook)
    assert in_test_mode is not None
    assert not in_test_mode.is_test


def test_refunds(pretend: PretendYooKassa, gateway: YooKassa) -> None:
    number = gateway.start(RUBLES, customer=CUSTOMER, urls=URLS).upstream_id
    result = gateway.refund(replace(RUBLES, upstream_id=number), amount=Decimal(40), key="k1")
    assert (result.state, result.refund_id) == (RefundState.DONE, "refund-k1")
    with pytest.raises(GatewayRejected, match="too large"):
        gateway.refund(replace(RUBLES, upstream_id=number), amount=Decimal(400), key="k2")


def test_check(pretend: PretendYooKassa, gateway: YooKassa) -> None:
    assert gateway.check() == "The keys work."
    with pytest.raises(GatewayRejected, match="Wrong shopId"):
        YooKassa({**pretend.config, "secret_key": "wrong"}).check()


def test_a_refused_start_says_why(gateway: YooKassa) -> None:
    with pytest.raises(GatewayRejected, match="too small"):
        gateway.start(replace(RUBLES, amount=Decimal("0.5")), customer=CUSTOMER, urls=URLS)


def test_answers_of_another_layout_prove_nothing(
    pretend: PretendYooKassa, gateway: YooKassa, monkeypatch: pytest.MonkeyPatch
) -> None:
    for answer in ((200, {}), (200, "<html>"), (500, {"description": KEY}), (200, {"status": "succeeded"})):
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        for call in (
            lambda: gateway.start(RUBLES, customer=CUSTOMER, urls=URLS),
            lambda: gateway.query(replace(RUBLES, upstream_id="1")),
            lambda: gateway.read_webhook(pretend.webhook(RUBLES)),
        ):
            with pytest.raises(GatewayUnreachable) as problem:
                call()
            assert KEY not in str(problem.value)


def test_wrong_types_are_refused(pretend: PretendYooKassa, gateway: YooKassa, monkeypatch: pytest.MonkeyPatch) -> None:
    webhook = pretend.webhook(RUBLES)
    content = json.loads(webhook.body)
    wrong_types.assert_handled(
        {"event": content["event"], "object": {"id": content["object"]["id"]}},
        lambda changed: gateway.read_webhook(notification(changed)),
    )

    def ask(changed: Any) -> Any:
        monkeypatch.setattr(pretend, "answer", lambda request: (200, changed))
        return gateway.read_webhook(webhook)

    wrong_types.assert_handled(content["object"], ask)
