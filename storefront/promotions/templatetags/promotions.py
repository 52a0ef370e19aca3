"""Template tags with which pages of other features show promotions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import template

from storefront.promotions import affiliates, coupons, payment_bonuses
from storefront.promotions.models import Coupon

register = template.Library()


@register.simple_tag
def payment_bonus_texts(user: Any) -> list[str]:
    """Return the texts of the bonuses on the next payment: ``{% payment_bonus_texts user as texts %}``."""
    return payment_bonuses.texts(user)


@register.simple_tag
def has_coupons() -> bool:
    """Return whether a coupon can be entered with a payment: ``{% has_coupons as has_coupons %}``."""
    return Coupon.objects.usable().for_payments().exists()


@register.simple_tag
def has_vouchers() -> bool:
    """Return whether there is a voucher to redeem: ``{% has_vouchers as has_vouchers %}``."""
    return Coupon.objects.usable().vouchers().exists()


@register.simple_tag
def is_coupon_used(payment: Any) -> bool:
    """Return whether a credited payment got the bonus of its coupon: ``{% is_coupon_used payment as is_used %}``."""
    return coupons.is_used(payment)


@register.simple_tag
def payment_bonus(payment: Any) -> Decimal:
    """Return the bonus of a credited payment: ``{% payment_bonus payment as bonus %}``."""
    return payment_bonuses.of_payment(payment)


@register.simple_tag
def has_affiliates() -> bool:
    """Return whether the affiliate program is on: ``{% has_affiliates as has_affiliates %}``."""
    return affiliates.is_on()
