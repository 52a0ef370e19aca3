"""Which customers want which kinds of email, and the unsubscribe links in emails."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.core import signing
from django.db.models import Exists, QuerySet
from django.urls import reverse

from storefront.accounts.models import User
from storefront.mail.models import FLAGS, ONLY, EmailKind, Preferences, Switches

_SALT = "storefront.mail.email_preferences"


def recipients(kind: EmailKind, users: Iterable[int]) -> QuerySet[User]:
    """Return those of ``users`` who receive emails of ``kind``. One query covers them and the shop's own switch."""
    rows = User.objects.filter(pk__in=list(users), is_active=True)
    if kind not in FLAGS:
        return rows
    off = {FLAGS[kind]: False}
    return rows.exclude(**{f"mail_preferences__{FLAGS[kind]}": False}).exclude(
        Exists(Switches.objects.filter(pk=ONLY, **off))
    )


def unsubscribe(user_id: int, *, kind: EmailKind) -> None:
    Preferences.objects.update_or_create(user_id=user_id, defaults={FLAGS[kind]: False})


def unsubscribe_url(user_id: int, kind: EmailKind) -> str:
    """Return the unsubscribe address for emails of ``kind``.

    It never expires, works without signing in and can do nothing else.
    """
    token = signing.Signer(salt=_SALT).sign_object([user_id, kind.value])
    return f"{settings.SHOP_URL}{reverse('mail:unsubscribe', args=[token])}"


def read_token(token: str) -> tuple[int, EmailKind] | None:
    """Return the user and the kind of email of an unsubscribe link.

    Returns:
        None if the link is not one of ours or its customer no longer exists.
    """
    try:
        user_id, value = signing.Signer(salt=_SALT).unsign_object(token)
        kind = EmailKind(value)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return (user_id, kind) if kind in FLAGS and User.objects.filter(pk=user_id).exists() else None
