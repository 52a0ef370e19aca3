"""Coupons, which add a bonus to a payment, and vouchers, which are redeemed without one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar

from django.core.cache import caches
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from orders.errors import OrdersError
from orders.models import Transfer
from orders.models.ledger import TransferKind
from storefront.promotions import bonus_amounts, granting, payment_bonuses
from storefront.promotions.models import Bonus, BonusSource, Coupon, CouponType
from storefront.web import formats

_Result = TypeVar("_Result")
#: How many wrong codes a customer can enter within the time below, in seconds. Nobody finds a code by trying.
WRONG_CODES_MAX, WRONG_CODES_WITHIN = 20, 3600


class CouponProblem(Enum):
    """Why a code cannot be used."""

    UNKNOWN = "unknown"
    NEEDS_PAYMENT = "needs_payment"
    IS_VOUCHER = "is_voucher"
    EXPIRED = "expired"
    USED_UP = "used_up"
    USED = "used"
    NOT_FIRST = "not_first"
    TOO_SMALL = "too_small"
    TOO_MANY_WRONG = "too_many_wrong"


class CouponRefused(OrdersError):
    """The code cannot be used, because of ``problem``. ``coupon`` is None if there is no such code."""

    def __init__(self, problem: CouponProblem, coupon: Coupon | None = None) -> None:
        super().__init__(problem.value)
        self.problem = problem
        self.coupon = coupon


def normalize(code: str) -> str:
    """Return the form in which codes are stored."""
    return code.strip().upper()


def check(user: Any, code: str, *, amount: Decimal) -> str:
    """Check a coupon before a payment of ``amount`` starts.

    Returns:
        A text for the customer that says why the coupon cannot be used; "" if it can be used now.
    """
    try:
        _with_limit(user, lambda: _find_usable(user, code, amount=amount))
    except CouponRefused as refusal:
        return text_of(refusal)
    return ""


def use(payment: Any) -> Bonus | None:
    """Give the bonus of the coupon that was entered with the credited ``payment``. Call it in a transaction.

    A coupon that was used up or used by the customer since then gives nothing.

    Returns:
        The bonus; None if the coupon cannot be used any more.
    """
    granting.lock_wallet(payment.user)
    if is_used(payment):
        return None
    try:
        coupon = _find_usable(
            payment.user,
            payment.coupon_code,
            amount=payment.credited_amount,
            at=payment.created_at,
            this_payment=f"payment:{payment.gateway}:{payment.reference}",
            is_locked=True,
        )
    except CouponRefused:
        return None
    amount = size(coupon, payment.credited_amount)
    if amount <= 0:
        return None
    return _give(
        payment.user,
        coupon,
        source=BonusSource.COUPON,
        reference=f"coupon:{payment.pk}",
        amount=amount,
        payment_number=payment.pk,
        payment_reference=payment.reference,
        paid=payment.credited_amount,
    )


def redeem(user: Any, code: str) -> Bonus:
    """Add the amount of a voucher to the customer's balance, once per customer.

    Raises:
        CouponRefused: There is no such voucher, or it cannot be used.
    """
    return _with_limit(user, lambda: _redeem(user, code))


def size(coupon: Coupon, paid: Decimal) -> Decimal:
    """Return the bonus for a payment of ``paid``, rounded down to the smallest unit of the store currency."""
    if coupon.type != CouponType.PERCENT:
        return coupon.amount
    bonus = bonus_amounts.of_payment(paid, percent=coupon.percent, fixed=Decimal(0), unit=granting.smallest_unit())
    return bonus if coupon.maximum is None else min(bonus, coupon.maximum)


def is_used(payment: Any) -> bool:
    """Return whether ``payment`` got the bonus of its coupon."""
    return Bonus.objects.filter(payment_number=payment.pk, coupon__isnull=False).exists()


# ------------------------------------------------------------------------------------------------ texts


def describe(coupon: Coupon) -> str:
    """Return what the coupon adds: "+10%", "+10% up to $50.00" or "+$5.00"."""
    if coupon.type != CouponType.PERCENT:
        return formats.money(coupon.amount, is_signed=True)
    text = payment_bonuses.size(coupon.percent, Decimal(0))
    if coupon.maximum is None:
        return text
    return _("%(bonus)s up to %(amount)s") % {"bonus": text, "amount": formats.money(coupon.maximum)}


def text_of(refusal: CouponRefused) -> str:
    """Return what happened and what the customer can do."""
    minimum = refusal.coupon.minimum if refusal.coupon else Decimal(0)
    return {
        CouponProblem.UNKNOWN: _("This code is not valid. Check the spelling."),
        CouponProblem.NEEDS_PAYMENT: _("This code is a coupon for a payment. Enter it when you add funds."),
        CouponProblem.IS_VOUCHER: _("This code is a voucher. Redeem it on the page “Transactions”."),
        CouponProblem.EXPIRED: _("This code has expired."),
        CouponProblem.USED_UP: _("This code has been used up."),
        CouponProblem.USED: _("You have already used this code."),
        CouponProblem.NOT_FIRST: _("This code is only for your first payment."),
        CouponProblem.TOO_SMALL: _("This code requires a payment of at least %s.") % formats.money(minimum),
        CouponProblem.TOO_MANY_WRONG: _("You entered too many wrong codes. Try again in an hour."),
    }[refusal.problem]


# ------------------------------------------------------------------------------------------------ the rules


@transaction.atomic
def _redeem(user: Any, code: str) -> Bonus:
    granting.lock_wallet(user)
    coupon = _find_usable(user, code, amount=None, is_locked=True)
    return _give(
        user, coupon, source=BonusSource.VOUCHER, reference=f"voucher:{coupon.pk}:{user.pk}", amount=coupon.amount
    )


def _give(user: Any, coupon: Coupon, **details: Any) -> Bonus:
    """Count one use of the coupon, whose row is locked, and give its bonus."""
    coupon.uses += 1
    coupon.save(update_fields=["uses"])
    return granting.give(user, coupon=coupon, note=coupon.code, **details)


def _find_usable(
    user: Any,
    code: str,
    *,
    amount: Decimal | None,
    at: datetime | None = None,
    this_payment: str = "",
    is_locked: bool = False,
) -> Coupon:
    """Return the coupon with this code if ``user`` can use it.

    Args:
        amount: The amount of the payment; None to redeem a voucher.
        at: When the code was entered; now if omitted.
        this_payment: The ledger reference of the payment that is being credited, which is not an earlier payment.
        is_locked: Whether to lock the coupon's row, so that its uses cannot change until the end of the transaction.

    Raises:
        CouponRefused: The code cannot be used.
    """
    coupons = Coupon.objects.select_for_update() if is_locked else Coupon.objects.all()
    coupon = coupons.filter(code=normalize(code), is_active=True).first()
    if coupon is None:
        raise CouponRefused(CouponProblem.UNKNOWN)
    if (coupon.type == CouponType.VOUCHER) != (amount is None):
        raise CouponRefused(CouponProblem.NEEDS_PAYMENT if amount is None else CouponProblem.IS_VOUCHER, coupon)
    if coupon.expires_at is not None and coupon.expires_at <= (at or timezone.now()):
        raise CouponRefused(CouponProblem.EXPIRED, coupon)
    if coupon.is_once_per_customer and Bonus.objects.filter(coupon=coupon, user=user).exists():
        raise CouponRefused(CouponProblem.USED, coupon)
    if coupon.max_uses is not None and coupon.uses >= coupon.max_uses:
        raise CouponRefused(CouponProblem.USED_UP, coupon)
    if coupon.is_first_payment_only and _has_paid(user, before=this_payment):
        raise CouponRefused(CouponProblem.NOT_FIRST, coupon)
    if amount is not None and amount < coupon.minimum:
        raise CouponRefused(CouponProblem.TOO_SMALL, coupon)
    return coupon


def _has_paid(user: Any, *, before: str) -> bool:
    """Return whether the customer has a payment in the ledger other than ``before`` and its later parts."""
    payments = Transfer.objects.filter(wallet__user=user, kind=TransferKind.PAYMENT)
    return payments.exclude(Q(reference=before) | Q(reference__startswith=f"{before}:")).exists()


def _with_limit(user: Any, act: Callable[[], _Result]) -> _Result:
    """Call ``act`` unless the customer has entered too many unknown codes; count an unknown code."""
    counters, key = caches["counters"], f"coupon:{user.pk}"
    if (counters.get(key) or 0) >= WRONG_CODES_MAX:
        raise CouponRefused(CouponProblem.TOO_MANY_WRONG)
    try:
        return act()
    except CouponRefused as refusal:
        if refusal.problem is CouponProblem.UNKNOWN and not counters.add(key, 1, WRONG_CODES_WITHIN):
            with suppress(ValueError):  # evicted between the two calls by many other keys
                counters.incr(key)
        raise
