"""Referral links: ``/r/<code>/`` and ``/?ref=<code>``. The code stays in a cookie until the visitor signs up.

A click is counted without anything about the visitor. The cookie holds only the code, and nothing reads it except the
sign-up.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.core.cache import caches
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from storefront.promotions import affiliates
from storefront.promotions.models import Affiliate

PARAMETER = "ref"
COOKIE_SECONDS = 30 * 86_400
#: How many clicks of one link count in a minute, so that a script cannot write to the database without end.
CLICKS_PER_MINUTE = 60


def referral_middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Remember the code of a link to the landing page, such as ``/?ref=k7m2p9x4``."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path == "/" and request.method == "GET" and PARAMETER in request.GET:
            remember(request, response, request.GET[PARAMETER])
        return response

    return middleware


@require_safe
def follow(request: HttpRequest, code: str) -> HttpResponse:
    response = redirect("shop:landing")
    if request.method == "GET":
        remember(request, response, code)
    return response


def remember(request: HttpRequest, response: HttpResponse, code: str) -> None:
    """Count the click and set the cookie, unless the visitor is signed in or has the code already.

    The last link counts. An unknown code changes nothing.
    """
    code = code.strip().lower()[:16]
    if request.user.is_authenticated or code_of(request) == code or not code.isprintable() or not affiliates.is_on():
        return
    affiliate = Affiliate.objects.filter(code=code, is_active=True, user__is_active=True).first()
    if affiliate is None:
        return
    if _may_count(affiliate):
        Affiliate.objects.filter(pk=affiliate.pk).update(clicks=F("clicks") + 1)
    response.set_cookie(
        settings.REFERRAL_COOKIE_NAME,
        affiliate.code,
        max_age=COOKIE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    patch_cache_control(response, private=True, no_store=True)


def code_of(request: HttpRequest) -> str:
    """Return the code in the visitor's cookie, or ""."""
    return str(request.COOKIES.get(settings.REFERRAL_COOKIE_NAME, ""))[:16]


def _may_count(affiliate: Affiliate) -> bool:
    counters, key = caches["counters"], f"referral:{affiliate.pk}"
    if counters.add(key, 1, 60):
        return True
    with suppress(ValueError):  # evicted between the two calls by many other keys
        return bool(counters.incr(key) <= CLICKS_PER_MINUTE)
    return True
