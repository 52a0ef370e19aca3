"""Random sequences of payments, orders and reports, compared with a small model in whole millionths."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from orders.buying import checkout
from orders.errors import InsufficientFunds, OrderInvalid
from orders.ledger import audit, transfers
from orders.lifecycle import fulfillment
from orders.models import Account, Order
from orders.models.order import EventKind
from orders.rules.state_machine import Progress, Status
from tests import factories

RATES = {"0.90": 90_000_000, "0.00012": 12_000, "33.33333333": 3_333_333_333}
MOVING = ["pending", "processing", "in_progress"]
REMAINS = st.none() | st.integers(-10, 2500) | st.sampled_from([0, -(10**20), 10**20])
ANY = st.integers(0, 10**6)


@dataclass
class Known:
    """An order in the model; amounts in millionths."""

    pk: int
    quantity: int
    charge: int
    status: str = "queued"
    refunded: int = 0
    remains: int | None = None

    def report(self, word: str | None, remains: int | None) -> None:
        left = None if remains is None else min(max(remains, 0), self.quantity)
        if self.status in ("canceled", "failed"):
            return
        if word == "canceled":
            self.end("canceled")
        elif word == "completed" and self.status != "partial":
            self.status, self.remains = "completed", 0
        elif word == "partial" and left is not None:
            if self.status != "partial" or left > (self.remains or 0):
                self.status, self.remains = "partial", left
                self.refunded = max(self.refunded, self.charge * left // self.quantity)
        elif word in MOVING and self.status not in ("completed", "partial"):
            self.remains = self.remains if left is None else left
            rank = MOVING.index(self.status) if self.status in MOVING else -1
            self.status = MOVING[max(rank, MOVING.index(word))]

    def end(self, status: str) -> None:
        self.status, self.refunded, self.remains = status, self.charge, self.quantity


class Story(RuleBasedStateMachine):
    @initialize()
    def open_the_shop(self) -> None:
        self.frame = transaction.atomic()
        self.frame.__enter__()
        self.buyer = factories.user()
        self.wallet = factories.wallet(self.buyer)
        self.services = {rate: factories.service(rate=rate, max_quantity=2000) for rate in RATES}
        self.balance = 0
        self.paid_in: dict[str, int] = {}
        self.requests: dict[str, int] = {}
        self.orders: list[Known] = []
        self.most_refunded: dict[int, Decimal] = {}

    def teardown(self) -> None:
        if hasattr(self, "frame"):
            transaction.set_rollback(True)
            self.frame.__exit__(None, None, None)

    def pick(self, which: int) -> Known:
        return self.orders[which % len(self.orders)]

    def settle(self, order: Known, before: int) -> None:
        self.balance += order.refunded - before

    # -------------------------------------------------------------------------------------------- payments
    @rule(reference=st.sampled_from("abcdefgh"), units=st.integers(1, 2_000_000))
    def pay_in(self, reference: str, units: int) -> None:
        units = self.paid_in.get(reference, units)
        if reference not in self.paid_in:
            self.paid_in[reference] = units
            self.balance += units
        transfers.credit_payment(self.wallet, amount=Decimal(units).scaleb(-6), gateway="story", reference=reference)

    # -------------------------------------------------------------------------------------------- buying
    @rule(
        rate=st.sampled_from(sorted(RATES)),
        quantity=st.integers(1, 2000),
        request=st.none() | st.sampled_from("xyz"),
    )
    def buy(self, rate: str, quantity: int, request: str | None) -> None:
        charge = -(-RATES[rate] * quantity // 100_000)
        inputs = {"link": "@me", "quantity": str(quantity)}
        try:
            order = checkout.place_order(self.buyer, service=self.services[rate], inputs=inputs, request_id=request)
        except InsufficientFunds:
            assert charge > self.balance
            assert request not in self.requests
            return
        if request in self.requests:
            assert order.pk == self.requests[request]
            return
        assert charge <= self.balance
        self.balance -= charge
        self.orders.append(Known(order.pk, quantity, charge))
        if request:
            self.requests[request] = order.pk

    @rule(quantity=st.sampled_from(["0", "-1", "2001", "abc", "", "1e3", "NaN", "9" * 30]))
    def buy_badly(self, quantity: str) -> None:
        inputs = {"link": "@me", "quantity": quantity}
        with pytest.raises(OrderInvalid):
            checkout.place_order(self.buyer, service=self.services["0.90"], inputs=inputs)

    # -------------------------------------------------------------------------------------------- reports
    @precondition(lambda self: self.orders)
    @rule(which=ANY, step=st.sampled_from(["claimed", "accepted", "refused", "doubted", "requeued", "canceled"]))
    def step(self, which: int, step: str) -> None:
        order = self.pick(which)
        before = order.refunded
        sent = order.status in ("submitting", "in_doubt")
        if step == "claimed":
            fulfillment.mark_submitting([order.pk])
            order.status = "submitting" if order.status == "queued" else order.status
        elif step == "accepted":
            fulfillment.accept(order.pk)
            order.status = "pending" if sent else order.status
        elif step == "requeued":
            fulfillment.requeue(order.pk, why=EventKind.NOT_SENT)
            order.status = "queued" if sent else order.status
        elif step == "doubted":
            fulfillment.mark_in_doubt(order.pk)
            order.status = "in_doubt" if order.status == "submitting" else order.status
        elif step == "refused":
            fulfillment.fail(order.pk)
            if sent or order.status == "queued":
                order.end("failed")
        else:
            fulfillment.cancel(order.pk)
            if order.status not in ("failed", "submitting", "in_doubt"):
                order.end("canceled")
        self.settle(order, before)

    @precondition(lambda self: self.orders)
    @rule(which=ANY, status=st.none() | st.sampled_from(Status), remains=REMAINS, times=st.integers(1, 2))
    def report(self, which: int, status: Status | None, remains: int | None, times: int) -> None:
        order = self.pick(which)
        before = order.refunded
        for _ in range(times):
            fulfillment.apply_progress(order.pk, progress=Progress(status=status, remains=remains))
            order.report(status, remains)
        self.settle(order, before)

    # -------------------------------------------------------------------------------------------- invariants
    @invariant()
    def the_books_are_true(self) -> None:
        if not hasattr(self, "frame"):
            return
        assert list(audit.findings()) == []
        assert Account.objects.get(pk=self.wallet.pk).balance == Decimal(self.balance).scaleb(-6)

    @invariant()
    def every_order_is_where_the_model_says_and_refunds_only_grow(self) -> None:
        if not hasattr(self, "frame"):
            return
        rows: dict[int, Any] = Order.objects.filter(user=self.buyer).in_bulk()
        assert set(rows) == {order.pk for order in self.orders}
        for order in self.orders:
            row = rows[order.pk]
            assert (row.status, row.remains) == (order.status, order.remains)
            assert (row.charge, row.refunded) == (Decimal(order.charge).scaleb(-6), Decimal(order.refunded).scaleb(-6))
            assert self.most_refunded.get(order.pk, Decimal(0)) <= row.refunded <= row.charge
            self.most_refunded[order.pk] = row.refunded


@pytest.mark.django_db
@pytest.mark.parametrize("sequences", [50, pytest.param(1000, marks=pytest.mark.prove)])
def test_no_sequence_creates_or_loses_money(sequences: int) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Story,
        settings=settings(
            max_examples=sequences, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
