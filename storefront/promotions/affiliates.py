"""The affiliate program: referrals, commissions on the payments of referred customers, and their transfer.

A commission is a percentage of a credited payment. It is pending for some days and then available, and an affiliate
transfers the available sum to the balance. A reversed payment reduces or cancels its commission. If the commission was
transferred before, a deduction is set off against later ones.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from orders.db.money_fields import MoneyField
from orders.errors import OrdersError
from storefront.accounts import known_devices
from storefront.promotions import bonus_amounts, email_addresses, granting
from storefront.promotions.models import (
    ONLY,
    Affiliate,
    AffiliatePayout,
    BonusSource,
    Commission,
    CommissionStatus,
    PromotionSettings,
    Referral,
)
from storefront.promotions.payment_bonuses import REPORTED

CACHE_SECONDS = 30
_NAME = "promotions.has_affiliates"
PAGE_SIZE = 25
#: Characters of codes. Those that are easily confused are left out.
_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"
#: The style sheet's class for each status.
STATUS_CLASSES = {
    CommissionStatus.PENDING: "pending",
    CommissionStatus.AVAILABLE: "processing",
    CommissionStatus.PAID: "completed",
    CommissionStatus.CANCELED: "canceled",
}


class PayoutRefused(OrdersError):
    """Less than ``minimum`` is available, or the customer is no active affiliate."""

    def __init__(self, minimum: Decimal) -> None:
        super().__init__(f"less than {minimum} is available")
        self.minimum = minimum


@dataclass(frozen=True, slots=True)
class AffiliateFigures:
    """What an affiliate's page shows. Amounts are in the store currency; ``available`` can be below zero."""

    sign_ups: int
    pending: Decimal
    available: Decimal
    paid: Decimal


def terms() -> PromotionSettings:
    """Return the settings of the program; the defaults if they were never saved."""
    return PromotionSettings.objects.filter(pk=ONLY).first() or PromotionSettings(pk=ONLY)


def is_on() -> bool:
    """Return whether the program is on, cached for CACHE_SECONDS seconds in each process, because every page asks."""
    cached = cache.get(_NAME)
    if not isinstance(cached, bool):
        cached = PromotionSettings.objects.filter(pk=ONLY, is_affiliates_on=True).exists()
        cache.set(_NAME, cached, CACHE_SECONDS)
    return cached


def clear_cache() -> None:
    """Forget the cached setting: this process shows the change at once, others within CACHE_SECONDS seconds."""
    cache.delete(_NAME)


# ------------------------------------------------------------------------------------------------ affiliates


