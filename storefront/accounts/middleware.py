"""The middleware for signed-in users: session limits, language, time zone, last activity and private caching."""

from __future__ import annotations

import time
from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control

from storefront.accounts import ip_addresses, security_log
from storefront.accounts.models import User
from storefront.currencies import display

#: Session key of the time, in Unix seconds, at which the last activity was stored. Only a sign-in on the sign-in page
#: sets it.
SEEN_AT = "seen_at"
#: Session key of the time of the sign-in, in Unix seconds.
SIGNED_IN_AT = "signed_in_at"
#: Minimum seconds between two updates of the last activity. People read it, so this is exact enough, and the other
#: requests need no query.
SEEN_EVERY = 300


def account_middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        # Programs send no cookie, so the user is not loaded and nothing is read.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not isinstance(request.user, User):
            return get_response(request)
        if _is_expired(request, request.user):
            security_log.note("session_expired", request, request.user)
            logout(request)
            return get_response(request)
        _record_activity(request)
        _activate_language(request, request.user.language)
        try:
            with timezone.override(request.user.zone), display.override(request.user.currency):
                return _set_cache_policy(request, get_response(request))
        finally:
            timezone.deactivate()

    return middleware


def _is_expired(request: HttpRequest, user: User) -> bool:
    """Return whether the session was idle for too long or the sign-in is too old. Staff has shorter limits."""
    limits = settings.STAFF_SESSION_LIMITS if user.is_staff else settings.CUSTOMER_SESSION_LIMITS
    now = time.time()
    idle = now - request.session.get(SEEN_AT, now)
    age = now - request.session.get(SIGNED_IN_AT, now)
    return bool(idle > limits["idle"] or age > limits["absolute"])


def _set_cache_policy(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Forbid shared caches to store the response; a browser may store it, but has to revalidate it.

    The account's pages show secrets such as recovery codes, so no copy of them may stay on a shared computer.
    """
    if request.path.startswith(reverse("account")):
        response["Cache-Control"] = "private, no-store"
    elif not response.has_header("Cache-Control"):
        patch_cache_control(response, private=True, no_cache=True)
    return response


def _activate_language(request: HttpRequest, language: str) -> None:
    if language in dict(settings.LANGUAGES):
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language() or language


def _record_activity(request: HttpRequest) -> None:
    now = int(time.time())
    if now - request.session.get(SEEN_AT, now) < SEEN_EVERY:
        return
    request.session[SEEN_AT] = now
    seen = {"last_seen_at": timezone.now(), "user_agent": request.headers.get("User-Agent", "")[:200]}
    address = ip_addresses.client_address(request)
    if address:
        seen["ip"] = address
    UserSession.objects.filter(session_key=request.session.session_key).update(**seen)
