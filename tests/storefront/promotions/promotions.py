"""Helpers that create promotions, payments and their reversals."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any

from django.conf import settings
from django.db import transaction

from orders.ledger import transfers
from orders.models import Account
from storefront.accounts.models import User
from storefront.payments import payment_rows
from storefront.payments.models import Payment
from storefront.promotions.models import Coupon, CouponType, PaymentBonus
from tests.storefront.payments import payments

_numbers = count(1)


def step(from_amount: str = "100", percent: str = "3", **details: Any) -> PaymentBonus:
    return PaymentBonus.objects.create(from_amount=Decimal(from_amount), percent=Decimal(percent), **details)


def pay(user: User, amount: str, **details: Any) -> Payment:
    """Pay with the demo gateway, up to the credit."""
    payment = payments.demo(user, amount, **details)
    answer = payments.deliver(payments.webhook_of(payment, id=f"p{next(_numbers)}"))
    assert answer.status_code == 200
    payment.refresh_from_db()
    assert payment.status == "credited"
    return payment


@transaction.atomic
def reverse(payment: Payment, amount: str) -> None:
    """Take ``amount`` of a payment from the balance, as far as it is there, and notify the listeners."""
    wallet = Account.objects.select_for_update().get(user=payment.user)
    taken = min(Decimal(amount), wallet.balance or Decimal(0))
    if taken:
        transfers.adjust(wallet, amount=-taken, reference=f"reverse:{next(_numbers)}")
    payment_rows.notify(settings.PAYMENT_REVERSAL_LISTENERS, payment, amount=Decimal(amount))


def coupon(code: str = "SPRING", **details: Any) -> Coupon:
    """Create a coupon of 10 percent."""
    return Coupon.objects.create(**{"code": code, "percent": Decimal(10), **details})


def voucher(code: str = "GIFT", amount: str = "5", **details: Any) -> Coupon:
    return Coupon.objects.create(code=code, type=CouponType.VOUCHER, amount=Decimal(amount), **details)
