"""Another amount than requested, money in several parts, and other currencies: every unit is credited or reviewed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from orders.ledger import audit as books
from storefront.accounts.models import User
from storefront.currencies import rates
from storefront.payments import crediting, quotes
from storefront.payments.gateway import GatewayReport, ReportedState
from storefront.payments.models import DifferencePolicy, Payment, PaymentMethod
from tests import factories
from tests.storefront.payments import payments
from tests.storefront.payments.payments import balance, credited_amounts


def report(
    payment: Payment, amount: str | None, entry: str = "a", state: ReportedState = ReportedState.PAID, **facts: Any
) -> Payment:
    assert payment.method is not None
    received = None if amount is None else Decimal(amount)
    named = {"reference": payment.reference, "entry_id": entry, "currency": payment.pay_currency} | facts
    applied = crediting.apply_report(payment.method, GatewayReport(state=state, amount=received, **named))
    assert applied is not None
    assert list(books.findings()) == []
    return applied


@pytest.fixture
def crediting_method(nadia: User) -> PaymentMethod:
    """A method that credits what has arrived, with a tolerance of 1 %."""
    return payments.demo_method(difference_policy=DifferencePolicy.CREDIT, tolerance_percent=Decimal(1))


def test_a_growing_sum_under_one_id_is_left_to_review_as_a_whole(nadia: User) -> None:
    payment = payments.demo(nadia)
    assert report(payment, "5").review_reason == "amount"
    grown = report(payment, "10")
    assert (grown.status, grown.is_in_review, grown.paid_amount) == ("credited", False, Decimal(10))
    assert credited_amounts(payment) == [Decimal(10)]


def test_the_rest_of_a_payment_that_staff_credited_in_part_is_not_lost(nadia: User) -> None:
    payment = payments.demo(nadia)
    report(payment, "5")
    crediting.approve(payment, amount=Decimal(5), actor=factories.staff(), reason="Half came.")
    later = report(payment, "10")
    assert (later.is_in_review, later.review_reason, later.paid_amount) == (True, "additional", Decimal(10))
    assert balance(nadia) == 5


def test_two_halves_add_up(nadia: User) -> None:
    payment = payments.demo(nadia)
    assert report(payment, "5", "a").paid_amount == 5
    both = report(payment, "5", "b")
    assert (both.status, both.paid_amount, both.is_in_review) == ("credited", Decimal(10), False)
    assert balance(nadia) == 10


def test_parts_are_credited_as_they_arrive_if_the_method_says_so(nadia: User, crediting_method: PaymentMethod) -> None:
    payment = payments.demo(nadia)
    report(payment, "4", "a")
    assert balance(nadia) == 4
    report(payment, "4", "a")
    report(payment, "3", "a")  # a smaller amount under a known id is an old report
    assert balance(nadia) == 4
    report(payment, "6", "a")
    report(payment, "7", "b")
    assert credited_amounts(payment) == [Decimal(4), Decimal(2), Decimal(7)]
    assert Payment.objects.get().credited_amount == 13 == balance(nadia)


@pytest.mark.parametrize(("amount", "credited"), [("9.9", "10"), ("10.1", "10"), ("9.89", "9.89"), ("10.11", "10.11")])
def test_a_difference_within_the_tolerance_counts_as_none(
    nadia: User, crediting_method: PaymentMethod, amount: str, credited: str
) -> None:
    report(payments.demo(nadia), amount)
    assert balance(nadia) == Decimal(credited)


def test_the_fee_is_paid_on_top_and_not_credited(nadia: User) -> None:
    method = payments.demo_method(fee_percent=Decimal("2.5"), fee_fixed=Decimal("0.30"))
    payment = payments.start(nadia, method, "10")
    assert (payment.fee, payment.pay_amount) == (Decimal("0.55"), Decimal("10.55"))
    report(payment, "10.55")
    assert balance(nadia) == 10


def test_a_part_of_a_payment_with_a_fee_is_credited_in_proportion(nadia: User) -> None:
    method = payments.demo_method(fee_percent=Decimal(10), difference_policy=DifferencePolicy.CREDIT)
    payment = payments.start(nadia, method, "10")
    report(payment, "5.50")
    assert balance(nadia) == 5


def test_a_payment_in_another_currency_credits_the_frozen_amount(nadia: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "to_pay", lambda amount, currency: (amount * 80, Decimal(80)))
    method = payments.demo_method(currency="RUB")
    payment = payments.start(nadia, method, "10")
    assert (payment.pay_amount, payment.pay_currency, payment.exchange_rate) == (Decimal(800), "RUB", Decimal(80))
    monkeypatch.setattr(rates, "to_pay", lambda amount, currency: (amount * 90, Decimal(90)))
    report(payment, "800")
    assert balance(nadia) == 10


def test_an_amount_that_the_proof_does_not_cover_is_the_requested_one(nadia: User) -> None:
    report(payments.demo(nadia), None, currency="")
    assert balance(nadia) == 10


def test_a_test_payment_never_credits_a_live_method(nadia: User) -> None:
    payment = payments.demo(nadia)
    tested = report(payment, "10", is_test=True)
    assert (tested.status, tested.review_reason) == ("waiting", "test")
    assert balance(nadia) == 0
    payments.demo_method(is_test=True)
    payment.refresh_from_db()
    report(payment, "10", is_test=True)
    assert balance(nadia) == 10


@pytest.mark.parametrize("state", [ReportedState.REFUNDED, ReportedState.CHARGED_BACK, ReportedState.DISPUTED])
def test_what_happens_after_the_credit_is_told_to_staff(nadia: User, state: ReportedState) -> None:
    payment = payments.demo(nadia)
    report(payment, "10")
    after = report(payment, "4", "r1", state)
    assert after.is_in_review
    assert state.value in after.remark


@pytest.mark.parametrize("reference", ["abcd", "{compact}", "{lower}", "{spaced}"])
def test_a_reference_is_found_as_gateways_return_it(nadia: User, reference: str) -> None:
    payment = payments.demo(nadia)
    text = reference.format(
        compact=payment.reference.replace("-", ""),
        lower=payment.reference.lower(),
        spaced=payment.reference.replace("-", " "),
    )
    assert payment.method is not None
    facts = GatewayReport(state=ReportedState.PAID, reference=text, amount=Decimal(10), currency="USD")
    found = crediting.apply_report(payment.method, facts)
    assert (found is None) == (reference == "abcd")


def test_a_payment_is_found_by_its_number_or_the_gateways_when_the_reference_is_unknown(nadia: User) -> None:
    payment = payments.demo(nadia)
    Payment.objects.filter(pk=payment.pk).update(upstream_id="inv-1")
    assert payment.method is not None
    for facts in ({"number": payment.pk}, {"upstream_id": "inv-1"}, {"number": 2**70, "upstream_id": "inv-1"}):
        pending = GatewayReport(state=ReportedState.PENDING, reference="ZZZZ-ZZZZ-ZZZZ", **facts)
        assert crediting.apply_report(payment.method, pending) == payment


def test_the_quote_of_a_method_without_fee_is_the_amount() -> None:
    method = PaymentMethod(gateway="demo", name="x", minimum=Decimal(1))
    asked = quotes.quote(method, Decimal("12.34"))
    assert (asked.fee, asked.pay_amount, asked.pay_currency) == (Decimal(0), Decimal("12.34"), "USD")
