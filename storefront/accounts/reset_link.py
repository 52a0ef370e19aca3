"""Staff lets a customer set a new password: by a link to the account's address. Nobody sets it for them."""

from __future__ import annotations

from allauth.account.forms import ResetPasswordForm
from django.http import HttpRequest

from storefront.accounts.models import User


def send(request: HttpRequest, user: User) -> None:
    """Send ``user`` the e-mail that "Forgot your password?" sends. Nothing is sent to an inactive account."""
    form = ResetPasswordForm({"email": user.email})
    if form.is_valid():
        form.save(request)
