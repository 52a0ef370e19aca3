"""System checks of the email settings."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.utils.module_loading import import_string

#: Backends that do not deliver emails to their recipients.
UNDELIVERED = (
    "storefront.mail.backends.NoMailServer",
    "django.core.mail.backends.console.EmailBackend",
    "django.core.mail.backends.dummy.EmailBackend",
    "django.core.mail.backends.filebased.EmailBackend",
)
#: Settings that name a function which other apps call to have an email written. An empty setting means that no email is
#: written.
HOOKS = ("SUPPORT_ANSWER_LISTENER", "ACCOUNTS_EMAIL_HANDLER", "SHOP_PLAN_LISTENER")


@register()
def check_shop_url(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        address = urlsplit(settings.SHOP_URL)
        is_good = address.scheme in ("http", "https") and bool(address.hostname) and not address.path
    except ValueError:
        is_good = False
    if is_good and not set("*@ ") & set(settings.SHOP_URL):
        return []
    hint = "Set it to the shop's address without a path, such as https://shop.example."
    return [Error(f"SHOP_URL is {settings.SHOP_URL!r}.", hint=hint, id="mail.E001")]


@register()
def check_hooks(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for name in HOOKS:
        try:
            if getattr(settings, name):
                import_string(getattr(settings, name))
        except (AttributeError, ImportError, TypeError) as problem:
            found.append(Error(f"{name} does not name a function: {problem}", id="mail.E002"))
    return found


def is_mail_delivered() -> bool:
    """Return whether emails reach their recipients."""
    return settings.EMAIL_BACKEND not in UNDELIVERED


@register(Tags.security, deploy=True)
def check_mail_server(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if is_mail_delivered():
        return []
    return [
        Error(
            "Emails are not being sent: no mail server is configured.",
            hint="Set EMAIL_URL, such as smtp+tls://user:password@mail.example:587. Customers cannot confirm their "
            "address or reset a password until then.",
            id="mail.E003",
        )
    ]
