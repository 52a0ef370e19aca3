"""Letters of the log-in library about a person's account: always sent, in our layout, erased once they are."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from storefront.accounts.models import User
from storefront.mail import layout, outbox
from storefront.mail.layout import Content
from storefront.mail.models import Kind, Letter

_KINDS = {
    "email_confirmation": Kind.CONFIRMATION,
    "email_confirmation_signup": Kind.CONFIRMATION,
    "password_reset_key": Kind.RESET,
}


def keep(name: str, *, user: User | None, address: str, subject: str, text: str, url: str) -> Letter:
    """The library's letter ``name``, already in its reader's language; ``url`` is where it leads, "" for nowhere.

    Only ``url`` becomes a link: the text can hold what a stranger's browser calls itself.
    """
    kind = _KINDS.get(name, Kind.SECURITY)
    with layout.reading(user) as language:
        label = {Kind.CONFIRMATION: _("Confirm the address"), Kind.RESET: _("Set a new password")}.get(
            kind, pgettext("button: go there", "Open")
        )
        paragraphs = [part.strip() for part in text.split("\n\n")]
        content = Content(
            subject=subject,
            paragraphs=[part for part in paragraphs if part and part != url],
            button=(label, url) if url else None,
        )
        return outbox.keep(content, kind=kind, user=user, address=address, language=language)
