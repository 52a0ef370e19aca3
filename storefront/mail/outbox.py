"""Write emails into the outbox, in the transaction of the change they report; ``sending`` sends them afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from providers.worker import outbox as worker_outbox
from storefront.accounts.models import User
from storefront.mail import email_preferences, layout
from storefront.mail.layout import EmailContent
from storefront.mail.models import SECURITY, Email, EmailKind


def write(user: User, *, kind: EmailKind, content: Callable[[], EmailContent]) -> Email | None:
    """Put an email to ``user`` into the outbox if they want that kind. ``content`` is called in their language."""
    if not email_preferences.recipients(kind, [user.pk]).exists():
        return None
    with layout.reader_locale(user) as language:
        return enqueue(content(), kind=kind, user=user, address=user.email, language=language)


def enqueue(content: EmailContent, *, kind: EmailKind, user: User | None, address: str, language: str) -> Email:
    """Put an email into the outbox.

    Call it in the transaction of the change that it reports, within ``layout.reader_locale``.
    """
    rendered = layout.render(content, kind=kind, user=user)
    email = Email.objects.create(
        user=user,
        address=address,
        kind=kind,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        language=language,
        due_at=timezone.now(),
    )
    transaction.on_commit(wake, robust=True)
    return email


def resend(emails: Iterable[Email]) -> int:
    """Make the given emails due now and return how many were.

    Emails that are being sent at this moment and those whose text was erased are left out.
    """
    now = timezone.now()
    rows = Email.objects.filter(pk__in=[email.pk for email in emails], lease_until=None)
    with transaction.atomic():
        # A settled email starts over with its attempts; one that is waiting only becomes due sooner.
        settled = rows.filter(due_at=None).exclude(Q(text="") | Q(kind__in=SECURITY))
        columns = {"attempts": 0, "sent_at": None, "given_up_at": None, "error": "", "has_lost_answer": False}
        done = settled.update(due_at=now, **columns)
        done += rows.filter(due_at__gt=now).update(due_at=now)
        if done:
            transaction.on_commit(wake, robust=True)
    return done


def wake() -> None:
    """Start a sending pass now; see ``providers.worker.outbox.wake``."""
    worker_outbox.wake("storefront.mail.tasks.deliver")
