"""The sign-in library's forms, changed so that an account has only one address: ``User.email``.

The library's own forms also use its table of addresses. An account can have a second, unconfirmed address there, with
which a stranger could keep the owner from signing up, or receive a reset link for them.
"""

from __future__ import annotations

from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.app_settings import EmailVerificationMethod
from allauth.account.forms import AddEmailForm as LibraryAddEmailForm
from allauth.account.forms import ResetPasswordForm as LibraryResetPasswordForm
from allauth.account.forms import ResetPasswordKeyForm as LibraryResetPasswordKeyForm
from allauth.account.forms import SignupForm as LibrarySignupForm
from allauth.account.models import EmailAddress
from allauth.core import context
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from storefront.accounts import recovery, security_log
from storefront.accounts.models import User


class SignUpForm(LibrarySignupForm):
    def validate_unique_email(self, value: str) -> str:
        """Refuse a known address only if addresses are not confirmed first.

        Otherwise the answer is the same for a known address, and its owner gets an email.
        """
        is_known = User.objects.filter(email=value.lower()).exists()
        is_confirmed_first = app_settings.EMAIL_VERIFICATION == EmailVerificationMethod.MANDATORY
        if is_known and not is_confirmed_first:
            raise get_adapter().validation_error("email_taken")
        self.account_already_exists = is_known
        return value


class ResetPasswordForm(LibraryResetPasswordForm):
    def clean_email(self) -> str:
        """Select the accounts that sign in with this address; a link is sent to no other address."""
        email = str(get_adapter().clean_email(self.cleaned_data["email"].lower()))
        self.users = list(User.objects.filter(email=email, is_active=True))
        return email


class ResetPasswordKeyForm(LibraryResetPasswordKeyForm):
    def save(self) -> None:
        """Set the password and remove everybody else's access to the account, in one transaction."""
        with transaction.atomic():
            super().save()
            outcome = recovery.secure(self.user)
        self.user.refresh_from_db()
        security_log.note("password_reset", context.request, self.user, revoked=len(outcome.revoked))


class ChangeEmailForm(LibraryAddEmailForm):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["email"].label = _("New email address")

    def save(self, request: HttpRequest) -> EmailAddress:
        """Request confirmation from the new address.

        Until then the account's address stays, and an earlier unconfirmed change is dropped. The library would first
        remove the account's own address if it was never confirmed.
        """
        with transaction.atomic():
            pending = EmailAddress.objects.filter(user=self.user).exclude(email__iexact=self.user.email)
            pending.delete()
            address = EmailAddress.objects.create(user=self.user, email=self.cleaned_data["email"].lower())
            address.send_confirmation(request)
        return address
