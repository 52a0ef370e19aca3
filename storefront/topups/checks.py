"""System checks of the room: a gateway that gives money away is no gateway for a real shop."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from orders import money
from orders.errors import InvalidAmount


@register(Tags.security, deploy=True)
def pretend_money_stays_in_the_demo(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG or not settings.DEMO_GATEWAY:
        return []
    return [
        Warning(
            "DEMO_GATEWAY is on: every customer can fill a wallet without paying.",
            hint="Set DEMO_GATEWAY=false unless this shop is for show.",
            id="topups.W001",
        )
    ]


@register()
def presets_are_amounts(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        if all(money.parse(text) > 0 for text in settings.TOPUP_PRESETS):
            return []
    except InvalidAmount:
        pass
    return [Error("TOPUP_PRESETS holds something that is no amount.", hint="Write it like 10,25,50.", id="topups.E001")]
