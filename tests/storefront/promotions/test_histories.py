"""Random histories of payments, reversals, orders and every kind of bonus keep books, limits and balances right."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from orders.errors import InsufficientFunds
from orders.ledger import audit as books
from orders.ledger import bonus_money, transfers
from orders.lifecycle import fulfillment
from orders.models import Account, Order, Transfer
from orders.models.ledger import TransferKind
from storefront.accounts.models import User
from storefront.payments.models import Payment
from storefront.promotions import affiliates, audit, coupons, granting, welcome
from storefront.promotions.models import (
    ONLY,
    Bonus,
    BonusSource,
    Commission,
    Coupon,
    PaymentBonus,
    PromotionSettings,
)
from tests import factories
from tests.storefront.promotions.promotions import coupon, pay, reverse, step, voucher


class History:
    """A shop with all promotions switched on, in which random things happen to three customers."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        PromotionSettings.objects.create(
            pk=ONLY, is_affiliates_on=True, affiliate_minimum=Decimal(1), welcome_amount=Decimal(1),
            welcome_budget=Decimal(2),
        )  # fmt: skip
        affiliates.clear_cache()
        self.people = [factories.customer("0") for _ in range(3)]
        for referred in self.people[1:]:
            affiliates.refer(referred, code=affiliates.join(self.people[0]).code)
        step("10", "3.33", budget=Decimal(5))
        step("40", "7", fixed=Decimal("0.51"), uses_per_customer=3)
        coupon(max_uses=4, maximum=Decimal(3))
        voucher("GIFT", "2.37", max_uses=2)
        self.service = factories.service(rate="7.77")
        self.reversed: dict[int, Decimal] = {}
        self.paid_out: dict[int, Decimal] = {one.pk: Decimal(0) for one in self.people}
        self.acts: list[Callable[[User], object]] = [
            self.pay, self.pay, self.reverse, self.order, self.order, self.cancel, self.redeem, self.confirm,
            self.wait, self.transfer, self.refund,
        ]  # fmt: skip

    def happen(self) -> None:
        self.random.choice(self.acts)(self.random.choice(self.people))

    def cents(self, most: int) -> Decimal:
        return Decimal(self.random.randint(1, most * 100)) / 100

    def pay(self, user: User) -> None:
        pay(user, str(max(self.cents(80), Decimal(1))), coupon_code=self.random.choice(["", "", "SPRING", "NONE"]))

    def reverse(self, user: User) -> None:
        payments = list(Payment.objects.filter(user=user).order_by("pk"))
        if payments:
            payment = self.random.choice(payments)
            left = payment.credited_amount - self.reversed.get(payment.pk, Decimal(0))
            part = min(left, self.cents(80))
            if part:
                self.reversed[payment.pk] = self.reversed.get(payment.pk, Decimal(0)) + part
                reverse(payment, str(part))

    def order(self, user: User) -> None:
        with suppress(InsufficientFunds):
            factories.order(user, self.service, status="pending", quantity=str(self.random.randint(1, 9000)),
                            link=f"https://example.com/{self.random.random()}")  # fmt: skip

    def cancel(self, user: User) -> None:
        order = Order.objects.filter(user=user, status="pending").order_by("?").first()
        if order:
            fulfillment.cancel(order.pk)

    def redeem(self, user: User) -> None:
        with suppress(coupons.CouponRefused):
            coupons.redeem(user, "gift")

    def confirm(self, user: User) -> None:
        welcome.give(user)

    def wait(self, _user: User) -> None:
        Commission.objects.filter(status="pending").update(matures_at=timezone.now() - timedelta(days=1))
        affiliates.mature()

    def transfer(self, _user: User) -> None:
        with suppress(affiliates.PayoutRefused):
            affiliates.pay_out(self.people[0])

    def refund(self, user: User) -> None:
        """Pay out a part of what may leave the shop, as the back office does."""
        wallet = granting.lock_wallet(user)
        part = min(bonus_money.refundable(user), self.cents(30))
        if part:
            self.paid_out[user.pk] += part
            transfers.adjust(wallet, amount=-part, reference=f"out:{self.random.random()}")


def check(history: History) -> None:
    """Assert what has to be true after every step."""
    assert [*books.findings(), *audit.findings()] == []
    for user in history.people:
        balance = Account.objects.get(user=user).balance
        assert balance is not None
        assert balance >= 0
        assert 0 <= bonus_money.refundable(user) <= balance
        paid_in = sum(
            Transfer.objects.filter(wallet__user=user, kind=TransferKind.PAYMENT).values_list("amount", flat=True),
            Decimal(0),
        )
        # No bonus has left the shop: what was paid out and what may still be paid out was paid in.
        assert history.paid_out[user.pk] + bonus_money.refundable(user) <= paid_in
    for made in PaymentBonus.objects.exclude(budget=None):
        assert made.given <= made.budget
    for code in Coupon.objects.exclude(max_uses=None):
        assert code.uses <= (code.max_uses or 0)
    welcomed = Bonus.objects.filter(source=BonusSource.WELCOME)
    assert sum(bonus.amount for bonus in welcomed) <= 2
    for bonus in Bonus.objects.all():
        assert bonus.taken_back <= granting.owed(bonus) <= bonus.amount


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(8))
def test_random_histories_keep_every_rule(seed: int) -> None:
    history = History(seed)
    for _ in range(45):
        history.happen()
        check(history)
    assert Bonus.objects.exists()
