"""System checks of payments."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from orders import money
from orders.errors import InvalidAmount


@register()
def presets_are_amounts(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        if all(money.parse(text) > 0 for text in settings.TOPUP_PRESETS):
            return []
    except InvalidAmount:
        pass
    return [Error("TOPUP_PRESETS holds something that is no amount.", hint="Write it like 10,25,50.", id="topups.E001")]
