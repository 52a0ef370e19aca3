"""The updates page, the dismissal of announcements and the info pages."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.views.decorators.http import require_POST, require_safe

from storefront.support import price_updates, site_notices
from storefront.support.models import InfoPage

YEAR = 365 * 24 * 60 * 60


@require_safe
def updates(request: HttpRequest) -> HttpResponse:
    page = price_updates.list_price_updates(request.user, request.GET)
    return render(request, "support/updates.html", {"updates": page, "tabs": price_updates.TABS.items()})


@require_POST
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """Dismiss a pinned announcement in this browser."""
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    answer = redirect(target) if is_ours else redirect("support:updates")
    others = [number for number in site_notices.dismissed(request) if number != pk]
    answer.set_cookie(
        site_notices.COOKIE,
        ".".join(map(str, [pk, *others][: site_notices.MAX_PINNED])),
        max_age=YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return answer


@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(InfoPage.objects.shown(get_language() or settings.LANGUAGE_CODE), slug=slug)
    return render(request, "support/page.html", {"page": found})
