"""The shop window: landing page, catalogue, one service."""

from __future__ import annotations

from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from orders.kinds import KINDS, Count
from orders.models import Service
from storefront.shop import catalogue, orderform


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("shop:catalogue")
    tiles = catalogue.tiles()
    return render(
        request,
        "shop/landing.html",
        {
            "tiles": tiles[: catalogue.TILES],
            "services": sum(tile.count for tile in tiles),
            "figures": catalogue.last_day(),
            "api_address": request.build_absolute_uri("/api/v2"),
        },
    )


@require_safe
def services(request: HttpRequest) -> HttpResponse:
    asked = catalogue.Asked.read(request.GET)
    found = catalogue.find(asked, request.GET.get("page", ""))
    pages = found.page.paginator.get_elided_page_range(found.page.number, on_each_side=1, on_ends=1)
    return render(
        request,
        "shop/catalogue.html",
        {"asked": asked, "found": found, "pages": list(pages), "kinds": KINDS.values()},
    )


@require_safe
def service(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Service.objects.on_sale().select_related("measure"), pk=pk)
    return render(
        request,
        "shop/service.html",
        {
            "service": shown,
            "fields": orderform.fields(shown, {}),
            "least": orderform.price(shown, {}, balance=Decimal(0)),
            "is_one": shown.type.count is Count.ONE,
        },
    )
