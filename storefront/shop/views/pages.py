"""View of the style guide."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from storefront.shop.icons import ICONS
from storefront.shop.order_status import LABELS


@require_safe
def style(request: HttpRequest) -> HttpResponse:
    """Show the style guide to developers and staff."""
    if not (settings.DEBUG or getattr(request.user, "is_staff", False)):
        raise Http404
    return render(request, "shop/style.html", {"icons": sorted(ICONS), "statuses": LABELS, "now": timezone.now()})
