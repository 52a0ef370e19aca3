"""What happens around a change of an account's address: who is told, and what no longer opens the account."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils.translation import gettext as _

from storefront.accounts import logins, notices
from storefront.accounts.models import User
from storefront.accounts.notices import Notice


@transaction.atomic
def by_staff(user: User, *, former: str) -> None:
    """Staff has given ``user`` another address instead of ``former``.

    The new one counts as unconfirmed, every browser is signed out, and the former address is told: without that, staff
    could take an account over by its address and a reset link, and nobody would hear of it.
    """
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)
    logins.end_all(user)
    notices.send(user, "email_changed_by_staff", lambda: _changed(user), address=former)


def _changed(user: User) -> Notice:
    return Notice(
        subject=_("The email address of your account was changed"),
        paragraphs=(
            _("We changed the email address of your account to %s.") % user.email,
            _("You are signed out everywhere. From now on, sign in with the new address."),
            _("If you did not ask us for this, reply to this email or contact support at once."),
        ),
    )
