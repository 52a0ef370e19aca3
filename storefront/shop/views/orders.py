"""A customer's orders: the list, one order, and the parts of both that follow the delivery."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from orders.errors import NotPossible
from orders.models import Order, Run
from orders.models.order import Source
from orders.rules.state_machine import Status
from storefront.shop import labels, order_actions, order_export, order_list, timeline
from storefront.web import csv_export


@require_safe
@login_required
def orders(request: HttpRequest) -> HttpResponse:
    listed = order_list.list_orders(request.user, request.GET)
    context = {
        "listed": listed,
        "asked": listed.asked,
        "marks": listed.marks,
        "services": order_list.services_of(request.user, listed.asked),
        "sources": Source.choices,
        "can_tick": any(map(order_list.can_be_refilled, listed.page.rows)),
    }
    return render(request, "shop/orders.html", context)


@require_safe
@login_required
def orders_csv(request: HttpRequest) -> HttpResponseBase:
    """The orders that the list's filters find, all pages of them."""
    return csv_export.response("orders", order_export.as_csv(order_list.orders_to_export(request.user, request.GET)))


@never_cache
@require_safe
def orders_live(request: HttpRequest) -> HttpResponse:
    """The rows that changed. 204 leaves the page and its clock as they are."""
    if not request.user.is_authenticated:
        return HttpResponseClientRefresh()
    changed, marks = order_list.changed_orders(request.user, request.GET.getlist("seen"))
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
    if f"{order_list.row_state(own)}-{timeline.last_entry(own)}" == request.GET.get("seen"):
        return HttpResponse(status=204)
    return render(request, "shop/_order.html", {**_shown(own), "is_live": True})


@require_POST
@login_required
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks for a refill, or to cancel. A button that was shown too long ago is answered with the reason."""
    own = _own(request, pk)
    act = order_actions.ASK.get(request.POST.get("action", ""))
    try:
        if act is None:
            messages.error(request, _("No action was selected. Choose one of the buttons."))
        elif act(own, actor=request.user):
            messages.success(request, _("Request received. You can follow it under Activity."))
    except NotPossible as problem:
        messages.error(request, order_actions.why_not(problem))
    return redirect("shop:order", pk)


def _own(request: HttpRequest, pk: int) -> Order:
    """The customer's own order. Another's is not found, as if it did not exist."""
    return get_object_or_404(Order.objects.of(request.user).with_service(), pk=pk)


def _shown(own: Order) -> dict[str, Any]:
    is_partial = own.state is Status.PARTIAL
    lines, offered = timeline.timeline_entries(own), order_actions.order_actions(own)
    return {
        "order": own,
        "mark": f"{order_list.row_state(own)}-{max(line.event for line in lines)}",
        "is_moving": own.is_open or offered.is_waiting,
        "lines": lines,
        "runs": Run.objects.story(own),
        "buttons": offered.buttons,
        "given": [(labels.label(name), labels.value(name, given)) for name, given in own.fields.items()],
        "undelivered": own.quantity - own.delivered if is_partial else 0,
        "is_canceled": own.state in (Status.CANCELED, Status.FAILED),
        "is_in_doubt": own.state is Status.IN_DOUBT,
    }
