"""Browsers that an account was signed in from before: guessing from elsewhere does not lock them out.

A browser gets a signed cookie when somebody signs in. Its failures are counted by themselves, so that a stranger who
sends wrong passwords all day only uses up the attempts of strangers. The cookie opens nothing.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from storefront.accounts.models import User

_SALT = "storefront.accounts.known_devices"
#: Seconds that a browser is remembered after the last sign-in.
MAX_AGE = 365 * 24 * 3600


def device_of(request: HttpRequest, user: User | None) -> str:
    """The random name of this browser if ``user`` was signed in there, else ""."""
    cookie = request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "")
    if not cookie or user is None:
        return ""
    try:
        user_pk, device = signing.loads(cookie, salt=_SALT, max_age=MAX_AGE)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    return str(device) if user_pk == user.pk else ""


def remember(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Give the browser its cookie, or renew the one that it has."""
    device = device_of(request, user) or secrets.token_urlsafe(16)
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        signing.dumps([user.pk, device], salt=_SALT),
        max_age=MAX_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
