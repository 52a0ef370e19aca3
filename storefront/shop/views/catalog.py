"""The shop window: landing page, catalogue, one service, and the star on each."""

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
        return redirect("shop:catalogue")
    tiles = catalog.category_tiles()
    shown = best_delivered.services(request.user)
    return render(
        request,
        "shop/landing.html",
        {
            "tiles": tiles[: catalog.TILES],
            "services": sum(tile.count for tile in tiles),
            "best": shown,
            "terms": customer_wallet.terms(request, shown),
            "figures": catalog.delivered_last_day(),
            "api_address": request.build_absolute_uri("/api/v2"),
        },
    )


@require_safe
def services(request: HttpRequest) -> HttpResponse:
    return render(request, "shop/catalogue.html", {**_found(request), "kinds": SERVICE_TYPES.values()})


@never_cache
@require_safe
def services_found(request: HttpRequest) -> HttpResponse:
    """The list and the counts beside it, as one types; an address of its own, so that "back" never shows it alone.

    The page's address follows (vitrine.js), so that "back", a reload and a link that is passed on find the same.
    """
    found = render(request, "shop/_found.html", {**_found(request), "is_live": True})
    asked = urlencode([(name, text) for name, texts in request.GET.lists() for text in texts if text])
    return replace_url(found, f"{reverse('shop:catalogue')}?{asked}".removesuffix("?"))


def _found(request: HttpRequest) -> dict[str, Any]:
    asked = catalog.CatalogFilters.read(request.GET, is_known=request.user.is_authenticated)
    reader = catalog.CatalogViewer(request.user, customer_wallet.discount(request))
    found = catalog.find_services(asked, request.GET.get("page", ""), reader)
    pages = found.page.paginator.get_elided_page_range(found.page.number, on_each_side=1, on_ends=1)
    terms = customer_wallet.terms(request, found.page.object_list)
    return {"asked": asked, "found": found, "pages": list(pages), "terms": terms}


@require_safe
def service(request: HttpRequest, pk: int) -> HttpResponse:
    on_sale = Service.objects.on_sale().in_language().with_own_rates(request.user).select_related("measure")
    shown = get_object_or_404(catalog.with_favorites(on_sale, request.user), pk=pk)
    terms = customer_wallet.terms(request, [shown])
    return render(
        request,
        "shop/service.html",
        {
            "service": shown,
            "terms": terms,
            "fields": order_form.fields(shown, {}),
            "least_charge": order_form.least_charge(shown, paid_by=terms),
            "is_one": shown.type.count is Count.ONE,
            "history": price_history.of(shown),
        },
    )


@require_POST
def favourite(request: HttpRequest, pk: int) -> HttpResponse:
    """Gives the star or takes it, as the button said when it was drawn: a double click does what one does."""
    if request.htmx and not request.user.is_authenticated:  # type: ignore[attr-defined]
        return HttpResponseClientRefresh()
    return _favourite(request, pk)


@login_required
def _favourite(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Service.objects.on_sale().in_language(), pk=pk)
    is_on = favorites.set_favorite(request.user, service=shown, is_on=request.POST.get("star") == "1")
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "shop/_star.html", {"service": shown, "is_on": is_on})
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if is_ours else resolve_url("shop:service", pk))
