"""Affiliates: links and clicks, referrals, commissions through all their states, transfers, and the pages."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from orders.ledger import audit as books
from orders.ledger import bonus_money, transfers
from orders.models import Account
from providers.worker.schedules import sync_schedules
from storefront.accounts.models import User
from storefront.payments import crediting
from storefront.promotions import affiliates, audit, listeners, referral_links, tasks
from storefront.promotions.models import (
    ONLY,
    Affiliate,
    AffiliatePayout,
    Bonus,
    Commission,
    PromotionSettings,
    Referral,
)
from tests import factories
from tests.orders.parallel import together
from tests.storefront.payments import payments
from tests.storefront.promotions.promotions import coupon, pay, reverse, step

SIGN_UP = {"email": "new@example.com", "password1": "a-long-password-of-words"}


@pytest.fixture
def program(db: None) -> PromotionSettings:
    """The affiliate program with its defaults: 5 % after 14 days, from 10."""
    made = PromotionSettings.objects.create(pk=ONLY, is_affiliates_on=True)
    affiliates.clear_cache()
    return made


@pytest.fixture
def anna(program: PromotionSettings, nadia: User) -> Affiliate:
    """Nadia's affiliate row."""
    return affiliates.join(nadia)


def referred(affiliate: Affiliate, **details: Any) -> User:
    user = factories.customer("0", **details)
    assert affiliates.refer(user, code=affiliate.code)
    return user


def balance(user: User) -> Decimal:
    return Account.objects.get(user=user).balance or Decimal(0)


def sums(affiliate: Affiliate) -> tuple[Decimal, Decimal, Decimal]:
    found = affiliates.figures(affiliate)
    return found.pending, found.available, found.paid


def wait(days: int = 15) -> int:
    """Let ``days`` pass for all commissions, and run the task."""
    for row in Commission.objects.all():
        Commission.objects.filter(pk=row.pk).update(matures_at=row.matures_at - timedelta(days=days))
    return affiliates.mature()


# ------------------------------------------------------------------------------------------------ links and sign-up
@pytest.mark.parametrize("path", ["/r/{}/", "/?ref={}", "/r/{}", "/?ref=%20{}"])
def test_a_link_counts_one_click_and_is_taken_at_sign_up(anna: Affiliate, client: Client, path: str) -> None:
    for _ in range(3):
        answer = client.get(path.format(anna.code), follow=True)
        assert answer.status_code == 200
    cookie = client.cookies["ref"]
    assert (cookie.value, cookie["max-age"], cookie["httponly"]) == (anna.code, 30 * 86_400, True)
    anna.refresh_from_db()
    assert anna.clicks == 1
    client.post("/account/signup/", SIGN_UP)
    assert Referral.objects.get().affiliate == anna
    assert Referral.objects.get().user.email == "new@example.com"


def test_the_last_link_counts_and_an_unknown_one_does_not(anna: Affiliate, client: Client) -> None:
    other = affiliates.join(factories.customer("0"))
    for code in (anna.code, other.code.upper(), "unknown", "x" * 100, "%00"):
        client.get("/", {"ref": code})
    client.post("/account/signup/", SIGN_UP)
    assert Referral.objects.get().affiliate == other


def test_nothing_is_counted_or_remembered_without_the_program(anna: Affiliate, client: Client, page: Client) -> None:
    page.get(f"/r/{anna.code}/")
    client.head(f"/r/{anna.code}/")
    PromotionSettings.objects.update(is_affiliates_on=False)
    affiliates.clear_cache()
    client.get(f"/r/{anna.code}/")
    anna.refresh_from_db()
    assert (anna.clicks, "ref" in client.cookies, "ref" in page.cookies) == (0, False, False)


def test_a_paused_affiliate_gets_no_sign_ups(anna: Affiliate, client: Client) -> None:
    client.get(f"/r/{anna.code}/")
    Affiliate.objects.update(is_active=False)
    client.post("/account/signup/", SIGN_UP)
    assert User.objects.filter(email="new@example.com").exists()
    assert not Referral.objects.exists()


