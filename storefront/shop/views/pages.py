"""Pages that only say something: the API in short, and the style page."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from storefront.shop.icons import ICONS
from storefront.shop.statuses import SHOWN


@csrf_exempt  # a program that posts here by mistake is told so, in its own language
def api(request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return JsonResponse({"error": "Unknown address, the API is at /api/v2"}, status=404)
    return render(request, "shop/api.html", {"api_address": request.build_absolute_uri("/api/v2")})


@require_safe
def style(request: HttpRequest) -> HttpResponse:
    """The vocabulary of our pages, for those who build them."""
    if not (settings.DEBUG or getattr(request.user, "is_staff", False)):
        raise Http404
    return render(request, "shop/style.html", {"icons": sorted(ICONS), "statuses": SHOWN, "now": timezone.now()})