def join(user: Any) -> Affiliate:
    """Return the customer's affiliate row with its code; create it the first time."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return Affiliate.objects.get_or_create(user=user, defaults={"code": code})[0]


def link(affiliate: Affiliate) -> str:
    return f"{settings.SHOP_URL}{reverse('promotions:referral', args=[affiliate.code])}"


def refer(user: Any, *, code: str, request: Any = None) -> Referral | None:
    """Note that ``user``, who is signing up, came by the link with ``code``.

    Nobody refers themselves: a link of the same mailbox does not count, nor does one of an account that was signed in
    with this browser before.

    Returns:
        The referral; None if the code does not count.
    """
    if not is_on():
        return None
    affiliate = Affiliate.objects.select_related("user").filter(code=code, is_active=True).first()
    if affiliate is None or not affiliate.user.is_active or affiliate.user_id == user.pk:
        return None
    if email_addresses.normalize(affiliate.user.email) == email_addresses.normalize(user.email):
        return None
    if request is not None and known_devices.device_of(request, affiliate.user):
        return None
    return Referral.objects.create(user=user, affiliate=affiliate)


# ------------------------------------------------------------------------------------------------ commissions


def is_referred(user_id: int) -> bool:
    return Referral.objects.filter(user=user_id).exists()


def earn(payment: Any) -> Commission | None:
    """Note the commission on a credited payment. Call it in a transaction.

    Payments that a program of the operator reports earn none, because such programs report bonuses as well. Only real
    payments come here: bonuses, adjustments and imported balances are no payments. A payment that arrives in parts has
    one commission on the sum of them, as long as it is pending.

    Returns:
        The commission; None if the payment earns none.
    """
    referral = Referral.objects.select_related("affiliate__user").filter(user=payment.user_id).first()
    if referral is None or payment.gateway == REPORTED:
        return None
    chosen, affiliate = terms(), referral.affiliate
    if not chosen.is_affiliates_on or not affiliate.is_active or not affiliate.user.is_active:
        return None
    earlier = Commission.objects.select_for_update().filter(payment_number=payment.pk, is_deduction=False).first()
    if earlier is not None:
        if earlier.status == CommissionStatus.PENDING:
            earlier.paid = payment.credited_amount
            earlier.amount = _amount(earlier)
            earlier.save(update_fields=["paid", "amount"])
        return earlier
    commission = Commission(
        affiliate=affiliate,
        referral=referral,
        payment_number=payment.pk,
        payment_reference=payment.reference,
        paid=payment.credited_amount,
        percent=chosen.affiliate_percent if affiliate.percent is None else affiliate.percent,
        matures_at=timezone.now() + timedelta(days=chosen.affiliate_days),
    )
    commission.amount = _amount(commission)
    if not commission.amount:
        return None
    commission.save()
    return commission


def follow_reversal(payment: Any, *, amount: Decimal) -> None:
    """Reduce the commission on ``payment`` after a part of it was refunded or charged back, or raise it again.

    A commission that was transferred stays, and the difference becomes a deduction from later ones.

    Args:
        amount: The part of the payment that is reversed now; negative if a reversal is undone.
    """
    commission = Commission.objects.select_for_update().filter(payment_number=payment.pk, is_deduction=False).first()
    if commission is None:
        return
    before = _amount(commission)
    commission.reversed_amount = max(commission.reversed_amount + amount, Decimal(0))
    after = _amount(commission)
    if commission.status == CommissionStatus.PAID:
        commission.save(update_fields=["reversed_amount"])
        if after != before:
            _correct(commission, after - before)
        return
    commission.amount = after
    if not after:
        commission.status = CommissionStatus.CANCELED
    elif commission.status == CommissionStatus.CANCELED:
        commission.status = CommissionStatus.PENDING
    commission.save(update_fields=["reversed_amount", "amount", "status"])


def mature() -> int:
    """Make the commissions available whose waiting period is over.

    Returns:
        Their number.
    """
    due = Commission.objects.filter(status=CommissionStatus.PENDING, matures_at__lte=timezone.now())
    return due.update(status=CommissionStatus.AVAILABLE)


@transaction.atomic
def pay_out(user: Any) -> AffiliatePayout:
    """Transfer all available commissions of ``user``, less deductions, to the balance as one bonus.

    Raises:
        PayoutRefused: Less than the minimum is available, or the customer is no active affiliate.
    """
    minimum = terms().affiliate_minimum
    affiliate = Affiliate.objects.filter(user=user, is_active=True).first()
    if affiliate is None:
        raise PayoutRefused(minimum)
    granting.lock_wallet(user)
    available = Commission.objects.select_for_update().filter(affiliate=affiliate, status=CommissionStatus.AVAILABLE)
    rows = list(available.order_by("pk"))
    total = sum((row.amount for row in rows), Decimal(0))
    if total <= 0 or total < minimum:
        raise PayoutRefused(minimum)
    payout = AffiliatePayout.objects.create(affiliate=affiliate, amount=total)
    Commission.objects.filter(pk__in=[row.pk for row in rows]).update(status=CommissionStatus.PAID, payout=payout)
    granting.give(user, source=BonusSource.AFFILIATE, reference=f"affiliate:{payout.pk}", amount=total)
    return payout


def _correct(commission: Commission, change: Decimal) -> None:
    """Add a row that changes what is available, because ``commission`` was transferred already."""
    Commission.objects.create(
        affiliate_id=commission.affiliate_id,
        referral_id=commission.referral_id,
        payment_number=commission.payment_number,
        payment_reference=commission.payment_reference,
        paid=commission.paid,
        reversed_amount=commission.reversed_amount,
        percent=commission.percent,
        amount=change,
        is_deduction=True,
        status=CommissionStatus.AVAILABLE,
        matures_at=timezone.now(),
    )


def _amount(commission: Commission) -> Decimal:
    """Return the commission on the part of the payment that was not reversed, rounded down."""
    left = max(commission.paid - commission.reversed_amount, Decimal(0))
    unit = granting.smallest_unit()
    return bonus_amounts.of_payment(left, percent=commission.percent, fixed=Decimal(0), unit=unit)


# ------------------------------------------------------------------------------------------------ figures


def figures(affiliate: Affiliate) -> AffiliateFigures:
    rows = affiliate.commissions.order_by().values_list("status").annotate(total=Sum("amount"))
    sums: dict[str, Decimal] = dict(rows)
    return AffiliateFigures(
        sign_ups=affiliate.referrals.count(),
        pending=sums.get(CommissionStatus.PENDING, Decimal(0)),
        available=sums.get(CommissionStatus.AVAILABLE, Decimal(0)),
        paid=sums.get(CommissionStatus.PAID, Decimal(0)),
    )


def with_figures(rows: QuerySet[Affiliate]) -> QuerySet[Affiliate]:
    """Add ``sign_up_count``, ``pending_sum``, ``available_sum`` and ``paid_sum`` to each affiliate."""
    of_affiliate = Commission.objects.filter(affiliate=OuterRef("pk")).order_by().values("affiliate")
    sums = {
        f"{status.value}_sum": Coalesce(
            Subquery(of_affiliate.filter(status=status).annotate(total=Sum("amount")).values("total")),
            Value(Decimal(0), output_field=MoneyField()),
            output_field=MoneyField(),
        )
        for status in (CommissionStatus.PENDING, CommissionStatus.AVAILABLE, CommissionStatus.PAID)
    }
    sign_ups = Referral.objects.filter(affiliate=OuterRef("pk")).order_by().values("affiliate")
    count = Coalesce(Subquery(sign_ups.annotate(count=Count("pk")).values("count")), 0)
    annotated: QuerySet[Affiliate] = rows.annotate(sign_up_count=count, **sums)
    return annotated
