"""Midtrans: the known signature, Snap pages, notifications that are asked about, and refunds."""

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
from storefront.payments.gateways.midtrans import Midtrans
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_midtrans import KEY, PretendMidtrans

RUPIAH = details(amount=Decimal(100_000), currency="IDR")
#: Computed apart from our code, by the formula of the documentation.
KNOWN = {
    "order_id": REFERENCE,
    "status_code": "200",
    "gross_amount": "100000.00",
    "transaction_status": "settlement",
    "signature_key": "28879a31c52e8bbf06f090716435e24d1776635cded566068b043c4728e6fa85878198b2028c94971d8c53baf8af390e"
    "65c2911b878148ac2d73566d19617421",
}


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendMidtrans]:
    pretend = PretendMidtrans()
    settings.PAYMENT_GATEWAY_URLS = {"midtrans": pretend.url}
    yield pretend
    pretend.stop()


@pytest.fixture
def gateway(pretend: PretendMidtrans) -> Midtrans:
    return Midtrans(pretend.config)


def notification(**changes: Any) -> Webhook:
    body = json.dumps(KNOWN | changes).encode()
    return Webhook(method="POST", body=body, headers={}, query={}, form={})


def test_the_known_signature_is_right(pretend: PretendMidtrans, gateway: Midtrans) -> None:
    assert gateway.read_webhook(notification()) is None  # the pretend gateway has no such transaction
    assert pretend.received[0].path == f"/v2/{REFERENCE}/status"


@pytest.mark.parametrize(
    "changes",
    [
        {"order_id": "ABCD-EFGH-2346"},
        {"status_code": "201"},
        {"gross_amount": "100000"},
        {"gross_amount": "1000000.00"},
        {"signature_key": ""},
        {"signature_key": None},
        {"signature_key": KNOWN["signature_key"].upper()},
    ],
)
def test_a_wrong_signature_is_rejected_before_anything_is_asked(
    pretend: PretendMidtrans, gateway: Midtrans, changes: dict[str, Any]
) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(notification(**changes))
    assert pretend.received == []


def test_nothing_is_accepted_without_a_key(pretend: PretendMidtrans) -> None:
    with pytest.raises(WebhookRejected):
        Midtrans({}).read_webhook(pretend.webhook(RUPIAH, secret=""))


@pytest.mark.parametrize("order", ["", "../v2/x", "a/b", "x" * 51])
def test_a_signed_order_cannot_leave_its_path(pretend: PretendMidtrans, gateway: Midtrans, order: str) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(pretend.signed(KNOWN | {"order_id": order}))
    assert pretend.received == []


def test_what_the_notification_claims_is_not_believed(pretend: PretendMidtrans, gateway: Midtrans) -> None:
    content = json.loads(pretend.webhook(RUPIAH, state="pending").body)
    report = gateway.read_webhook(pretend.signed(content | {"transaction_status": "settlement"}))
    assert report is not None
    assert report.state is ReportedState.PENDING


def test_start_opens_a_page(pretend: PretendMidtrans, gateway: Midtrans) -> None:
    following = gateway.start(RUPIAH, customer=CUSTOMER, urls=URLS)
    [opened] = pretend.opened.values()
    assert following.action == Redirect(url=pretend.page_url(opened))
    assert (opened.reference, opened.amount) == (REFERENCE, Decimal(100_000))
    assert (opened.done_url, opened.webhook_url) == (URLS.done, URLS.webhook)
    assert gateway.query(RUPIAH) is None  # nobody has used it


def test_only_whole_rupiah(pretend: PretendMidtrans, gateway: Midtrans) -> None:
    for call in (
        lambda: gateway.start(replace(RUPIAH, amount=Decimal("1000.50")), customer=CUSTOMER, urls=URLS),
        lambda: gateway.refund(RUPIAH, amount=Decimal("0.5"), key="k"),
    ):
        with pytest.raises(GatewayRejected, match="whole rupiah"):
            call()
    assert pretend.received == []
    assert Midtrans.has_whole_amounts


