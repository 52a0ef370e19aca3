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
def check_wake(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return _check_setting("ORDERS_WAKE", "orders.E001")


@register()
def check_cost_floor(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return _check_setting("ORDERS_COST_FLOOR", "orders.E004")


@register()
def check_listeners(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if isinstance(settings.ORDERS_EVENT_LISTENERS, str):
        problem = "ORDERS_EVENT_LISTENERS must be a list, not a string."
        return [Error(problem, hint="Set it to a list of dotted paths.", id="orders.E005")]
    return [
        message
        for path in settings.ORDERS_EVENT_LISTENERS
        for message in _check_path("ORDERS_EVENT_LISTENERS", path, "orders.E005")
    ]


@register()
def check_audits(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return [message for path in settings.ORDERS_AUDITS for message in _check_path("ORDERS_AUDITS", path, "orders.E006")]


@register()
def check_store_currency(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if re.fullmatch(r"[A-Z]{3}", settings.STORE_CURRENCY):
        return []
    return [
        Error(
            f"STORE_CURRENCY is not a currency code: {settings.STORE_CURRENCY!r}.",
            hint="Set it to a three-letter code such as USD.",
            id="orders.E002",
        )
    ]


@register(Tags.database)
def check_currency_of_accounts(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Report accounts in another currency, because booked money must not be read as another currency."""
    if not databases or Account._meta.db_table not in connection.introspection.table_names():
        return []  # before the first migration there are no accounts
    others = Account.objects.exclude(currency=settings.STORE_CURRENCY).values_list("currency", flat=True)
    found = sorted(set(others[:100]))
    if not found:
        return []
    return [
        Error(
            f"STORE_CURRENCY is {settings.STORE_CURRENCY}, but the ledger has accounts in {', '.join(found)}.",
            hint="Restore the previous value. The store currency cannot be changed once money has been booked.",
            id="orders.E003",
        )
    ]


def _check_setting(setting: str, number: str) -> list[CheckMessage]:
    return _check_path(setting, getattr(settings, setting, None), number)


def _check_path(setting: str, path: Any, number: str) -> list[CheckMessage]:
    try:
        import_string(path)
    except (AttributeError, ImportError, TypeError) as problem:
        return [Error(f"{setting} does not name a function: {problem}", id=number)]
    return []
