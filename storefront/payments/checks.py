"""System checks of the payment settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from orders.errors import InvalidAmount
from orders.rules import amounts


@register()
def presets_are_amounts(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        if all(amounts.parse(text) > 0 for text in settings.PAYMENT_PRESETS):
            return []
    except InvalidAmount:
        pass
    return [
        Error(
            "PAYMENT_PRESETS contains a value that is not an amount.", hint="Set it like 10,25,50.", id="payments.E001"
        )
    ]
