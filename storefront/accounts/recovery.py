"""Secure an account after a password reset: remove every other way into it and notify the customer.

An attacker can prepare an account before its owner arrives: sign up with the owner's address, create a key, request a
change to another address. A new password alone would leave all of that in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from allauth.account.models import EmailAddress
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from storefront.accounts import access, notices, user_sessions
from storefront.accounts.access import Grant
from storefront.accounts.models import User
from storefront.accounts.notices import Notice


@dataclass(frozen=True)
class Outcome:
    """What a reset has ended, and what still works and is offered for revocation."""

    sessions: int
    addresses: list[str]
    revoked: list[Grant] = field(default_factory=list)
    kept: list[Grant] = field(default_factory=list)


@transaction.atomic
def secure(user: User) -> Outcome:
    """Secure the account of ``user``, who has just set a new password with a link sent to the account's address.

    Browsers are signed out and other addresses are removed. API keys and webhooks from before the address was confirmed
    are revoked, because nobody knows who created them. Later ones keep working, since a shop may depend on them; they
    are named in the email and offered for revocation at the next sign-in.
    """
    locked = User.objects.select_for_update().get(pk=user.pk)
    confirmed_at = locked.email_confirmed_at
    others = EmailAddress.objects.filter(user=locked).exclude(email__iexact=locked.email)
    removed = list(others.values_list("email", flat=True))
    others.delete()
    grants = access.active(locked)
    revoked = [grant for grant in grants if confirmed_at is None or grant.created_at < confirmed_at]
    kept = [grant for grant in grants if grant not in revoked]
    access.revoke(locked, revoked)
    confirm(locked)
    outcome = Outcome(user_sessions.end_all(locked), removed, revoked, kept)
    User.objects.filter(pk=locked.pk).update(has_access_review=bool(kept))
    notices.send(locked, "password_reset", lambda: _notice(locked, outcome))
    return outcome


def confirm(user: User) -> None:
    """Mark the address of ``user`` as confirmed, because a link that was sent to it was opened."""
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
    User.objects.filter(pk=user.pk, email_confirmed_at=None).update(email_confirmed_at=timezone.now())


def _notice(user: User, outcome: Outcome) -> Notice:
    paragraphs = [
        _("Your password was reset, and you have been signed out everywhere else."),
        *_bullet_list(_("These email addresses were removed from your account:"), outcome.addresses),
        *_bullet_list(
            _("These were created before you confirmed your email address, so we revoked them:"),
            [grant.name for grant in outcome.revoked],
        ),
        *_bullet_list(
            _("These API keys and webhooks still work. Revoke any you don't recognize:"),
            [grant.name for grant in outcome.kept],
        ),
        _("If you didn't reset your password, contact support right away."),
    ]
    return Notice(_("Your password was reset"), tuple(paragraphs), reverse("access_review"))


def _bullet_list(heading: str, lines: Sequence[str]) -> list[str]:
    return [heading, *(f"• {line}" for line in lines)] if lines else []
