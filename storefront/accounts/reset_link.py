"""Send a customer a password reset link on behalf of staff. Staff never sets a password for a customer."""

from __future__ import annotations

from allauth.account.forms import ResetPasswordForm
from django.http import HttpRequest

from storefront.accounts.models import User


def send(request: HttpRequest, user: User) -> None:
    """Send ``user`` the email of the "Forgot your password?" page. Nothing is sent to an inactive account."""
    form = ResetPasswordForm({"email": user.email})
    if form.is_valid():
        form.save(request)
