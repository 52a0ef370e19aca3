"""Views for the accent color stylesheet and the logo; their URLs change with them, so browsers can cache them."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from storefront.brand.models import ONLY, Brand


@require_safe
@cache_control(public=True, max_age=31_536_000, immutable=True)
def sheet(request: HttpRequest, version: int) -> HttpResponse:
    accent = get_object_or_404(Brand, pk=ONLY).accent
    if not accent:
        raise Http404
    return HttpResponse(f":root{{--brand:{accent}}}", content_type="text/css")


@require_safe
@cache_control(public=True, max_age=31_536_000, immutable=True)
def logo(request: HttpRequest, version: int) -> HttpResponse:
    brand = get_object_or_404(Brand, pk=ONLY)
    if not brand.logo_type:
        raise Http404
    return HttpResponse(bytes(brand.logo), content_type=brand.logo_type)
