"""Random histories of payments, refunds, chargebacks, bonuses and orders keep every balance equal to its transfers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from orders.errors import OrdersError
from orders.ledger import audit as books
from orders.ledger import transfers
from orders.lifecycle import fulfillment
from orders.models import Account, Order, Transfer
from storefront.payments import audit, crediting, gateways, reversing
from storefront.payments.gateway import GatewayReport, ReportedState
from storefront.payments.models import DifferencePolicy, Payment, PaymentRefund, RefundStatus
from tests import factories
from tests.storefront.payments import payments
from tests.storefront.payments.test_reversals import Refunding

CENTS = st.integers(1, 3000).map(lambda cents: Decimal(cents) / 100)
STATES = st.sampled_from(list(ReportedState))
STEP = st.one_of(
    st.tuples(st.just("start"), CENTS, st.sampled_from(DifferencePolicy.values)),
    st.tuples(st.just("report"), STATES, st.integers(0, 5), st.one_of(st.none(), CENTS), st.sampled_from("abc")),
    st.tuples(st.just("replay")),
    st.tuples(st.just("approve"), st.integers(0, 5), CENTS),
    st.tuples(st.just("refund"), st.integers(0, 5), CENTS),
    st.tuples(st.just("refunded"), st.sampled_from([RefundStatus.DONE, RefundStatus.FAILED, RefundStatus.UNKNOWN])),
    st.tuples(st.just("bonus"), CENTS),
    st.tuples(st.just("order"), st.integers(1, 40)),
    st.tuples(st.just("cancel")),
    st.tuples(st.just("hold"), st.booleans()),
)


class History:
    """One customer's history; each step either happens as a whole or is refused as a whole."""

    def __init__(self) -> None:
        self.customer = factories.customer("0")
        self.staff = factories.user(is_staff=True)
        self.service = factories.service(rate="5")
        self.started: list[Payment] = []
        self.reports: list[tuple[Payment, GatewayReport]] = []
        self.number = 0

    def take(self, step: tuple[Any, ...]) -> None:
        self.number += 1
        try:
            getattr(self, step[0])(*step[1:])
        except OrdersError as refusal:
            event(f"{step[0]} refused: {type(refusal).__name__}")
        else:
            event(f"{step[0]} done")
        wallet = Account.objects.get(user=self.customer)
        moved = sum(
            (amount if target == wallet.pk else -amount)
            for amount, target in Transfer.objects.filter(wallet=wallet).values_list("amount", "target_id")
        )
        assert wallet.balance == moved >= 0
        assert wallet.debt >= 0

    def start(self, amount: Decimal, policy: str) -> None:
        method = payments.demo_method(difference_policy=policy, minimum=Decimal("0.01"))
        self.started.append(payments.start(self.customer, method, str(amount)))

    def report(self, state: ReportedState, which: int, amount: Decimal | None, entry: str) -> None:
        if not self.started:
            return
        payment = self.started[which % len(self.started)]
        facts = GatewayReport(
            state=state, reference=payment.reference, amount=amount, currency=payment.pay_currency,
            entry_id=f"{state.value}-{entry}",
        )  # fmt: skip
        self.reports.append((payment, facts))
        self._apply(payment, facts)

    def replay(self) -> None:
        """Repeat all reports, as gateways do. None of them changes a balance."""
        before = Account.objects.get(user=self.customer)
        for payment, facts in self.reports[-3:]:
            if facts.state in (ReportedState.PAID, ReportedState.REFUNDED, ReportedState.CHARGED_BACK):
                self._apply(payment, facts)
        after = Account.objects.get(user=self.customer)
        assert (before.balance, before.debt) == (after.balance, after.debt)

    def _apply(self, payment: Payment, facts: GatewayReport) -> None:
        assert payment.method is not None
        crediting.apply_report(payment.method, facts)

    def approve(self, which: int, amount: Decimal) -> None:
        if self.started:
            chosen = self.started[which % len(self.started)]
            crediting.approve(chosen, amount=amount, actor=self.staff, reason="seen")

    def refund(self, which: int, amount: Decimal) -> None:
        if self.started:
            chosen = self.started[which % len(self.started)]
            reversing.request_refund(chosen, amount=amount, reason="asked", actor=self.staff)

    def refunded(self, status: RefundStatus) -> None:
        refund = (
            PaymentRefund.objects.filter(payment__user=self.customer).exclude(status__in=["done", "failed"]).first()
        )
        if refund:
            reversing.end_refund(refund, status=status)

    def bonus(self, amount: Decimal) -> None:
        wallet = transfers.open_wallet(self.customer)
        transfers.book_bonus(wallet, amount=amount, reference=f"history:{wallet.pk}:{self.number}")

    def order(self, quantity: int) -> None:
        factories.order(self.customer, self.service, quantity=str(quantity * 100))

    def cancel(self) -> None:
        order = Order.objects.filter(user=self.customer, refunded=0).first()
        if order:
            fulfillment.cancel(order.pk)

    def hold(self, is_held: bool) -> None:
        transfers.set_held(transfers.open_wallet(self.customer), is_held=is_held)


def audited() -> list[str]:
    return [line for line in books.findings() if "bonus" not in line] + list(audit.findings())


def _run(steps: list[tuple[Any, ...]]) -> None:
    """Take the steps and audit the books; the next history starts with empty ones."""
    with transaction.atomic():
        history = History()
        for step in steps:
            history.take(step)
        for payment in Payment.objects.filter(user=history.customer):
            assert 0 <= payment.reversed_amount <= payment.credited_amount
        assert audited() == []
        transaction.set_rollback(True)


@pytest.fixture
def _refunding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gateways.GATEWAYS, "demo", Refunding)


HISTORIES = st.lists(STEP, min_size=3, max_size=25)
OPTIONS: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@pytest.mark.django_db
@pytest.mark.usefixtures("_refunding")
@settings(max_examples=40, derandomize=True, **OPTIONS)
@given(steps=HISTORIES)
def test_random_histories_keep_the_books(steps: list[tuple[Any, ...]]) -> None:
    _run(steps)


@pytest.mark.prove
@pytest.mark.django_db
@pytest.mark.usefixtures("_refunding")
@settings(max_examples=10_000, **OPTIONS)
@given(steps=HISTORIES)
def test_ten_thousand_random_histories_keep_the_books(steps: list[tuple[Any, ...]]) -> None:
    _run(steps)
