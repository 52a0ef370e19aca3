"""System checks that find mistakes in the sandbox's settings at start."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from orders.errors import InvalidAmount
from orders.rules import amounts


@register()
def play_money_is_an_amount(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        is_fine = amounts.parse(settings.SANDBOX_BALANCE) >= 0
    except InvalidAmount:
        is_fine = False
    if is_fine:
        return []
    hint = "Give an amount of the store currency that is not negative, such as 1000 or 99.50."
    return [Error(f"SANDBOX_BALANCE is {settings.SANDBOX_BALANCE!r}.", hint=hint, id="sandbox.E001")]


@register()
def orders_take_some_time(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if 0 <= settings.SANDBOX_SECONDS <= 86_400:
        return []
    hint = "Give the seconds that an order takes in the sandbox, from 0 to 86400."
    return [Error(f"SANDBOX_SECONDS is {settings.SANDBOX_SECONDS}.", hint=hint, id="sandbox.E002")]
