"""Refunds, disputes and chargebacks after the credit: the balance, debts and the books stay exact."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import pytest
from django.test import Client

from orders.errors import BalanceHeld
from orders.ledger import audit as books
from orders.ledger import transfers
from orders.models import Account
from storefront.accounts.models import User
from storefront.mail.models import Email, EmailKind
from storefront.payments import crediting, gateways, refunding, reversing
from storefront.payments import errors as payment_errors
from storefront.payments.gateway import (
    GatewayRejected,
    GatewayReport,
    GatewayUnreachable,
    Next,
    PaymentDetails,
    Redirect,
    RefundResult,
    RefundState,
    ReportedState,
)
from storefront.payments.gateways.demo import Demo
from storefront.payments.models import Payment, PaymentRefund, RefundStatus
from tests import factories
from tests.storefront.payments import payments
from tests.storefront.payments.payments import balance

REFUNDED, CHARGED_BACK = ReportedState.REFUNDED, ReportedState.CHARGED_BACK


def report(
    payment: Payment, state: ReportedState, amount: str | None = None, entry: str = "r1", **facts: Any
) -> Payment:
    assert payment.method is not None
    named = {"reference": payment.reference, "currency": payment.pay_currency, "entry_id": entry} | facts
    received = None if amount is None else Decimal(amount)
    applied = crediting.apply_report(payment.method, GatewayReport(state=state, amount=received, **named))
    assert applied is not None
    assert list(books.findings()) == []
    return applied


def credited(user: User, amount: str = "10") -> Payment:
    payment = payments.demo(user, amount)
    return report(payment, ReportedState.PAID, amount, "p1")


def wallet_of(user: User) -> Account:
    return Account.objects.get(user=user)


def spend(user: User, amount: str) -> None:
    transfers.adjust(wallet_of(user), amount=-Decimal(amount), reference=f"spent-{amount}-{user.pk}")


@pytest.mark.parametrize("state", [REFUNDED, CHARGED_BACK])
def test_a_reversed_payment_leaves_the_balance(nadia: User, state: ReportedState) -> None:
    payment = credited(nadia)
    after = report(payment, state, "10")
    assert (after.reversed_amount, after.kept_amount, balance(nadia)) == (Decimal(10), 0, 0)
    assert (after.is_in_review, after.review_reason) == (True, "reversed")
    assert wallet_of(nadia).is_held == (state is CHARGED_BACK)


def test_a_repeated_report_takes_nothing_more(nadia: User) -> None:
    payment = credited(nadia)
    for _ in range(3):
        report(payment, REFUNDED, "4")
    assert balance(nadia) == 6
    report(payment, REFUNDED, "7")  # the gateway reports the growing total under one number
    assert balance(nadia) == 3
    report(payment, CHARGED_BACK, "10", "c1")
    assert (balance(nadia), wallet_of(nadia).debt) == (0, 0)


def test_what_the_balance_does_not_cover_becomes_a_debt_that_later_payments_settle(nadia: User) -> None:
    payment = credited(nadia)
    spend(nadia, "7")
    report(payment, CHARGED_BACK, "10")
    assert (balance(nadia), wallet_of(nadia).debt) == (0, Decimal(7))
    credited(nadia, "5")
    assert (balance(nadia), wallet_of(nadia).debt) == (0, Decimal(2))
    credited(nadia, "5")
    assert (balance(nadia), wallet_of(nadia).debt) == (Decimal(3), 0)


def test_a_won_dispute_gives_the_money_back_once_and_settles_the_debt(nadia: User) -> None:
    payment = credited(nadia)
    spend(nadia, "7")
    report(payment, ReportedState.DISPUTED, None, "d1")
    report(payment, CHARGED_BACK, "10", "d1")
    for _ in range(2):
        won = report(payment, ReportedState.DISPUTE_WON, None, "d1")
    assert (won.reversed_amount, balance(nadia), wallet_of(nadia).debt) == (0, Decimal(3), 0)


def test_a_balance_on_hold_buys_nothing(nadia: User) -> None:
    credited(nadia)
    transfers.set_held(wallet_of(nadia), is_held=True)
    with pytest.raises(BalanceHeld):
        factories.order(nadia)
    transfers.set_held(wallet_of(nadia), is_held=False)
    factories.order(nadia)


@pytest.mark.parametrize("state", [ReportedState.DISPUTED, CHARGED_BACK])
def test_staff_are_told_once_by_email(nadia: User, state: ReportedState) -> None:
    staff = factories.staff("change_payment")
    payment = credited(nadia)
    for _ in range(2):
        report(payment, state, "10", "d1")
    told = Email.objects.filter(kind=EmailKind.STAFF)
    assert [email.user for email in told] == [staff]


def test_a_reversal_before_the_credit_ends_the_payment(nadia: User) -> None:
    payment = payments.demo(nadia)
    assert report(payment, REFUNDED, "10").status == "refused"
    assert balance(nadia) == 0


# ------------------------------------------------------------------------------------------------ refunds by staff


class Refunding(Demo):
    """The demo gateway as one that can refund. ``outcome`` is its answer."""

    can_refund = True
    outcome: ClassVar[RefundResult | Exception] = RefundResult(state=RefundState.DONE, refund_id="r1")
    calls: ClassVar[list[tuple[Decimal, str]]] = []

    def start(self, payment: PaymentDetails, **facts: Any) -> Next:
        return Next(action=Redirect(url="/somewhere/"))

    def refund(self, payment: PaymentDetails, *, amount: Decimal, key: str) -> RefundResult:
        self.calls.append((amount, key))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.fixture
def refunds(monkeypatch: pytest.MonkeyPatch) -> type[Refunding]:
    monkeypatch.setitem(gateways.GATEWAYS, "demo", Refunding)
    monkeypatch.setattr(Refunding, "calls", [])
    monkeypatch.setattr(Refunding, "outcome", RefundResult(state=RefundState.DONE, refund_id="r1"))
    return Refunding


def request(payment: Payment, amount: str = "10") -> PaymentRefund:
    actor = User.objects.filter(email="staff@example.com").first() or factories.staff()
    return reversing.request_refund(payment, amount=Decimal(amount), reason="Asked for it.", actor=actor)


def test_a_refund_leaves_the_balance_first_and_is_sent_once(nadia: User, refunds: type[Refunding]) -> None:
    payment = credited(nadia)
    refund = request(payment, "4")
    assert (balance(nadia), refunds.calls) == (Decimal(6), [])
    assert (refunding.send_due(), refunding.send_due()) == (1, 0)
    assert refunds.calls == [(Decimal(4), f"{payment.reference}-refund-{refund.pk}")]
    refund.refresh_from_db()
    assert (refund.status, refund.refund_id) == ("done", "r1")
    assert list(books.findings()) == []


@pytest.mark.parametrize("entry", ["r1", "charge-1"])
def test_the_gateways_report_of_our_own_refund_takes_nothing_more(
    nadia: User, refunds: type[Refunding], entry: str
) -> None:
    payment = credited(nadia)
    request(payment, "4")
    refunding.send_due()
    report(payment, REFUNDED, "4", entry)
    assert balance(nadia) == 6
    report(payment, REFUNDED, "7", entry)  # 3 more were refunded at the gateway itself
    assert balance(nadia) == 3


def test_a_refused_refund_returns_to_the_balance(nadia: User, refunds: type[Refunding]) -> None:
    refunds.outcome = GatewayRejected("too old")
    payment = credited(nadia)
    refund = request(payment)
    refunding.send_due()
    refund.refresh_from_db()
    payment.refresh_from_db()
    assert (refund.status, refund.problem, payment.reversed_amount, balance(nadia)) == (
        "failed",
        "too old",
        0,
        Decimal(10),
    )
    assert list(books.findings()) == []


def test_a_refused_refund_of_a_payment_that_was_charged_back_returns_nothing(
    nadia: User, refunds: type[Refunding]
) -> None:
    refunds.outcome = GatewayRejected("charged back")
    payment = credited(nadia)
    request(payment, "4")
    report(payment, CHARGED_BACK, "10", "c1")
    assert balance(nadia) == 0
    refunding.send_due()
    payment.refresh_from_db()
    assert (payment.reversed_amount, balance(nadia), wallet_of(nadia).debt) == (Decimal(10), 0, 0)
    assert list(books.findings()) == []


def test_a_refused_refund_of_a_payment_that_was_charged_back_in_part_returns_the_rest(
    nadia: User, refunds: type[Refunding]
) -> None:
    refunds.outcome = GatewayRejected("charged back")
    payment = credited(nadia)
    request(payment, "4")
    report(payment, CHARGED_BACK, "7", "c1")
    refunding.send_due()
    payment.refresh_from_db()
    assert (payment.reversed_amount, balance(nadia)) == (Decimal(7), Decimal(3))
    assert list(books.findings()) == []


def test_the_attempt_to_refund_is_kept_as_evidence(nadia: User, refunds: type[Refunding]) -> None:
    refunds.outcome = GatewayRejected("too old")
    payment = credited(nadia)
    request(payment)
    refunding.send_due()
    event = payment.events.get(source="refund")
    assert (event.state, event.content) == ("failed", "too old")


def test_two_disputes_of_one_payment_are_restored_one_by_one(nadia: User) -> None:
    payment = credited(nadia)
    report(payment, CHARGED_BACK, "6", "d1")
    report(payment, ReportedState.DISPUTE_WON, None, "d1")
    report(payment, CHARGED_BACK, "6", "d2")
    # The notes are cut at their start when they grow too long, so they must not decide about money.
    Payment.objects.filter(pk=payment.pk).update(remark="")
    report(payment, ReportedState.DISPUTE_WON, None, "d2")
    report(payment, ReportedState.DISPUTE_WON, None, "d1")
    payment.refresh_from_db()
    assert (payment.reversed_amount, balance(nadia)) == (0, Decimal(10))


@pytest.mark.parametrize("problem", [GatewayUnreachable("timed out"), ZeroDivisionError()])
def test_a_refund_with_an_unknown_outcome_waits_for_staff(
    nadia: User, refunds: type[Refunding], problem: Exception
) -> None:
    staff = factories.staff("change_payment", email="told@example.com")
    refunds.outcome = problem
    payment = credited(nadia)
    refund = request(payment)
    refunding.send_due()
    refunding.send_due()
    assert len(refunds.calls) == 1
    refund.refresh_from_db()
    assert (refund.status, balance(nadia)) == ("unknown", 0)
    assert Email.objects.filter(kind=EmailKind.STAFF, user=staff).count() == 1
    reversing.end_refund(refund, status=RefundStatus.FAILED)
    assert balance(nadia) == 10
    with pytest.raises(payment_errors.AlreadyEnded):
        reversing.end_refund(refund, status=RefundStatus.FAILED)
    assert list(books.findings()) == []


def test_an_interrupted_refund_is_not_sent_again(nadia: User, refunds: type[Refunding], time_machine: Any) -> None:
    time_machine.move_to("2030-01-01T00:00Z")
    refund = request(credited(nadia))
    assert reversing.claim_refund(refund) is not None
    assert reversing.claim_refund(refund) is None
    assert refunding.send_due() == 0
    time_machine.move_to("2030-01-01T00:06Z")
    refunding.send_due()
    refund.refresh_from_db()
    assert (refund.status, refunds.calls) == ("unknown", [])


def test_bonus_money_and_spent_money_are_not_refunded(nadia: User, refunds: type[Refunding]) -> None:
    payment = credited(nadia)
    transfers.book_bonus(wallet_of(nadia), amount=Decimal(5), reference="gift")
    spend(nadia, "3")
    for amount in ("10.01", "10"):
        with pytest.raises(payment_errors.NotRefundable):
            request(payment, amount)
    request(payment, "7")
    assert balance(nadia) == 5


def test_a_full_refund_in_another_currency_gives_back_what_was_paid(
    nadia: User, refunds: type[Refunding], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storefront.currencies.rates.to_pay", lambda amount, currency: (amount * 80, Decimal(80)))
    method = payments.demo_method(currency="RUB", fee_percent=Decimal(5))
    payment = payments.start(nadia, method, "10")
    report(payment, ReportedState.PAID, "840", "p1")
    request(payment)
    refunding.send_due()
    assert [amount for amount, _key in refunds.calls] == [Decimal(840)]


def test_the_rounding_of_a_part_in_another_currency_is_not_given_back(
    nadia: User, refunds: type[Refunding], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "storefront.currencies.rates.to_pay", lambda amount, currency: (Decimal("833.37"), Decimal("83.337"))
    )
    payment = payments.start(nadia, payments.demo_method(currency="RUB"), "10")
    report(payment, ReportedState.PAID, "833.37", "p1")
    refund = request(payment, "3.33")
    refunding.send_due()
    refund.refresh_from_db()
    report(payment, REFUNDED, str(refund.pay_amount))
    assert (refund.pay_amount, balance(nadia)) == (Decimal("277.51"), Decimal("6.67"))


def test_two_refunds_never_give_back_more_than_was_paid(nadia: User, refunds: type[Refunding]) -> None:
    payment = credited(nadia)
    request(payment, "6")
    with pytest.raises(payment_errors.NotRefundable):
        request(payment, "6")
    request(payment, "4")
    refunding.send_due()
    assert sum(amount for amount, _key in refunds.calls) == 10


def test_staff_refund_hold_and_record_in_the_back_office(nadia: User, refunds: type[Refunding]) -> None:
    boss = factories.signed_in(User.objects.create_superuser("boss@example.com", "x"))
    refunds.outcome = GatewayUnreachable("timed out")
    payment = credited(nadia)
    page = f"/admin/payments/payment/{payment.pk}/"

    def act(name: str, **data: str) -> str:
        return boss.post(f"{page}{name}/", data, follow=True).content.decode()

    assert "Refund of" in act("refund", amount="4", reason="Asked for it.")
    refunding.send_due()
    refund = PaymentRefund.objects.get()
    assert "Record outcome" in boss.get(f"{page}change/").content.decode()
    assert "back in the balance" in act("resolve-refund", refund=str(refund.pk), outcome="failed")
    assert balance(nadia) == 10
    assert "is on hold" in act("hold", is_held="on")
    assert wallet_of(nadia).is_held
    assert "was released" in act("hold")
    assert not wallet_of(nadia).is_held
    assert "At most what is left" in act("refund", amount="11", reason="Too much.")
    assert list(books.findings()) == []


@pytest.mark.parametrize("name", ["refund", "resolve-refund", "hold"])
def test_deciding_about_money_needs_the_permission(nadia: User, name: str) -> None:
    payment = credited(nadia)
    reader = factories.signed_in(factories.staff("view_payment"))
    data = {"amount": "4", "reason": "x", "refund": "1", "outcome": "done", "is_held": "on"}
    assert reader.post(f"/admin/payments/payment/{payment.pk}/{name}/", data).status_code == 403


def test_a_method_without_refunds_has_no_button(nadia: User) -> None:
    boss: Client = factories.signed_in(User.objects.create_superuser("boss@example.com", "x"))
    payment = credited(nadia)
    assert "Refund payment" not in boss.get(f"/admin/payments/payment/{payment.pk}/change/").content.decode()
