"""Template tags with which pages of other features show promotions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import template

from storefront.promotions import payment_bonuses

register = template.Library()


@register.simple_tag
def payment_bonus_texts(user: Any) -> list[str]:
    """Return the texts of the bonuses on the next payment: ``{% payment_bonus_texts user as texts %}``."""
    return payment_bonuses.texts(user)


@register.simple_tag
def payment_bonus(payment: Any) -> Decimal:
    """Return the bonus of a credited payment: ``{% payment_bonus payment as bonus %}``."""
    return payment_bonuses.of_payment(payment)
