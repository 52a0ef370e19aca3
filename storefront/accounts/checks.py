"""System checks of the account settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

#: Settings with a list of dotted paths that accounts call.
LISTENERS = ("ACCOUNTS_SIGN_UP_LISTENERS", "ACCOUNTS_CONFIRMATION_LISTENERS")


@register()
def check_listeners(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report a listener that cannot be called at start, not when the first customer signs up."""
    found: list[CheckMessage] = []
    for name in LISTENERS:
        paths = getattr(settings, name)
        if isinstance(paths, str):
            hint = "Set it to a list of dotted paths."
            found.append(Error(f"{name} must be a list, not a string.", hint=hint, id="accounts.E001"))
            continue
        for path in paths:
            try:
                import_string(path)
            except (AttributeError, ImportError, TypeError) as problem:
                found.append(Error(f"{name} does not name a function: {problem}", id="accounts.E001"))
    return found