@pytest.mark.parametrize("state", ["pending", "paid", "declined", "refunded", "charged_back", "disputed"])
def test_webhook_and_query_say_the_same(pretend: PretendMidtrans, gateway: Midtrans, state: str) -> None:
    report = gateway.read_webhook(pretend.webhook(RUPIAH, state=state))
    assert report is not None
    assert (report.state, report.reference) == (ReportedState(state), REFERENCE)
    moved = state in ("paid", "refunded", "charged_back")
    assert (report.amount, report.currency) == (Decimal(100_000) if moved else None, "IDR")
    assert gateway.query(RUPIAH) == report


@pytest.mark.parametrize(
    ("status", "fraud", "state"),
    [("capture", "accept", "paid"), ("capture", "challenge", "pending"), ("capture", "deny", "pending")],
)
def test_a_doubtful_card_is_not_credited(
    pretend: PretendMidtrans,
    gateway: Midtrans,
    monkeypatch: pytest.MonkeyPatch,
    status: str,
    fraud: str,
    state: str,
) -> None:
    content = json.loads(pretend.webhook(RUPIAH).body) | {"transaction_status": status, "fraud_status": fraud}
    monkeypatch.setattr(pretend, "answer", lambda request: (200, content))
    report = gateway.query(RUPIAH)
    assert report is not None
    assert report.state is ReportedState(state)


def test_a_full_refund_is_of_the_whole_amount(
    pretend: PretendMidtrans, gateway: Midtrans, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = json.loads(pretend.webhook(RUPIAH).body) | {"transaction_status": "refund"}
    monkeypatch.setattr(pretend, "answer", lambda request: (200, content))
    report = gateway.query(RUPIAH)
    assert report is not None
    assert (report.state, report.amount) == (ReportedState.REFUNDED, Decimal(100_000))
    assert report.entry_id.endswith("-refunds")


def test_refunds(pretend: PretendMidtrans, gateway: Midtrans) -> None:
    pretend.webhook(RUPIAH)
    result = gateway.refund(RUPIAH, amount=Decimal(40_000), key="k1")
    assert (result.state, result.refund_id) == (RefundState.DONE, "k1")
    with pytest.raises(GatewayRejected, match="exceeds"):
        gateway.refund(RUPIAH, amount=Decimal(400_000), key="k2")


def test_check(gateway: Midtrans) -> None:
    assert gateway.check() == "The keys work."
    with pytest.raises(GatewayRejected, match="authorized"):
        Midtrans({"server_key": "wrong"}).check()


def test_answers_of_another_layout_prove_nothing(
    pretend: PretendMidtrans, gateway: Midtrans, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = json.loads(pretend.webhook(replace(RUPIAH, reference="ZZZZ-ZZZZ-ZZZZ")).body)
    for answer in ((200, {}), (200, "<html>"), (500, {"status_message": KEY}), (200, other)):
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        for call in (
            lambda: gateway.start(RUPIAH, customer=CUSTOMER, urls=URLS),
            lambda: gateway.query(RUPIAH),
            lambda: gateway.read_webhook(notification()),
        ):
            with pytest.raises(GatewayUnreachable) as problem:
                call()
            assert KEY not in str(problem.value)


@pytest.mark.parametrize("state", ["paid", "refunded"])
def test_wrong_types_are_refused(
    pretend: PretendMidtrans, gateway: Midtrans, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    content = json.loads(pretend.webhook(RUPIAH, state=state).body)
    wrong_types.assert_handled(content, lambda changed: gateway.read_webhook(pretend.signed(changed)))

    def ask(changed: Any) -> Any:
        monkeypatch.setattr(pretend, "answer", lambda request: (200, changed))
        return gateway.query(RUPIAH)

    wrong_types.assert_handled(content, ask)


def test_the_sandbox_has_its_own_addresses(settings: Any) -> None:
    settings.PAYMENT_GATEWAY_URLS = {}
    assert Midtrans({}, is_test=True).url("/v2/x/status") == "https://api.sandbox.midtrans.com/v2/x/status"
