"""Pages that only say something: the style page."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from storefront.shop.icons import ICONS
from storefront.shop.order_status import SHOWN


@require_safe
def style(request: HttpRequest) -> HttpResponse:
    """The vocabulary of our pages, for those who build them."""
    if not (settings.DEBUG or getattr(request.user, "is_staff", False)):
        raise Http404
    return render(request, "shop/style.html", {"icons": sorted(ICONS), "statuses": SHOWN, "now": timezone.now()})
