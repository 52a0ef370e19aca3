"""A customer's orders: the list, one order, and the parts of both that follow the delivery."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from orders.lifecycle import Status
from orders.models import Order
from storefront.shop import history, timeline, wording


@require_safe
@login_required
def orders(request: HttpRequest) -> HttpResponse:
    listed = history.listed(request.user, request.GET)
    return render(request, "shop/orders.html", {"listed": listed, "marks": listed.marks})


@never_cache
@require_safe
def orders_live(request: HttpRequest) -> HttpResponse:
    """The rows that changed. 204 leaves the page and its clock as they are."""
    if not request.user.is_authenticated:
        return HttpResponseClientRefresh()
    changed, marks = history.changed(request.user, request.GET.getlist("seen"))
    if not changed:
        return HttpResponse(status=204)
    return render(request, "shop/_orders_live.html", {"changed": changed, "marks": marks})


@require_safe
@login_required
def order(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "shop/order.html", _shown(_own(request, pk)))


@never_cache
@require_safe
def order_live(request: HttpRequest, pk: int) -> HttpResponse:
    """The order's page without its frame, if anything changed."""
    if not request.user.is_authenticated:
        return HttpResponseClientRefresh()
    own = _own(request, pk)
    if history.mark(own) == request.GET.get("seen"):
        return HttpResponse(status=204)
    return render(request, "shop/_order.html", {**_shown(own), "is_live": True})


def _own(request: HttpRequest, pk: int) -> Order:
    """The customer's own order. Another's is not found, as if it did not exist."""
    return get_object_or_404(Order.objects.of(request.user).select_related("service"), pk=pk)


def _shown(own: Order) -> dict[str, Any]:
    is_partial = own.state is Status.PARTIAL
    return {
        "order": own,
        "mark": history.mark(own),
        "lines": timeline.lines(own),
        "given": [(wording.label(name), wording.value(name, given)) for name, given in own.fields.items()],
        "undelivered": own.quantity - own.delivered if is_partial else 0,
        "is_canceled": own.state in (Status.CANCELED, Status.FAILED),
        "is_in_doubt": own.state is Status.IN_DOUBT,
    }
