"""Remember the browsers of an account, so that guessing from elsewhere does not lock the owner out.

A browser gets a signed cookie at sign-in, and its failures are counted separately. A stranger who tries wrong passwords
all day therefore uses up only the attempts of strangers. The cookie alone does not sign anybody in.
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
    """Return the random name of this browser if ``user`` has signed in with it, otherwise ""."""
    cookie = request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "")
    if not cookie or user is None:
        return ""
    try:
        user_pk, device = signing.loads(cookie, salt=_SALT, max_age=MAX_AGE)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    return str(device) if user_pk == user.pk else ""


def remember(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Set or renew the cookie of the browser."""
    device = device_of(request, user) or secrets.token_urlsafe(16)
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        signing.dumps([user.pk, device], salt=_SALT),
        max_age=MAX_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
