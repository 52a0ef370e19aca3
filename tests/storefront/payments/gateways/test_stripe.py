"""Stripe Checkout: the known signature, sessions, events, refunds and disputes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from storefront.payments.gateway import (
    GatewayRejected,
    GatewayReport,
    GatewayUnreachable,
    Redirect,
    RefundState,
    ReportedState,
    Webhook,
    WebhookRejected,
)
from storefront.payments.gateways.stripe import Stripe
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_stripe import SECRET_KEY, PretendStripe, event, sign

#: An event and its signature, computed apart from our code and equal to what the library stripe 16.1.0 computes.
BODY = (
    b'{"id":"evt_1","object":"event","type":"checkout.session.completed","data":{"object":{"id":"cs_test_1",'
    b'"object":"checkout.session","client_reference_id":"ABCD-EFGH-2345","amount_total":1000,"currency":"usd",'
    b'"payment_status":"paid","payment_intent":"pi_1"}}}'
)
SENT_AT = 1_764_322_000
SIGNATURE = "1ce709d54a797ff761d9dadc5f0198bcc5f81da5866cafa0d699969b99b080b9"


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendStripe]:
    pretend = PretendStripe()
    settings.PAYMENT_GATEWAY_URLS = {"stripe": pretend.url}
    yield pretend
    pretend.stop()


@pytest.fixture
def gateway(pretend: PretendStripe) -> Stripe:
    return Stripe(pretend.config)


def raw(header: str | None, body: bytes = BODY) -> Webhook:
    headers = {} if header is None else {"stripe-signature": header}
    return Webhook(method="POST", body=body, headers=headers, query={}, form={})


@time_machine.travel(SENT_AT + 299, tick=False)
@pytest.mark.parametrize("header", ["t={t},v1={s}", "t={t},v1=00,v1={s},v0=1", "v1={s}, t={t}"])
def test_the_known_event_is_read(gateway: Stripe, header: str) -> None:
    report = gateway.read_webhook(raw(header.format(t=SENT_AT, s=SIGNATURE)))
    assert report == GatewayReport(
        state=ReportedState.PAID,
        reference="ABCD-EFGH-2345",
        upstream_id="cs_test_1",
        entry_id="pi_1",
        amount=Decimal(10),
        currency="USD",
        data={"payment_intent": "pi_1"},
        is_test=True,  # it does not say that it is live
        note="checkout.session.completed",
    )


@time_machine.travel(SENT_AT + 301, tick=False)
def test_an_old_event_is_rejected(gateway: Stripe) -> None:
    with pytest.raises(WebhookRejected, match="too old"):
        gateway.read_webhook(raw(f"t={SENT_AT},v1={SIGNATURE}"))


@time_machine.travel(SENT_AT, tick=False)
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        f"v1={SIGNATURE}",
        f"t={SENT_AT}",
        f"t={SENT_AT},v1=",
        f"t={SENT_AT},v0={SIGNATURE}",
        f"t={SENT_AT + 1},v1={SIGNATURE}",
        f"t=x,v1={SIGNATURE}",
        f"t={'9' * 4000},v1={SIGNATURE}",
        f"t={SENT_AT},v1={SIGNATURE.upper()}",
    ],
)
def test_a_wrong_signature_is_rejected(gateway: Stripe, header: str | None) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(raw(header))


@time_machine.travel(SENT_AT, tick=False)
def test_every_changed_byte_is_noticed(gateway: Stripe) -> None:
    for place in range(len(BODY)):
        changed = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(raw(f"t={SENT_AT},v1={SIGNATURE}", changed))


def test_nothing_is_accepted_without_a_secret() -> None:
    gateway = Stripe({"secret_key": SECRET_KEY})
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(raw(sign(BODY, secret="")))


def test_start_opens_one_session(pretend: PretendStripe, gateway: Stripe) -> None:
    first = gateway.start(details(), customer=CUSTOMER, urls=URLS)
    second = gateway.start(details(), customer=CUSTOMER, urls=URLS)
    [opened] = pretend.opened.values()
    assert first == second
    assert first.action == Redirect(url=pretend.page_url(opened))
    assert first.upstream_id == opened.id
    assert (opened.reference, opened.amount, opened.currency) == (REFERENCE, Decimal("12.34"), "USD")
    assert opened.done_url == URLS.done
    assert pretend.received[0].header("Idempotency-Key") == REFERENCE


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [("500", "JPY", "500"), ("5", "ISK", "500"), ("1.5", "KWD", "1500"), ("7", "UGX", "700"), ("0.5", "EUR", "50")],
)
def test_amounts_are_sent_in_the_smallest_unit(
    pretend: PretendStripe, gateway: Stripe, amount: str, currency: str, units: str
) -> None:
    gateway.start(details(amount=Decimal(amount), currency=currency), customer=CUSTOMER, urls=URLS)
    form = pretend.received[0].form()
    assert form["line_items[0][price_data][unit_amount]"] == units
    assert form["line_items[0][price_data][currency]"] == currency.lower()


def test_more_decimals_than_the_currency_has_are_refused(pretend: PretendStripe, gateway: Stripe) -> None:
    with pytest.raises(GatewayRejected, match="JPY"):
        gateway.start(details(amount=Decimal("500.5"), currency="JPY"), customer=CUSTOMER, urls=URLS)
    assert not pretend.received


@pytest.mark.parametrize(("amount", "currency"), [("500", "JPY"), ("1.5", "KWD"), ("12.34", "EUR")])
def test_amounts_are_read_in_the_smallest_unit(
    pretend: PretendStripe, gateway: Stripe, amount: str, currency: str
) -> None:
    report = gateway.read_webhook(pretend.webhook(details(amount=Decimal(amount), currency=currency)))
    assert report is not None
    assert (report.amount, report.currency) == (Decimal(amount), currency)


def test_a_refused_start_says_why(pretend: PretendStripe, gateway: Stripe) -> None:
    with pytest.raises(GatewayRejected, match="at least"):
        gateway.start(details(amount=Decimal("0.3")), customer=CUSTOMER, urls=URLS)
    with pytest.raises(GatewayRejected, match="Invalid API Key"):
        Stripe({**pretend.config, "secret_key": "wrong"}).start(details(), customer=CUSTOMER, urls=URLS)


@pytest.mark.parametrize("state", ["pending", "paid", "declined"])
def test_webhook_and_query_say_the_same(pretend: PretendStripe, gateway: Stripe, state: str) -> None:
    payment = details()
    payment = replace(payment, upstream_id=gateway.start(payment, customer=CUSTOMER, urls=URLS).upstream_id)
    report = gateway.read_webhook(pretend.webhook(payment, state=state))
    assert report is not None
    assert (report.state, report.reference, report.is_test) == (ReportedState(state), REFERENCE, False)
    assert report.amount == (payment.amount if state == "paid" else None)
    assert gateway.query(payment) == report


def test_query_of_an_open_session_and_of_unknown_ones(pretend: PretendStripe, gateway: Stripe) -> None:
    number = gateway.start(details(), customer=CUSTOMER, urls=URLS).upstream_id
    report = gateway.query(details(upstream_id=number))
    assert report is not None
    assert (report.state, report.amount) == (ReportedState.PENDING, None)
    assert gateway.query(details()) is None
    assert gateway.query(details(upstream_id="cs_unknown")) is None
    with pytest.raises(GatewayUnreachable):
        gateway.query(details(upstream_id=number, reference="ZZZZ-ZZZZ-ZZZZ"))
    with pytest.raises(GatewayUnreachable):
        gateway.query(details(upstream_id="../balance"))


def test_later_payment_methods(pretend: PretendStripe, gateway: Stripe) -> None:
    session = json.loads(pretend.webhook(details()).body)["data"]["object"]
    unpaid = session | {"payment_status": "unpaid"}
    for kind, content, state in (
        ("checkout.session.completed", unpaid, ReportedState.PENDING),
        ("checkout.session.async_payment_succeeded", session, ReportedState.PAID),
        ("checkout.session.async_payment_failed", unpaid, ReportedState.DECLINED),
    ):
        report = gateway.read_webhook(pretend.signed(event(kind, content)))
        assert report is not None
        assert report.state is state


@pytest.mark.parametrize("state", ["refunded", "disputed", "charged_back", "dispute_won"])
def test_events_after_the_payment(pretend: PretendStripe, gateway: Stripe, state: str) -> None:
    report = gateway.read_webhook(pretend.webhook(details(), state=state, amount=Decimal(5), entry="7"))
    assert report is not None
    assert (report.state, report.reference) == (ReportedState(state), REFERENCE)
    assert (report.amount, report.currency, report.is_test) == (Decimal(5), "USD", False)
    assert report.entry_id == ("re_7" if state == "refunded" else "dp_7")


@pytest.mark.parametrize(
    ("status", "state"),
    [("won", ReportedState.DISPUTE_WON), ("lost", ReportedState.CHARGED_BACK), ("warning_closed", None)],
)
def test_closed_disputes(pretend: PretendStripe, gateway: Stripe, status: str, state: ReportedState | None) -> None:
    dispute = json.loads(pretend.webhook(details(), state="disputed").body)["data"]["object"]
    report = gateway.read_webhook(pretend.signed(event("charge.dispute.closed", dispute | {"status": status})))
    assert (report.state if report else None) is state


def test_a_refund_that_is_not_done_changes_nothing(pretend: PretendStripe, gateway: Stripe) -> None:
    refund = json.loads(pretend.webhook(details(), state="refunded").body)["data"]["object"]
    for kind, status in (("refund.created", "pending"), ("refund.failed", "failed")):
        assert gateway.read_webhook(pretend.signed(event(kind, refund | {"status": status}))) is None


def test_events_of_other_programs_in_the_account_are_irrelevant(pretend: PretendStripe, gateway: Stripe) -> None:
    session = json.loads(pretend.webhook(details()).body)["data"]["object"]
    for kind, content in (
        ("checkout.session.completed", session | {"client_reference_id": None}),
        ("checkout.session.completed", session | {"mode": "subscription"}),
        ("invoice.paid", session),
        ("refund.created", {"id": "re_1", "status": "succeeded", "payment_intent": None, "amount": 5}),
    ):
        assert gateway.read_webhook(pretend.signed(event(kind, content))) is None


def test_a_refund_of_an_unknown_payment_comes_again(pretend: PretendStripe, gateway: Stripe) -> None:
    refund = json.loads(pretend.webhook(details(), state="refunded").body)["data"]["object"]
    with pytest.raises(GatewayUnreachable):
        gateway.read_webhook(pretend.signed(event("refund.created", refund | {"payment_intent": "pi_gone"})))


def test_test_events_are_marked(pretend: PretendStripe, gateway: Stripe) -> None:
    report = gateway.read_webhook(pretend.webhook(details(), is_test=True))
    assert report is not None
    assert report.is_test


@pytest.mark.parametrize("state", ["paid", "refunded", "charged_back"])
def test_wrong_types_are_refused(pretend: PretendStripe, gateway: Stripe, state: str) -> None:
    content = json.loads(pretend.webhook(details(), state=state).body)
    wrong_types.assert_handled(content, lambda changed: gateway.read_webhook(pretend.signed(changed)))


def test_refund(pretend: PretendStripe, gateway: Stripe) -> None:
    number = gateway.start(details(), customer=CUSTOMER, urls=URLS).upstream_id
    payment = details(upstream_id=number)
    with pytest.raises(GatewayRejected, match="was not paid"):
        gateway.refund(payment, amount=Decimal(5), key="r1")
    report = gateway.read_webhook(pretend.webhook(payment))
    assert report is not None
    result = gateway.refund(replace(payment, data=report.data), amount=Decimal(5), key="r1")
    assert (result.state, result.refund_id) == (RefundState.DONE, "re_2")
    assert gateway.refund(payment, amount=Decimal(5), key="r1") == result  # the intent is asked for
    assert pretend.received[-1].form()["amount"] == "500"


@pytest.mark.parametrize(("status", "state"), [("pending", RefundState.PENDING), ("failed", None), ("canceled", None)])
def test_states_of_refunds(pretend: PretendStripe, gateway: Stripe, status: str, state: RefundState | None) -> None:
    pretend.refund_status = status
    report = gateway.read_webhook(pretend.webhook(details()))
    assert report is not None
    payment = details(data=report.data)
    if state:
        assert gateway.refund(payment, amount=Decimal(5), key="r1").state is state
    else:
        with pytest.raises(GatewayRejected, match=status):
            gateway.refund(payment, amount=Decimal(5), key="r1")


def test_check(pretend: PretendStripe, gateway: Stripe) -> None:
    assert gateway.check() == "The keys work."
    with pytest.raises(GatewayRejected, match="Invalid API Key"):
        Stripe({"secret_key": "sk_live_wrong"}).check()
    with pytest.raises(GatewayRejected, match="test key"):
        Stripe({"secret_key": "sk_test_1"}).check()


def test_answers_of_another_layout_prove_nothing(
    pretend: PretendStripe, gateway: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = details(upstream_id="cs_1", data={"payment_intent": "pi_1"})
    for answer in ((200, {}), (200, "<html>"), (500, {"error": {"message": SECRET_KEY}}), (409, {}), (302, {})):
        monkeypatch.setattr(pretend, "answer", lambda request, given=answer: given)
        for call in (
            lambda: gateway.start(details(), customer=CUSTOMER, urls=URLS),
            lambda: gateway.query(payment),
            lambda: gateway.refund(payment, amount=Decimal(1), key="r"),
            gateway.check,
        ):
            with pytest.raises(GatewayUnreachable) as problem:
                call()
            assert SECRET_KEY not in str(problem.value)
