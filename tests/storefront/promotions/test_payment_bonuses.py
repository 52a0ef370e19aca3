"""Bonuses on payments: which step counts, limits, what a reversal takes back, and the pages."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders.ledger import audit as books
from orders.ledger import bonus_money, transfers
from orders.models import Account, Transfer
from storefront.accounts.models import User
from storefront.payments import crediting, payment_rows
from storefront.payments.gateway import ReportedState
from storefront.promotions import affiliates, audit, granting, listeners, payment_bonuses
from storefront.promotions.models import ONLY, Bonus, Commission, PaymentBonus, PromotionSettings
from tests import factories
from tests.orders.parallel import together
from tests.storefront.payments import payments
from tests.storefront.payments.test_reversals import report
from tests.storefront.promotions.promotions import pay, reverse, step


def balance(user: User) -> Decimal:
    return Account.objects.get(user=user).balance or Decimal(0)


def test_without_payment_bonuses_a_payment_gets_none(nadia: User) -> None:
    pay(nadia, "500")
    assert balance(nadia) == 500
    assert not Bonus.objects.exists()


@pytest.mark.parametrize(
    ("paid", "bonus"),
    [("99.99", "0"), ("100", "3"), ("100.99", "3.02"), ("499", "14.97"), ("500", "30"), ("1000", "60")],
)
def test_the_highest_step_that_is_reached_counts(nadia: User, paid: str, bonus: str) -> None:
    step("100", "3")
    step("500", "5", fixed=Decimal(5) if paid == "500" else Decimal(10))
    pay(nadia, paid)
    assert balance(nadia) == Decimal(paid) + Decimal(bonus)


def test_a_bonus_is_a_transfer_of_its_own(nadia: User) -> None:
    made = step()
    payment = pay(nadia, "200")
    transfer = Transfer.objects.get(reference=f"bonus:payment:{payment.pk}")
    assert (transfer.kind, transfer.amount, transfer.source.code) == ("bonus", 6, "bonuses")
    assert bonus_money.refundable(nadia) == 200
    made.refresh_from_db()
    assert made.given == 6


def test_a_repeated_webhook_gives_one_bonus(nadia: User) -> None:
    step()
    payment = payments.demo(nadia, "100")
    for _ in range(3):
        payments.deliver(payments.webhook_of(payment))
    assert balance(nadia) == 103


def test_a_bonus_can_be_limited_to_a_gateway_or_a_method(nadia: User) -> None:
    bank = payments.bank()
    step("10", "1")
    step("20", "10", method=str(bank.pk))
    step("30", "20", method="transfer")
    step("40", "50", method="demo-other")
    pay(nadia, "40")
    assert balance(nadia) == Decimal("40.40")
    for amount, bonus in (("20", "2"), ("30", "6")):
        before = balance(nadia)
        payment = payments.manual(nadia, amount, bank)
        crediting.approve(
            payment, amount=Decimal(amount), actor=factories.staff(email=f"{amount}@example.com"), reason="-"
        )
        assert balance(nadia) - before == Decimal(amount) + Decimal(bonus)


def test_reported_payments_get_only_their_own_bonus(nadia: User) -> None:
    step("10", "3")
    staff = factories.staff()
    crediting.credit_reported(nadia, amount=Decimal(100), method="Wire", memo="1", actor=staff)
    assert balance(nadia) == 100
    step("10", "2", method="reported")
    crediting.credit_reported(nadia, amount=Decimal(100), method="Wire", memo="2", actor=staff)
    assert balance(nadia) == 202


@pytest.mark.parametrize(
    "details",
    [
        {"is_active": False},
        {"starts_at": timezone.now() + timedelta(hours=1)},
        {"ends_at": timezone.now() - timedelta(hours=1)},
        {"budget": Decimal(5), "given": Decimal(0), "uses_per_customer": 0},
    ],
)
def test_a_bonus_that_is_not_running_gives_nothing(nadia: User, details: dict[str, Any]) -> None:
    step(**details)
    pay(nadia, "100")
    assert balance(nadia) == 100
    assert payment_bonuses.texts(nadia) == []


def test_a_customer_reaches_the_limit_of_uses_and_then_the_next_lower_step(nadia: User) -> None:
    step("10", "1")
    step("50", "10", uses_per_customer=2)
    other = factories.customer("0")
    assert [pay(nadia, "50") and balance(nadia) for _ in range(3)] == [55, 110, Decimal("160.5")]
    assert payment_bonuses.texts(nadia) == ["+1% from $10.00"]
    pay(other, "50")
    assert balance(other) == 55


def test_the_budget_is_used_up_to_its_last_part(nadia: User) -> None:
    made = step("10", "10", budget=Decimal(25))
    for _ in range(4):
        pay(nadia, "100")
    made.refresh_from_db()
    assert (made.given, balance(nadia)) == (25, 425)
    assert payment_bonuses.texts(nadia) == []


def test_a_reversal_takes_the_bonus_back_in_proportion(nadia: User) -> None:
    made = step("100", "3")
    payment = pay(nadia, "100")
    reverse(payment, "33.33")
    assert balance(nadia) == Decimal("66.67") + Decimal("2.00")
    reverse(payment, "66.67")
    assert balance(nadia) == 0
    bonus = Bonus.objects.get()
    made.refresh_from_db()
    assert (bonus.taken_back, bonus.reversed_amount, made.given) == (3, 100, 0)


def test_a_spent_bonus_is_taken_back_as_far_as_the_balance_reaches(nadia: User) -> None:
    step("10", "10")
    payment = pay(nadia, "10")
    factories.order(nadia, factories.service(rate="105"))  # 10.50 of 11
    reverse(payment, "10")
    assert balance(nadia) == 0
    bonus = Bonus.objects.get()
    assert (granting.owed(bonus), bonus.taken_back) == (1, 0)
    factories.wallet(nadia, "5")
    reverse(payment, "0")
    assert balance(nadia) == 4


def test_a_failing_promotion_does_not_keep_a_payment_from_being_credited(
    nadia: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(payment: Any) -> None:
        granting.give(payment.user, source="payment", reference="half", amount=Decimal(1))  # type: ignore[arg-type]
        raise ZeroDivisionError

    step()
    monkeypatch.setattr(payment_bonuses, "give", fail)
    payment = pay(nadia, "100")
    assert balance(nadia) == 100
    assert not Bonus.objects.exists()
    assert f"payments.payment {payment.pk}" in caplog.text
    assert listeners.payment_credited(payment, amount=Decimal(100)) is None


@pytest.mark.django_db(transaction=True)
def test_payments_at_once_do_not_exceed_the_budget_or_the_uses() -> None:
    people = [factories.customer("0") for _ in range(4)]
    made = step("10", "10", budget=Decimal("2.50"), uses_per_customer=1)
    started = [payments.demo(one, "10") for one in people for _ in range(2)]
    calls = [
        lambda payment=payment: payments.deliver(payments.webhook_of(payment, id=payment.reference))
        for payment in started
    ]
    assert [answer.status_code for answer in together(calls)] == [200] * 8
    made.refresh_from_db()
    assert made.given == Decimal("2.50")
    given = [balance(one) - 20 for one in people]
    assert sorted(given) == [0, Decimal("0.5"), 1, 1]
    assert [*books.findings(), *audit.findings()] == []


# ------------------------------------------------------------------------------------------------ pages
def test_the_form_shows_the_bonuses_that_the_customer_can_get(page: Client, nadia: User) -> None:
    assert "Bonuses on this payment" not in page.get("/wallet/add-funds/").content.decode()
    bank = payments.bank("Postbank")
    step("100", "3")
    step("500", "0", fixed=Decimal(25), method=str(bank.pk))
    step("900", "2.5", fixed=Decimal(5))
    text = page.get("/wallet/add-funds/").content.decode()
    for shown in ("+3% from $100.00", "+$25.00 from $500.00 with Postbank", "+2.5% and $5.00 from $900.00"):
        assert shown in text


def test_the_payment_page_shows_its_bonus(page: Client, nadia: User) -> None:
    step("10", "3")
    payment = pay(nadia, "10")
    assert "+$0.30" in page.get(f"/wallet/payments/{payment.reference}/").content.decode()
    reverse(payment, "10")
    assert "+$0.30" not in page.get(f"/wallet/payments/{payment.reference}/").content.decode()


# ------------------------------------------------------------------------------------------------ audit
def test_the_audit_reports_each_difference(nadia: User) -> None:
    made = step("10", "10")
    payment = pay(nadia, "10")
    bonus = Bonus.objects.get()

    Bonus.objects.update(amount=Decimal(2))
    assert f"bonus payment:{payment.pk}: its row says 2.00, but the balance received 1.00" in list(audit.findings())
    Bonus.objects.update(amount=Decimal(1), taken_back=Decimal("0.5"))
    assert any("that 0.50 was taken back, but the balance returned 0.00" in line for line in audit.findings())
    Bonus.objects.update(taken_back=Decimal(0), reference="elsewhere")
    found = list(audit.findings())
    assert f"there is no bonus for the transfer bonus:payment:{payment.pk}" in found
    assert "bonus elsewhere: its row says 1.00, but the balance received 0.00" in found
    Bonus.objects.update(reference=bonus.reference)
    PaymentBonus.objects.update(given=Decimal(7))
    assert list(audit.findings()) == [f"payment bonus {made.pk}: 7.00 counts as given, but its bonuses total 1.00"]
    PaymentBonus.objects.update(given=Decimal(1))


# ------------------------------------------------------------------------------------------------ back office
@pytest.mark.django_db
def test_staff_set_up_a_bonus_and_see_what_was_given() -> None:
    boss = User.objects.create_superuser("boss@example.com", "secret")
    payments.demo_method()
    office = factories.signed_in(boss)
    form = {"from_amount": "100", "percent": "0", "fixed": "0", "method": "", "is_active": "on"}
    refused = office.post("/admin/promotions/paymentbonus/add/", form)
    assert "Enter a percentage or a fixed amount." in refused.content.decode()
    refused = office.post("/admin/promotions/paymentbonus/add/", {**form, "percent": "101"})
    assert "Enter a percentage of at most 100." in refused.content.decode()
    saved = office.post("/admin/promotions/paymentbonus/add/", {**form, "percent": "3", "method": "demo"})
    assert saved.status_code == 302
    buyer = factories.customer("0")
    payment = pay(buyer, "100")
    assert "+3% from $100.00" in office.get("/admin/promotions/paymentbonus/").content.decode()
    shown = office.get(f"/admin/promotions/bonus/?q={payment.reference}").content.decode()
    assert buyer.email in shown
    assert "$3.00" in shown
    bonus = Bonus.objects.get()
    assert office.get(f"/admin/promotions/bonus/{bonus.pk}/change/").status_code == 200
    assert office.post(f"/admin/promotions/bonus/{bonus.pk}/change/", {}).status_code == 403
    assert factories.signed_in(factories.staff()).get("/admin/promotions/bonus/").status_code == 403


def test_a_dispute_that_is_won_gives_bonus_and_commission_again(nadia: User) -> None:
    made = step("10", "10")
    PromotionSettings.objects.create(pk=ONLY, is_affiliates_on=True, affiliate_minimum=Decimal(1))
    affiliates.clear_cache()
    owner = factories.customer("0")
    anna = affiliates.join(owner)
    affiliates.refer(nadia, code=anna.code)
    first, second = pay(nadia, "100"), pay(nadia, "50")
    Commission.objects.filter(payment_number=second.pk).update(status="available")
    affiliates.pay_out(owner)
    for _ in range(2):
        reverse(first, "100")
        reverse(second, "50")
        made.refresh_from_db()
        assert (balance(nadia), made.given) == (0, 0)
        assert affiliates.figures(anna).available == Decimal("-2.50")
        payment_rows.notify(["storefront.promotions.listeners.payment_reversed"], first, amount=Decimal(-100))
        payment_rows.notify(["storefront.promotions.listeners.payment_reversed"], second, amount=Decimal(-50))
        made.refresh_from_db()
        assert (balance(nadia), made.given) == (15, 15)
        found = affiliates.figures(anna)
        assert (found.pending, found.available, found.paid) == (5, 0, Decimal("2.50"))
        transfers.adjust(nadia.wallet, amount=Decimal(150), reference=f"restored-{made.given}-{_}")


def test_reports_of_a_gateway_take_a_bonus_back_and_give_it_again(nadia: User) -> None:
    step("10", "10")
    payment = pay(nadia, "100")
    report(payment, ReportedState.CHARGED_BACK, "40", "c1")
    assert balance(nadia) == 66
    report(payment, ReportedState.DISPUTE_WON, None, "c1")
    assert balance(nadia) == 110
    report(payment, ReportedState.REFUNDED, "100", "r1")
    assert balance(nadia) == 0
