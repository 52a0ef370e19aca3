"""Send emails about the security of an account in its owner's language: who may use it changed, or an attempt was made.

They cannot be switched off. ACCOUNTS_EMAIL_HANDLER names the function that puts them into the outbox.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone, translation
from django.utils.module_loading import import_string

from storefront.accounts.models import User


@dataclass(frozen=True)
class Notice:
    """The content of a notice. ``path`` is the page of the shop that the email links to; "" for none."""

    subject: str
    paragraphs: tuple[str, ...]
    path: str = ""


def send(user: User, name: str, compose: Callable[[], Notice], *, address: str = "") -> None:
    """Put the notice ``name`` into the outbox, to ``user`` or to ``address`` instead of the account's own.

    ``compose`` is called in the language and time zone of ``user``. Call this in the transaction of the change.
    """
    language = user.language if user.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    with translation.override(language), timezone.override(user.zone):
        notice = compose()
        import_string(settings.ACCOUNTS_EMAIL_HANDLER)(
            name,
            user=user,
            address=address or user.email,
            subject=notice.subject,
            text="\n\n".join(notice.paragraphs),
            url=f"{settings.SHOP_URL}{notice.path}" if notice.path else "",
        )
