"""System checks for a shop on the internet, run by `manage.py check --deploy`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Info, Tags, Warning, register

from storefront import bootstrap


@register(Tags.security, deploy=True)
def shop_has_an_address(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if bootstrap.is_local(settings.SHOP_URL):
        return [
            Warning(
                f"SHOP_URL is {settings.SHOP_URL}, so the shop can only be used on this machine.",
                hint="Set SHOP_URL=https://shop.example. Host names, HTTPS and secure cookies follow from it.",
                id="shop.W001",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def https_is_seen(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.SECURE_SSL and not settings.BEHIND_PROXY:
        return [
            Warning(
                "HTTPS is on, but the shop cannot detect it and redirects every page to itself.",
                hint="Put an HTTPS proxy in front of the shop (see deploy/) and set BEHIND_PROXY=true.",
                id="shop.W002",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def secrets_are_backed_up(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    generated = [name for name in ("SECRET_KEY", "ENCRYPTION_KEYS") if (settings.VAR_DIR / name.lower()).exists()]
    if not generated:
        return []
    return [
        Info(
            f"{' and '.join(generated)} were generated and are stored in {settings.VAR_DIR}.",
            hint="Include that folder in backups: providers' keys cannot be read without ENCRYPTION_KEYS. "
            "Several machines need the same values.",
            id="shop.I001",
        )
    ]
