"""The email about an answer from support. ``storefront.support`` calls it by a dotted path and does not import it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from storefront.mail import outbox
from storefront.mail.layout import EmailContent
from storefront.mail.models import EmailKind


def keep(message: Any) -> None:
    """Put an email about ``message`` into the outbox. Call it in the transaction that adds the answer to the ticket."""
    outbox.write(message.ticket.user, kind=EmailKind.TICKET, content=lambda: _answer(message))


def _answer(message: Any) -> EmailContent:
    ticket = message.ticket
    words = {"number": ticket.pk, "subject": ticket.subject}
    return EmailContent(
        subject=_("Reply to ticket %(number)s: %(subject)s") % words,
        paragraphs=[_("We replied to your ticket %(number)s, “%(subject)s”.") % words],
        quote=message.text,
        after=[_("Reply on the ticket's page. Replies to this email are not read.")],
        button=(_("View ticket"), f"{settings.SHOP_URL}{reverse('support:ticket', args=[ticket.pk])}"),
    )
