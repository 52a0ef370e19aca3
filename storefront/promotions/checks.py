"""System checks of the promotion settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string


@register()
def check_payment_methods(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        import_string(settings.PROMOTIONS_PAYMENT_METHODS)
    except (AttributeError, ImportError, TypeError) as problem:
        return [Error(f"PROMOTIONS_PAYMENT_METHODS does not name a function: {problem}", id="promotions.E001")]
    return []
