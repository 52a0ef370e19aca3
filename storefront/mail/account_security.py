"""Put the emails of the sign-in library into the outbox, in the shop's layout.

They concern the security of an account: they are always sent, and their text is erased afterwards.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from storefront.accounts.models import User
from storefront.mail import layout, outbox
from storefront.mail.layout import EmailContent
from storefront.mail.models import Email, EmailKind

_KINDS = {
    "email_confirmation": EmailKind.CONFIRMATION,
    "email_confirmation_signup": EmailKind.CONFIRMATION,
    "password_reset_key": EmailKind.RESET,
}


def enqueue(name: str, *, user: User | None, address: str, subject: str, text: str, url: str) -> Email:
    """Put an email of the sign-in library into the outbox.

    Only ``url`` becomes a link: the text can contain the name of a stranger's browser, which that browser chooses
    itself.

    Args:
        name: The library's name of the email's template.
        subject: The subject, in the reader's language.
        text: The text, in the reader's language.
        url: The address of the button; "" for no button.
    """
    kind = _KINDS.get(name, EmailKind.SECURITY)
    with layout.reader_locale(user) as language:
        label = {EmailKind.CONFIRMATION: _("Confirm email address"), EmailKind.RESET: _("Set new password")}.get(
            kind, _("Continue")
        )
        paragraphs = [part.strip() for part in text.split("\n\n")]
        content = EmailContent(
            subject=subject,
            paragraphs=[part for part in paragraphs if part and part != url],
            button=(label, url) if url else None,
        )
        return outbox.enqueue(content, kind=kind, user=user, address=address, language=language)
