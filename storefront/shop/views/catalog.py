"""Views of the landing page, the catalog, one service, and favorites."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh, replace_url

from orders.models import Service
from orders.rules.service_types import SERVICE_TYPES, Count
from storefront.shop import best_delivered, catalog, customer_wallet, favorites, order_form, price_history


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("shop:catalog")
    tiles = catalog.category_tiles()
    shown = best_delivered.best_services(request.user)
    return render(
        request,
        "shop/landing.html",
        {
            "tiles": tiles[: catalog.TILES],
            "services": sum(tile.count for tile in tiles),
            "best": shown,
            "pricing": customer_wallet.pricing(request, shown),
            "figures": catalog.last_day_stats(),
            "api_address": request.build_absolute_uri("/api/v2"),
        },
    )


@require_safe
def services(request: HttpRequest) -> HttpResponse:
    return render(request, "shop/catalog.html", {**_search(request), "service_types": SERVICE_TYPES.values()})


@never_cache
@require_safe
def services_found(request: HttpRequest) -> HttpResponse:
    """Return the results and the category counts while the customer types.

    The fragment has a URL of its own, so that the browser's back button never shows it without its page. The URL of the
    page is updated (vitrine.js), so that going back, reloading, and sharing the link give the same results.
    """
    results = render(request, "shop/_results.html", {**_search(request), "is_live": True})
    filters = urlencode([(name, text) for name, texts in request.GET.lists() for text in texts if text])
    return replace_url(results, f"{reverse('shop:catalog')}?{filters}".removesuffix("?"))


def _search(request: HttpRequest) -> dict[str, Any]:
    filters = catalog.CatalogFilters.read(request.GET, is_signed_in=request.user.is_authenticated)
    viewer = catalog.CatalogViewer(request.user, customer_wallet.discount(request))
    results = catalog.find_services(filters, request.GET.get("page", ""), viewer)
    pages = results.page.paginator.get_elided_page_range(results.page.number, on_each_side=1, on_ends=1)
    pricing = customer_wallet.pricing(request, results.page.object_list)
    return {"filters": filters, "results": results, "pages": list(pages), "pricing": pricing}


@require_safe
def service(request: HttpRequest, pk: int) -> HttpResponse:
    on_sale = Service.objects.on_sale().in_language().with_own_rates(request.user).select_related("delivery_stats")
    shown = get_object_or_404(catalog.with_favorites(on_sale, request.user), pk=pk)
    pricing = customer_wallet.pricing(request, [shown])
    return render(
        request,
        "shop/service.html",
        {
            "service": shown,
            "pricing": pricing,
            "fields": order_form.fields(shown, {}),
            "minimum_charge": order_form.minimum_charge(shown, pricing=pricing),
            "is_one": shown.type.count is Count.ONE,
            "history": price_history.price_history(shown),
        },
    )


@require_POST
def favorite(request: HttpRequest, pk: int) -> HttpResponse:
    """Set or remove a favorite as the button said when it was rendered, so that a double click counts once."""
    if request.htmx and not request.user.is_authenticated:  # type: ignore[attr-defined]
        return HttpResponseClientRefresh()
    return _set_favorite(request, pk)


@login_required
def _set_favorite(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Service.objects.on_sale().in_language(), pk=pk)
    is_on = favorites.set_favorite(request.user, service=shown, is_on=request.POST.get("star") == "1")
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "shop/_star.html", {"service": shown, "is_on": is_on})
    next_url = request.POST.get("next", "")
    is_own_url = url_has_allowed_host_and_scheme(next_url, {request.get_host()}, require_https=request.is_secure())
    return redirect(next_url if is_own_url else resolve_url("shop:service", pk))
