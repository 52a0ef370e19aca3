"""System checks of the payment settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

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


@register()
def check_listeners(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report a listener that cannot be called at start, not when the first payment cannot be credited."""
    found: list[CheckMessage] = []
    for name in (
        "PAYMENT_START_LISTENERS",
        "PAYMENT_CREDIT_LISTENERS",
        "PAYMENT_REVERSAL_LISTENERS",
        "PAYMENT_NOTICE_LISTENERS",
    ):
        paths = getattr(settings, name)
        if isinstance(paths, str):
            hint = "Set it to a list of dotted paths."
            found.append(Error(f"{name} must be a list, not a string.", hint=hint, id="payments.E002"))
            continue
        for path in paths:
            try:
                import_string(path)
            except (AttributeError, ImportError, TypeError) as problem:
                found.append(Error(f"{name} does not name a function: {problem}", id="payments.E002"))
    return found


@register()
def check_coupon_check(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        if settings.PAYMENT_COUPON_CHECK:
            import_string(settings.PAYMENT_COUPON_CHECK)
    except (AttributeError, ImportError, TypeError) as problem:
        return [Error(f"PAYMENT_COUPON_CHECK does not name a function: {problem}", id="payments.E003")]
    return []
