"""System checks that report invalid settings of this package at start-up, not at the first order."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection
from django.utils.module_loading import import_string

from orders.models import Account


@register()
def upstream_can_be_woken(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return _names_a_function("ORDERS_WAKE", "orders.E001")


@register()
def cost_can_be_asked(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return _names_a_function("ORDERS_COST_FLOOR", "orders.E004")


@register()
def news_can_be_told(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if isinstance(settings.ORDERS_EVENT_LISTENERS, str):
        return [Error("ORDERS_EVENT_LISTENERS is a text.", hint="Give a list of dotted paths.", id="orders.E005")]
    return [
        found
        for path in settings.ORDERS_EVENT_LISTENERS
        for found in _is_a_function("ORDERS_EVENT_LISTENERS", path, "orders.E005")
    ]


@register()
def audits_can_be_asked(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return [found for path in settings.ORDERS_AUDITS for found in _is_a_function("ORDERS_AUDITS", path, "orders.E006")]


@register()
def store_currency_is_a_code(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if re.fullmatch(r"[A-Z]{3}", settings.STORE_CURRENCY):
        return []
    return [
        Error(
            f"STORE_CURRENCY is {settings.STORE_CURRENCY!r}.",
            hint="Give a three-letter currency code such as USD.",
            id="orders.E002",
        )
    ]


@register(Tags.database)
def store_currency_matches_the_books(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Report accounts in another currency, because booked money must not be read as another currency."""
    if not databases or Account._meta.db_table not in connection.introspection.table_names():
        return []  # before the first migration there are no accounts
    others = Account.objects.exclude(currency=settings.STORE_CURRENCY).values_list("currency", flat=True)
    found = sorted(set(others[:100]))
    if not found:
        return []
    return [
        Error(
            f"STORE_CURRENCY is {settings.STORE_CURRENCY}, but the books hold accounts in {', '.join(found)}.",
            hint="Set STORE_CURRENCY back; a shop's currency cannot be changed once money has been booked.",
            id="orders.E003",
        )
    ]


def _names_a_function(setting: str, number: str) -> list[CheckMessage]:
    return _is_a_function(setting, getattr(settings, setting, None), number)


def _is_a_function(setting: str, path: Any, number: str) -> list[CheckMessage]:
    try:
        import_string(path)
    except (AttributeError, ImportError, TypeError) as problem:
        return [Error(f"{setting} does not name a function: {problem}", id=number)]
    return []
