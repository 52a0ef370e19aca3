"""Change the address of an account: confirm the new one, notify the former one, end sessions if staff changed it."""

from __future__ import annotations

from collections.abc import Callable

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from storefront.accounts import notices, security_log, user_sessions
from storefront.accounts.models import User
from storefront.accounts.notices import Notice


@transaction.atomic
def confirm(
    request: HttpRequest, address: EmailAddress, *, verify: Callable[[HttpRequest, EmailAddress], bool]
) -> bool:
    """Confirm ``address`` with ``verify``, which makes it the account's only one.

    An address that another account signs in with is refused. The former address is notified of a change. The listeners
    of ACCOUNTS_CONFIRMATION_LISTENERS are called if the account had no confirmed address.

    Returns:
        Whether the address was confirmed.
    """
    user = User.objects.select_for_update().get(pk=address.user_id)
    former = user.email
    if User.objects.filter(email__iexact=address.email).exclude(pk=user.pk).exists():
        return False
    if not verify(request, address):
        return False
    User.objects.filter(pk=user.pk).update(email_confirmed_at=timezone.now())
    if user.email_confirmed_at is None:
        user.refresh_from_db()
        for path in settings.ACCOUNTS_CONFIRMATION_LISTENERS:
            import_string(path)(user)
    if former != address.email:
        security_log.note("email_changed", request, user)
        notices.send(user, "email_changed", lambda: _change_notice(address.email), address=former)
    return True


@transaction.atomic
def by_staff(user: User, *, former: str) -> None:
    """Complete a change of the address of ``user`` by staff, from ``former`` to the present one.

    The new address counts as unconfirmed, every browser is signed out, and the former address is notified. Otherwise
    staff could take over an account with a new address and a reset link without anybody noticing.
    """
    User.objects.filter(pk=user.pk).update(email_confirmed_at=None)
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)
    user_sessions.end_all(user)
    notices.send(user, "email_changed_by_staff", lambda: _staff_change_notice(user), address=former)


def _change_notice(new: str) -> Notice:
    return Notice(
        subject=_("Your email address was changed"),
        paragraphs=(
            _("The email address of your account is now %s. You can no longer sign in with this address.") % new,
            _("If you didn't make this change, contact support right away."),
        ),
    )


def _staff_change_notice(user: User) -> Notice:
    return Notice(
        subject=_("Your email address was changed"),
        paragraphs=(
            _("We changed the email address of your account to %s.") % user.email,
            _("You have been signed out everywhere. Sign in with the new address from now on."),
            _("If you didn't request this change, contact support right away."),
        ),
    )
