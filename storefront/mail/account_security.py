"""Letters of the log-in library about a person's account: always sent, in our layout, erased once they are."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from storefront.accounts.models import User
from storefront.mail import layout, outbox
from storefront.mail.layout import EmailContent
from storefront.mail.models import Email, EmailKind

_KINDS = {
    "email_confirmation": EmailKind.CONFIRMATION,
    "email_confirmation_signup": EmailKind.CONFIRMATION,
    "password_reset_key": EmailKind.RESET,
}


def keep(name: str, *, user: User | None, address: str, subject: str, text: str, url: str) -> Email:
    """The library's letter ``name``, already in its reader's language; ``url`` is where it leads, "" for nowhere.

    Only ``url`` becomes a link: the text can hold what a stranger's browser calls itself.
    """
    kind = _KINDS.get(name, EmailKind.SECURITY)
    with layout.reading(user) as language:
        label = {EmailKind.CONFIRMATION: _("Confirm the address"), EmailKind.RESET: _("Set a new password")}.get(
            kind, pgettext("button: go there", "Open")
        )
        paragraphs = [part.strip() for part in text.split("\n\n")]
        content = EmailContent(
            subject=subject,
            paragraphs=[part for part in paragraphs if part and part != url],
            button=(label, url) if url else None,
        )
        return outbox.keep(content, kind=kind, user=user, address=address, language=language)
