"""Refills and cancellations: the list, and asking for many at once."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from storefront.shop import request_list as asked_for
from storefront.shop.order_filters import NUMBERS_MAX
from storefront.web import query_params


@require_safe
@login_required
def refills(request: HttpRequest) -> HttpResponse:
    is_open = request.GET.get("show") == "open"
    page = asked_for.page(request.user, request.GET, is_open=is_open)
    return render(request, "shop/refills.html", {"page": page, "is_open": is_open})


@require_POST
@login_required
def ask_many(request: HttpRequest) -> HttpResponse:
    """A refill for each ticked order; what became of each is said, grouped by the answer."""
    found = (query_params.number(text) for text in request.POST.getlist("order")[:NUMBERS_MAX])
    numbers = [number for number in found if number is not None]
    if not numbers:
        messages.error(request, _("No orders were selected. Select the orders to refill."))
        return redirect("shop:orders")
    asked, reasons = asked_for.refill_many(request.user, numbers)
    if asked:
        words = ngettext("Refill requested for order %s.", "Refills requested for orders %s.", len(asked))
        messages.success(request, words % asked_for.told_of(asked))
    for reason, orders in reasons.items():
        words = ngettext("Order %(orders)s: %(reason)s", "Orders %(orders)s: %(reason)s", len(orders))
        messages.warning(request, words % {"orders": asked_for.told_of(orders), "reason": reason})
    if not asked and not reasons:
        messages.error(request, _("These orders weren't found in your account."))
    return redirect("shop:refills")
