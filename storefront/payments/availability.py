"""Whether a payment method can be used, and to which customers it is shown."""

from __future__ import annotations

from collections.abc import Set

from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.utils.translation import gettext_lazy as _

from storefront.payments import gateways
from storefront.payments.models import PaymentMethod


class Problem(models.TextChoices):
    """Why a payment method is not offered although it is active."""

    GATEWAY = "gateway", _("The gateway is not available")
    CREDENTIALS = "credentials", _("Credentials are missing")
    UNREADABLE = "unreadable", _("The stored credentials cannot be decrypted")
    CURRENCY = "currency", _("The gateway does not accept this currency")
    RATE = "rate", _("The currency has no exchange rate")


def problem(method: PaymentMethod, *, payable: Set[str]) -> Problem | None:
    """Return why no payment can be made with ``method``, or None if one can.

    Args:
        payable: The currencies with an exchange rate, and the store currency.
    """
    if not gateways.is_usable(method):
        return Problem.GATEWAY
    gateway = gateways.GATEWAYS[method.gateway]
    try:
        values = method.values()
    except ImproperlyConfigured:
        return Problem.UNREADABLE
    if any(one.is_required and not one.choices and not values.get(one.name) for one in gateway.config_fields):
        return Problem.CREDENTIALS
    if gateway.currencies and method.pay_currency not in gateway.currencies:
        return Problem.CURRENCY
    return Problem.RATE if method.pay_currency not in payable else None
