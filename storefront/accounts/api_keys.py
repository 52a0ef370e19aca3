"""Create and change API keys, and notify the owner: a key spends the balance without a sign-in."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from storefront.accounts import notices, security_log
from storefront.accounts.models import ApiKey, User
from storefront.accounts.notices import Notice


@transaction.atomic
def create(user: User, *, request: HttpRequest | None = None, **columns: Any) -> tuple[ApiKey, str]:
    """Create a key.

    Args:
        request: The request that asked for the key; None on the command line.

    Returns:
        The key and its text. The caller must show the text now: it cannot be shown again.

    Raises:
        TooManyKeys: The customer already has ``KEYS_MAX`` active keys.
    """
    key, text = ApiKey.objects.issue(user, **columns)
    security_log.note("api_key_created", request, user, key=key.prefix)
    notices.send(user, "api_key_created", lambda: _created_notice(key))
    return key, text


@transaction.atomic
def change(key: ApiKey, *, request: HttpRequest, **columns: Any) -> None:
    """Change ``columns`` of an active key and notify the owner, unless only the name changes."""
    before = ApiKey.objects.active().filter(pk=key.pk).values(*columns).first()
    if before is None or before == columns:
        return
    # Update only these columns, and only of an active key: saving the whole row could restore a revoked one.
    ApiKey.objects.active().filter(pk=key.pk).update(**columns)
    if {**before, "name": ""} != {**columns, "name": ""}:
        security_log.note("api_key_changed", request, key.user, key=key.prefix)
        notices.send(key.user, "api_key_changed", lambda: _changed_notice(key))


def _created_notice(key: ApiKey) -> Notice:
    return Notice(
        subject=_("New API key created"),
        paragraphs=(
            _("The API key “%(name)s” (%(prefix)s…) was created for your account.")
            % {"name": key.name, "prefix": key.prefix},
            _("If you didn't create it, revoke it and change your password right away."),
        ),
        path=reverse("api_keys"),
    )


def _changed_notice(key: ApiKey) -> Notice:
    return Notice(
        subject=_("API key changed"),
        paragraphs=(
            _("The permissions or allowed IP addresses of the API key “%(name)s” (%(prefix)s…) were changed.")
            % {"name": key.name, "prefix": key.prefix},
            _("If you didn't make this change, revoke the key and change your password right away."),
        ),
        path=reverse("api_keys"),
    )
