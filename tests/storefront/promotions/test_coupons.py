"""Coupons on payments and vouchers without one: every rule, its message, and many uses at once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from orders.ledger import audit as books
from orders.ledger import bonus_money, transfers
from orders.models import Account, Transfer
from storefront.accounts.models import User
from storefront.payments import checks, crediting
from storefront.payments.models import Payment
from storefront.promotions import audit, coupons
from storefront.promotions.coupons import CouponProblem, CouponRefused
from storefront.promotions.models import Bonus, Coupon
from tests import factories
from tests.orders.parallel import together
from tests.storefront.payments import payments
from tests.storefront.promotions.promotions import coupon, pay, reverse, step, voucher

FORM = "/wallet/add-funds/"


def balance(user: User) -> Decimal:
    return Account.objects.get(user=user).balance or Decimal(0)


def enter(page: Client, code: str, amount: str = "50") -> Any:
    return page.post(FORM, {"amount": amount, "method": payments.demo_key(), "coupon": code})


# ------------------------------------------------------------------------------------------------ with a payment
@pytest.mark.parametrize(
    ("details", "paid", "bonus"),
    [
        ({}, "50", "5"),
        ({}, "33.33", "3.33"),
        ({"maximum": Decimal(3)}, "50", "3"),
        ({"type": "fixed", "amount": Decimal("2.50")}, "50", "2.50"),
        ({"minimum": Decimal(50)}, "50", "5"),
        ({"is_first_payment_only": True}, "50", "5"),
    ],
)
def test_a_coupon_adds_its_bonus_when_the_payment_is_credited(
    nadia: User, details: dict[str, Any], paid: str, bonus: str
) -> None:
    made = coupon(**details)
    payment = pay(nadia, paid, coupon_code="SPRING")
    made.refresh_from_db()
    assert balance(nadia) == Decimal(paid) + Decimal(bonus)
    assert (made.uses, coupons.is_used(payment)) == (1, True)
    assert Transfer.objects.get(reference=f"bonus:coupon:{payment.pk}").note == "SPRING"
    assert bonus_money.refundable(nadia) == Decimal(paid)


def test_a_coupon_is_added_to_the_payment_bonus(nadia: User) -> None:
    coupon()
    step("10", "3")
    payment = pay(nadia, "100", coupon_code="SPRING")
    assert balance(nadia) == 113
    reverse(payment, "50")
    assert balance(nadia) == Decimal("56.50")
    reverse(payment, "50")
    assert balance(nadia) == 0


def test_a_customer_enters_the_code_in_any_case_with_the_amount(page: Client, nadia: User) -> None:
    coupon()
    assert enter(page, " spring ").status_code == 302
    payment = Payment.objects.get()
    assert payment.coupon_code == "SPRING"
    payments.deliver(payments.webhook_of(payment))
    assert balance(nadia) == 55
    text = page.get(f"/wallet/payments/{payment.reference}/").content.decode()
    assert "SPRING" in text
    assert "+$5.00" in text
    assert "Not applied" not in text
    assert "Coupon · <bdi>SPRING</bdi>" in page.get("/wallet/").content.decode()


def test_without_a_coupon_in_the_shop_no_field_is_shown(page: Client, nadia: User) -> None:
    payments.demo_method()
    voucher()
    coupon("OLD", expires_at=timezone.now() - timedelta(days=1))
    coupon("OFF", is_active=False)
    coupon("DONE", max_uses=1, uses=1)
    assert 'name="coupon"' not in page.get(FORM).content.decode()
    Coupon.objects.filter(code="DONE").update(uses=0)
    assert 'value="DONE"' in page.get(f"{FORM}?coupon=DONE").content.decode()


@pytest.mark.parametrize(
    ("details", "message"),
    [
        ({"is_active": False}, "This code is not valid. Check the spelling."),
        ({"code": "OTHER"}, "This code is not valid. Check the spelling."),
        ({"expires_at": timezone.now() - timedelta(minutes=1)}, "This code has expired."),
        ({"max_uses": 2, "uses": 2}, "This code has been used up."),
        ({"minimum": Decimal(51)}, "This code requires a payment of at least $51.00."),
        ({"type": "voucher", "amount": Decimal(1)}, "This code is a voucher. Redeem it on the page “Transactions”."),
    ],
)
def test_a_code_that_cannot_be_used_is_refused_with_its_reason(
    page: Client, nadia: User, details: dict[str, Any], message: str
) -> None:
    made = coupon(**details)
    answer = enter(page, "SPRING")
    assert answer.status_code == 200
    assert message in answer.content.decode()
    assert 'value="SPRING"' in answer.content.decode()
    assert not Payment.objects.exists()
    made.delete()


def test_a_code_is_used_once_per_customer_unless_it_says_otherwise(page: Client, nadia: User) -> None:
    made = coupon()
    pay(nadia, "10", coupon_code="SPRING")
    assert "You have already used this code." in enter(page, "SPRING").content.decode()
    Coupon.objects.filter(pk=made.pk).update(is_once_per_customer=False)
    pay(nadia, "10", coupon_code="SPRING")
    assert balance(nadia) == 22


def test_a_code_for_the_first_payment_needs_a_customer_who_never_paid(page: Client, nadia: User) -> None:
    coupon(is_first_payment_only=True)
    transfers.adjust(nadia.wallet, amount=Decimal(3), reference="gift")
    assert enter(page, "SPRING").status_code == 302
    pay(nadia, "10")
    assert "This code is only for your first payment." in enter(page, "SPRING").content.decode()
    second = Payment.objects.get(coupon_code="SPRING")
    payments.deliver(payments.webhook_of(second, id="second"))
    assert balance(nadia) == 63
    assert "Not applied" in page.get(f"/wallet/payments/{second.reference}/").content.decode()


def test_a_coupon_that_expires_while_the_customer_pays_is_kept(nadia: User) -> None:
    made = coupon(expires_at=timezone.now() + timedelta(hours=1))
    payment = payments.demo(nadia, "10", coupon_code="SPRING")
    late = payments.demo(nadia, "10", coupon_code="SPRING")
    Payment.objects.filter(pk=payment.pk).update(created_at=timezone.now() - timedelta(hours=3))
    Coupon.objects.filter(pk=made.pk).update(expires_at=timezone.now() - timedelta(hours=2))
    payments.deliver(payments.webhook_of(late, id="late"))
    assert balance(nadia) == 10
    payments.deliver(payments.webhook_of(payment, id="early"))
    assert balance(nadia) == 21


def test_the_minimum_applies_to_what_was_paid(nadia: User) -> None:
    coupon(minimum=Decimal(50))
    payment = payments.demo(nadia, "50", coupon_code="SPRING")
    crediting.approve(payment, amount=Decimal(40), actor=factories.staff(), reason="paid less")
    assert balance(nadia) == 40


def test_a_payment_that_arrives_in_parts_gets_each_bonus_once(nadia: User) -> None:
    coupon(minimum=Decimal(80))
    made = step("100", "3")
    payments.demo_method(difference_policy="credit")
    payment = payments.demo(nadia, "100", coupon_code="SPRING")
    for number, (amount, total) in enumerate((("60", "60"), ("30", "99"), ("10", "112"), ("50", "162"))):
        payments.deliver(payments.webhook_of(payment, id=f"part-{number}", amount=amount))
        assert balance(nadia) == Decimal(total)
    made.refresh_from_db()
    assert (made.given, Bonus.objects.count()) == (3, 2)
    reverse(payment, "75")
    assert balance(nadia) == Decimal(162) - 75 - Decimal("1.50") - Decimal("4.50")


def test_wrong_codes_are_limited(page: Client, nadia: User) -> None:
    coupon()
    for number in range(coupons.WRONG_CODES_MAX):
        assert "not valid" in enter(page, f"TRY{number}").content.decode()
    assert "too many wrong codes" in enter(page, "SPRING").content.decode()
    other = factories.signed_in(factories.customer("0"))
    assert enter(other, "SPRING").status_code == 302


def test_without_the_setting_coupons_are_ignored(page: Client, nadia: User, settings: Any) -> None:
    assert checks.check_coupon_check(None) == []
    settings.PAYMENT_COUPON_CHECK = "storefront.promotions.coupons.nothing"
    assert [found.id for found in checks.check_coupon_check(None)] == ["payments.E003"]
    settings.PAYMENT_COUPON_CHECK = ""
    assert enter(page, "WRONG").status_code == 302


# ------------------------------------------------------------------------------------------------ vouchers
def test_a_voucher_is_redeemed_once_on_the_transactions_page(page: Client, nadia: User) -> None:
    assert "Redeem a voucher" not in page.get("/wallet/").content.decode()
    made = voucher(max_uses=5)
    assert "Redeem a voucher" in page.get("/wallet/").content.decode()
    answer = page.post("/wallet/voucher/", {"code": "gift"}, follow=True)
    assert "Voucher redeemed; $5.00 added to your balance." in answer.content.decode()
    answer = page.post("/wallet/voucher/", {"code": "GIFT"}, follow=True)
    assert "You have already used this code." in answer.content.decode()
    made.refresh_from_db()
    assert (balance(nadia), made.uses, bonus_money.refundable(nadia)) == (5, 1, 0)
    assert Client().post("/wallet/voucher/", {"code": "GIFT"}).status_code == 302
    assert page.get("/wallet/voucher/").status_code == 405


def test_a_coupon_for_payments_is_not_redeemed(nadia: User) -> None:
    coupon()
    with pytest.raises(CouponRefused) as refusal:
        coupons.redeem(nadia, "SPRING")
    assert refusal.value.problem is CouponProblem.NEEDS_PAYMENT
    assert balance(nadia) == 0


def test_every_problem_has_a_text() -> None:
    made = Coupon(code="X")
    texts = [coupons.text_of(CouponRefused(problem, made)) for problem in CouponProblem]
    assert len(set(texts)) == len(CouponProblem)


# ------------------------------------------------------------------------------------------------ at once
@pytest.mark.django_db(transaction=True)
def test_a_code_is_never_used_more_often_than_allowed() -> None:
    people = [factories.customer("0") for _ in range(6)]
    made, gift = coupon(max_uses=4), voucher(max_uses=3)
    started = [payments.demo(one, "10", coupon_code="SPRING") for one in people for _ in range(2)]
    calls = [
        lambda payment=payment: payments.deliver(payments.webhook_of(payment, id=payment.reference))
        for payment in started
    ]
    calls += [lambda one=one: coupons.redeem(one, "gift") for one in people for _ in range(2)]
    results = together(calls)
    assert [answer.status_code for answer in results[:12]] == [200] * 12
    assert {type(result) for result in results[12:]} == {Bonus, CouponRefused}
    made.refresh_from_db()
    gift.refresh_from_db()
    assert (made.uses, gift.uses) == (4, 3)
    per_person = [Bonus.objects.filter(user=one, coupon=made).count() for one in people]
    assert max(per_person) == 1
    assert sum(balance(one) for one in people) == 6 * 20 + 4 * 1 + 3 * 5
    assert [*books.findings(), *audit.findings()] == []


@pytest.mark.django_db
def test_the_database_refuses_a_use_above_the_maximum() -> None:
    made = coupon(max_uses=1)
    made.uses = 2
    with pytest.raises(IntegrityError):
        made.save()


def test_the_audit_reports_a_wrong_count(nadia: User) -> None:
    made = coupon()
    pay(nadia, "10", coupon_code="SPRING")
    Coupon.objects.update(uses=3)
    assert list(audit.findings()) == ["coupon SPRING: it counts 3 uses, but 1 bonuses were given"]
    Coupon.objects.filter(pk=made.pk).update(uses=1)


# ------------------------------------------------------------------------------------------------ back office
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"percent": "0"}, "Enter a percentage above zero."),
        ({"type": "fixed"}, "Enter an amount above zero."),
        ({"type": "voucher", "amount": "5", "is_once_per_customer": ""}, "only once per customer"),
        ({"code": "a b"}, "Enter 3 to 40 letters"),
        ({"code": "taken"}, "already exists"),
        ({"max_uses": "0"}, "greater than or equal to 1"),
    ],
)
def test_the_form_refuses_codes_that_cannot_work(changes: dict[str, str], message: str) -> None:
    coupon("TAKEN")
    office = factories.signed_in(User.objects.create_superuser("boss@example.com", "secret"))
    form = {
        "code": "spring", "type": "percent", "percent": "10", "amount": "0", "minimum": "0", "is_active": "on",
        "is_once_per_customer": "on",
    }  # fmt: skip
    answer = office.post("/admin/promotions/coupon/add/", {**form, **changes})
    assert message in answer.content.decode()
    assert office.post("/admin/promotions/coupon/add/", form).status_code == 302
    assert Coupon.objects.filter(code="SPRING").exists()
    assert "+10%" in office.get("/admin/promotions/coupon/?q=spr").content.decode()


def test_the_maximum_cannot_fall_below_the_uses(nadia: User) -> None:
    made = coupon(max_uses=5)
    pay(nadia, "10", coupon_code="SPRING")
    other = factories.customer("0")
    pay(other, "10", coupon_code="SPRING")
    office = factories.signed_in(User.objects.create_superuser("boss@example.com", "secret"))
    form = {
        "code": "SPRING", "type": "percent", "percent": "10", "amount": "0", "minimum": "0", "max_uses": "1",
        "is_active": "on", "is_once_per_customer": "on",
    }  # fmt: skip
    answer = office.post(f"/admin/promotions/coupon/{made.pk}/change/", form)
    assert "The code was used 2 times already." in answer.content.decode()
    assert "2 / 5" in office.get("/admin/promotions/coupon/").content.decode()
    assert nadia.email in office.get(f"/admin/promotions/bonus/?coupon__id__exact={made.pk}").content.decode()
