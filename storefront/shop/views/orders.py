"""Views of the order list and the order page, and the fragments that keep them up to date."""

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
from storefront.shop import input_texts, order_actions, order_export, order_list, timeline
from storefront.web import csv_export


@require_safe
@login_required
def orders(request: HttpRequest) -> HttpResponse:
    listed = order_list.list_orders(request.user, request.GET)
    context = {
        "listed": listed,
        "filters": listed.filters,
        "row_states": listed.row_states,
        "services": order_list.services_to_filter_by(request.user, listed.filters),
        "sources": Source.choices,
        "can_select": any(map(order_list.can_be_refilled, listed.page.rows)),
    }
    return render(request, "shop/orders.html", context)


@require_safe
@login_required
def orders_csv(request: HttpRequest) -> HttpResponseBase:
    """Stream all orders that match the filters as CSV."""
    return csv_export.response("orders", order_export.as_csv(order_list.orders_to_export(request.user, request.GET)))


@never_cache
@require_safe
def orders_live(request: HttpRequest) -> HttpResponse:
    """Return the rows that changed; status 204 if there are none, which leaves the page and its polling as they are."""
    if not request.user.is_authenticated:
        return HttpResponseClientRefresh()
    changed, row_states = order_list.changed_orders(request.user, request.GET.getlist("seen"))
    if not changed:
        return HttpResponse(status=204)
    return render(request, "shop/_orders_live.html", {"changed": changed, "row_states": row_states})


@require_safe
@login_required
def order(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "shop/order.html", _order_context(_get_order(request, pk)))


@never_cache
@require_safe
def order_live(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the body of the order page if anything changed, else status 204."""
    if not request.user.is_authenticated:
        return HttpResponseClientRefresh()
    order = _get_order(request, pk)
    if f"{order_list.row_state(order)}-{timeline.last_entry(order)}" == request.GET.get("seen"):
        return HttpResponse(status=204)
    return render(request, "shop/_order.html", {**_order_context(order), "is_live": True})


@require_POST
@login_required
def request_order_action(request: HttpRequest, pk: int) -> HttpResponse:
    """Request a refill or a cancellation. If it is no longer possible, show the reason."""
    order = _get_order(request, pk)
    request_action = order_actions.ACTIONS.get(request.POST.get("action", ""))
    try:
        if request_action is None:
            messages.error(request, _("No action was selected. Choose one of the buttons."))
        elif request_action(order, actor=request.user):
            messages.success(request, _("Request received. You can follow it under Activity."))
    except NotPossible as problem:
        messages.error(request, order_actions.why_not(problem))
    return redirect("shop:order", pk)


def _get_order(request: HttpRequest, pk: int) -> Order:
    """Return the customer's own order; other orders raise 404, as if they did not exist."""
    return get_object_or_404(Order.objects.of(request.user).with_service(), pk=pk)


def _order_context(order: Order) -> dict[str, Any]:
    is_partial = order.state is Status.PARTIAL
    entries, actions = timeline.timeline_entries(order), order_actions.order_actions(order)
    return {
        "order": order,
        "state": f"{order_list.row_state(order)}-{max(entry.event for entry in entries)}",
        "is_polling": order.is_open or actions.is_waiting,
        "entries": entries,
        "runs": Run.objects.progress(order),
        "buttons": actions.buttons,
        "details": [(input_texts.label(name), input_texts.value(name, value)) for name, value in order.fields.items()],
        "undelivered": order.quantity - order.delivered if is_partial else 0,
        "is_canceled": order.state in (Status.CANCELED, Status.FAILED),
        "is_in_doubt": order.state is Status.IN_DOUBT,
    }
