"""Letters are written here, in the transaction of what they tell of. Nothing is sent: ``sending`` does that."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from providers.worker.queue import enqueue_once
from storefront.accounts.models import User
from storefront.mail import email_preferences, layout
from storefront.mail.layout import EmailContent
from storefront.mail.models import SECURITY, Email, EmailKind

#: Wake-ups of one second are one: the pass that it starts looks at all that is due, for a little longer than that.
WAKE_SECONDS = 1


def write(user: User, *, kind: EmailKind, content: Callable[[], EmailContent]) -> Email | None:
    """A letter to ``user``, if they want that kind. ``content`` is called in their language."""
    if not email_preferences.wanting(kind, [user.pk]).exists():
        return None
    with layout.reading(user) as language:
        return keep(content(), kind=kind, user=user, address=user.email, language=language)


def keep(content: EmailContent, *, kind: EmailKind, user: User | None, address: str, language: str) -> Email:
    """Puts a letter into the outbox. Call it in the transaction of what it tells of, within ``layout.reading``."""
    rendered = layout.render(content, kind=kind, user=user)
    letter = Email.objects.create(
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
    return letter


def send_again(letters: Iterable[Email]) -> int:
    """Sends once more, now, what is not on its way this moment and whose text is still there; returns how many."""
    now = timezone.now()
    rows = Email.objects.filter(pk__in=[letter.pk for letter in letters], lease_until=None)
    with transaction.atomic():
        # One that was settled starts over with its attempts; one that waits only waits no longer.
        settled = rows.filter(due_at=None).exclude(Q(text="") | Q(kind__in=SECURITY))
        columns = {"attempts": 0, "sent_at": None, "given_up_at": None, "error": "", "has_lost_answer": False}
        done = settled.update(due_at=now, **columns)
        done += rows.filter(due_at__gt=now).update(due_at=now)
        if done:
            transaction.on_commit(wake, robust=True)
    return done


def wake() -> None:
    """Letters wait: send them now rather than when the schedule comes by. A lost or doubled call changes nothing."""
    if cache.add("mail.wake", 1, WAKE_SECONDS):
        enqueue_once("storefront.mail.tasks.deliver")