def test_a_script_cannot_count_clicks_without_end(anna: Affiliate) -> None:
    for _ in range(referral_links.CLICKS_PER_MINUTE + 5):
        Client().get(f"/r/{anna.code}/")
    anna.refresh_from_db()
    assert anna.clicks == referral_links.CLICKS_PER_MINUTE


def test_nobody_refers_themselves(program: PromotionSettings, client: Client, settings: Any) -> None:
    owner = factories.customer("0", email="otto@gmail.com", password="a-long-password-of-words")
    own = affiliates.join(owner)
    second = factories.customer("0", email="o.tto+2@gmail.com")
    assert affiliates.refer(second, code=own.code) is None
    assert affiliates.refer(owner, code=own.code) is None
    # In the browser in which the affiliate was signed in, another address does not help either.
    client.post("/account/login/", {"login": "otto@gmail.com", "password": "a-long-password-of-words"})
    client.post("/account/logout/")
    client.get(f"/r/{own.code}/")
    client.post("/account/signup/", SIGN_UP)
    assert User.objects.filter(email="new@example.com").exists()
    assert not Referral.objects.exists()


def test_a_failing_referral_does_not_keep_the_account_from_opening(
    anna: Affiliate, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(user: Any, **facts: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(affiliates, "refer", fail)
    client.get(f"/r/{anna.code}/")
    client.post("/account/signup/", SIGN_UP)
    assert User.objects.filter(email="new@example.com").exists()


# ------------------------------------------------------------------------------------------------ commissions
def test_a_commission_is_pending_then_available_then_transferred(anna: Affiliate, nadia: User) -> None:
    buyer = referred(anna)
    pay(buyer, "199.99")
    pay(buyer, "1")
    assert sums(anna) == (Decimal("10.04"), 0, 0)  # 9.99 + 0.05, rounded down
    assert affiliates.mature() == 0
    assert wait(13) == 0
    assert wait(2) == 2
    assert sums(anna) == (0, Decimal("10.04"), 0)
    payout = affiliates.pay_out(nadia)
    assert (payout.amount, balance(nadia), bonus_money.refundable(nadia)) == (Decimal("10.04"), Decimal("10.04"), 0)
    assert sums(anna) == (0, 0, Decimal("10.04"))
    with pytest.raises(affiliates.PayoutRefused):
        affiliates.pay_out(nadia)
    assert Bonus.objects.get().reference == f"affiliate:{payout.pk}"


def test_what_is_no_payment_earns_nothing(anna: Affiliate) -> None:
    buyer = referred(anna)
    step("10", "10")
    coupon()
    wallet = transfers.open_wallet(buyer)
    transfers.adjust(wallet, amount=Decimal(500), reference="gift")
    transfers.credit_payment(wallet, amount=Decimal(500), gateway="import", reference="old")
    crediting.credit_reported(buyer, amount=Decimal(500), method="Bonus", memo="x", actor=factories.staff())
    assert not Commission.objects.exists()
    pay(buyer, "100", coupon_code="SPRING")
    assert sums(anna)[0] == 5  # of the 100 that were paid, not of the bonuses


def test_customers_without_a_link_and_closed_programs_earn_nothing(anna: Affiliate) -> None:
    pay(factories.customer("0"), "100")
    buyer = referred(anna)
    pay(buyer, "1")
    Commission.objects.all().delete()
    Affiliate.objects.update(is_active=False)
    pay(buyer, "100")
    Affiliate.objects.update(is_active=True)
    User.objects.filter(pk=anna.user_id).update(is_active=False)
    pay(buyer, "100")
    User.objects.filter(pk=anna.user_id).update(is_active=True)
    PromotionSettings.objects.update(is_affiliates_on=False)
    pay(buyer, "100")
    assert not Commission.objects.exists()


def test_an_affiliate_can_have_a_percentage_of_its_own(anna: Affiliate) -> None:
    buyer = referred(anna)
    Affiliate.objects.filter(pk=anna.pk).update(percent=Decimal("12.5"))
    pay(buyer, "100")
    Affiliate.objects.filter(pk=anna.pk).update(percent=Decimal(0))
    pay(buyer, "100")
    assert sums(anna)[0] == Decimal("12.50")


def test_a_payment_in_parts_has_one_commission(anna: Affiliate) -> None:
    buyer = referred(anna)
    payments.demo_method(difference_policy="credit")
    payment = payments.demo(buyer, "100")
    for number, amount in enumerate(("60", "50")):
        payments.deliver(payments.webhook_of(payment, id=f"part-{number}", amount=amount))
    row = Commission.objects.get()
    assert (row.paid, row.amount) == (110, Decimal("5.50"))


def test_a_reversal_reduces_and_cancels_a_commission(anna: Affiliate) -> None:
    buyer = referred(anna)
    first, second = pay(buyer, "100"), pay(buyer, "200")
    reverse(first, "33.33")
    assert sums(anna)[0] == Decimal("3.33") + 10
    wait()
    reverse(first, "66.67")
    reverse(second, "200")
    assert sums(anna) == (0, 0, 0)
    assert set(Commission.objects.values_list("status", flat=True)) == {"canceled"}
    reverse(second, "1")
    assert wait() == 0


def test_a_transferred_commission_is_set_off_against_later_ones(anna: Affiliate, nadia: User) -> None:
    buyer = referred(anna)
    payment = pay(buyer, "300")
    wait()
    affiliates.pay_out(nadia)
    reverse(payment, "100")
    reverse(payment, "100")
    assert sums(anna) == (0, Decimal(-10), 15)
    assert balance(nadia) == 15
    pay(buyer, "300")
    wait()
    assert sums(anna) == (0, 5, 15)
    with pytest.raises(affiliates.PayoutRefused):
        affiliates.pay_out(nadia)
    pay(buyer, "100")
    wait()
    assert affiliates.pay_out(nadia).amount == 10
    assert (balance(nadia), sums(anna)) == (25, (0, 0, 25))
    reverse(payment, "100")
    assert sums(anna)[1] == -5


def test_a_failing_commission_does_not_keep_a_payment_from_being_credited(
    anna: Affiliate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(payment: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(affiliates, "earn", fail)
    buyer = referred(anna)
    pay(buyer, "100")
    assert balance(buyer) == 100


def test_a_listener_called_twice_makes_one_commission(anna: Affiliate) -> None:
    payment = pay(referred(anna), "100")
    listeners.payment_credited(payment, amount=Decimal(100))
    assert Commission.objects.count() == 1


def test_the_task_is_scheduled(anna: Affiliate) -> None:
    sync_schedules(tasks.SCHEDULES)
    pay(referred(anna), "100")
    Commission.objects.update(matures_at=timezone.now())
    tasks.mature()
    assert Commission.objects.get().status == "available"


@pytest.mark.django_db(transaction=True)
def test_transfers_and_reversals_at_once_pay_each_commission_once() -> None:
    PromotionSettings.objects.create(pk=ONLY, is_affiliates_on=True, affiliate_minimum=Decimal(1))
    affiliates.clear_cache()
    owner = factories.customer("0")
    anna = affiliates.join(owner)
    made = [pay(referred(anna), "100") for _ in range(4)]
    wait()
    calls: list[Any] = [lambda: affiliates.pay_out(owner) for _ in range(4)]
    calls += [lambda payment=payment: reverse(payment, "50") for payment in made]
    results = together(calls)
    assert {type(result) for result in results} <= {AffiliatePayout, affiliates.PayoutRefused, type(None)}
    pending, available, paid = sums(anna)
    assert (pending, available + paid) == (0, 10)
    assert balance(owner) == paid
    assert [*books.findings(), *audit.findings()] == []


def test_the_audit_reports_a_wrong_transfer(anna: Affiliate, nadia: User) -> None:
    pay(referred(anna), "300")
    wait()
    payout = affiliates.pay_out(nadia)
    Commission.objects.update(amount=Decimal(14))
    assert list(audit.findings()) == [
        f"transfer of commissions {payout.pk}: it says 15.00, its commissions total 14.00, and its bonus is 15.00"
    ]
    Commission.objects.update(amount=Decimal(15))
    Bonus.objects.update(reference="affiliate:77")
    assert "bonus affiliate:77: there is no transfer of commissions" in list(audit.findings())
    Bonus.objects.update(reference=f"affiliate:{payout.pk}")


# ------------------------------------------------------------------------------------------------ pages
def test_the_page_is_hidden_while_the_program_is_off(page: Client, nadia: User) -> None:
    cache.delete(affiliates._NAME)
    assert page.get("/affiliates/").status_code == 404
    assert page.post("/affiliates/join/").status_code == 404
    assert "/affiliates/" not in page.get("/services/").content.decode()
    page.post("/affiliates/transfer/")
    assert not Bonus.objects.exists()


def test_a_customer_joins_and_sees_link_and_earnings(
    page: Client, nadia: User, program: PromotionSettings, settings: Any
) -> None:
    assert 'href="/affiliates/"' in page.get("/services/").content.decode()
    text = page.get("/affiliates/").content.decode()
    assert "Join the program" in text
    assert "earn 5%" in text
    assert page.post("/affiliates/join/").status_code == 302
    page.post("/affiliates/join/")
    anna = Affiliate.objects.get()
    text = page.get("/affiliates/").content.decode()
    assert f"{settings.SHOP_URL}/r/{anna.code}/" in text
    assert "No earnings yet" in text
    buyer = referred(anna, email="secret.buyer@example.com")
    pay(buyer, "300")
    text = page.get("/affiliates/").content.decode()
    assert "+$15.00" in text
    assert "secret.buyer" not in text
    answer = page.post("/affiliates/transfer/", follow=True)
    assert "You can transfer your earnings when at least $10.00 is available." in answer.content.decode()
    wait()
    answer = page.post("/affiliates/transfer/", follow=True)
    assert "$15.00 added to your balance." in answer.content.decode()
    assert "Affiliate earnings" in page.get("/wallet/").content.decode()
    assert Client().get("/affiliates/").status_code == 302


def test_a_closed_program_still_pays_what_was_earned(page: Client, nadia: User, anna: Affiliate) -> None:
    pay(referred(anna), "300")
    wait()
    PromotionSettings.objects.update(is_affiliates_on=False)
    affiliates.clear_cache()
    assert "The affiliate program is closed." in page.get("/affiliates/").content.decode()
    page.post("/affiliates/transfer/")
    assert balance(nadia) == 15


def test_staff_see_affiliates_with_their_sums(anna: Affiliate, nadia: User) -> None:
    office = factories.signed_in(User.objects.create_superuser("boss@example.com", "secret"))
    buyer = referred(anna)
    payment = pay(buyer, "300")
    text = office.get("/admin/promotions/affiliate/").content.decode()
    assert nadia.email in text
    assert "$15.00" in text
    assert nadia.email in office.get(f"/admin/promotions/affiliate/?q={anna.code}").content.decode()
    url = f"/admin/promotions/affiliate/{anna.pk}/change/"
    assert office.get(url).status_code == 200
    assert office.post(url, {"percent": "7"}).status_code == 302
    anna.refresh_from_db()
    assert (anna.is_active, anna.percent) == (False, 7)
    listed = office.get(f"/admin/promotions/commission/?q={payment.reference}").content.decode()
    assert buyer.email in listed
    assert office.get(f"/admin/promotions/commission/{Commission.objects.get().pk}/change/").status_code == 200
    assert office.get("/admin/promotions/affiliate/add/").status_code == 403
    assert factories.signed_in(factories.staff()).get("/admin/promotions/commission/").status_code == 403


def test_switching_the_program_on_shows_it_at_once(
    page: Client, nadia: User, django_capture_on_commit_callbacks: Any
) -> None:
    office = factories.signed_in(User.objects.create_superuser("boss@example.com", "secret"))
    office.get("/admin/promotions/promotionsettings/", follow=True)
    form = {
        "welcome_amount": "0", "is_affiliates_on": "on", "affiliate_percent": "5", "affiliate_days": "14",
        "affiliate_minimum": "10",
    }  # fmt: skip
    assert page.get("/affiliates/").status_code == 404
    with django_capture_on_commit_callbacks(execute=True):
        assert office.post("/admin/promotions/promotionsettings/1/change/", form).status_code == 302
    assert page.get("/affiliates/").status_code == 200
