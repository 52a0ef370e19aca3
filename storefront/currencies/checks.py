"""System checks of the currency settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string


@register()
def check_listeners(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report a listener that cannot be called at start, not when the first rate waits for approval."""
    found: list[CheckMessage] = []
    for path in settings.CURRENCY_NOTICE_LISTENERS:
        try:
            import_string(path)
        except (AttributeError, ImportError, TypeError) as problem:
            found.append(Error(f"CURRENCY_NOTICE_LISTENERS does not name a function: {problem}", id="currencies.E001"))
    return found
