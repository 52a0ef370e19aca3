"""Views of refill and cancellation requests."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from storefront.shop import request_list
from storefront.shop.order_filters import NUMBERS_MAX
from storefront.web import query_params


@require_safe
@login_required
def refills(request: HttpRequest) -> HttpResponse:
    is_open = request.GET.get("show") == "open"
    page = request_list.list_requests(request.user, request.GET, is_open=is_open)
    return render(request, "shop/refills.html", {"page": page, "is_open": is_open})


@require_POST
@login_required
def request_many(request: HttpRequest) -> HttpResponse:
    """Request a refill for each selected order and show the results, grouped by reason."""
    parsed = (query_params.number(value) for value in request.POST.getlist("order")[:NUMBERS_MAX])
    numbers = [number for number in parsed if number is not None]
    if not numbers:
        messages.error(request, _("No orders were selected. Select the orders to refill."))
        return redirect("shop:orders")
    requested, reasons = request_list.request_refills(request.user, numbers)
    if requested:
        text = ngettext("Refill requested for order %s.", "Refills requested for orders %s.", len(requested))
        messages.success(request, text % request_list.join_numbers(requested))
    for reason, orders in reasons.items():
        text = ngettext("Order %(orders)s: %(reason)s", "Orders %(orders)s: %(reason)s", len(orders))
        messages.warning(request, text % {"orders": request_list.join_numbers(orders), "reason": reason})
    if not requested and not reasons:
        messages.error(request, _("These orders weren't found in your account."))
    return redirect("shop:refills")
