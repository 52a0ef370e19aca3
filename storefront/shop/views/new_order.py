"""Views of a new order: the service picker, the form, the live price, and the purchase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from orders.errors import (
    BalanceHeld,
    InsufficientFunds,
    InvalidField,
    LinkInUse,
    OrderInvalid,
    PriceChanged,
    ServiceNotSold,
)
from orders.models import Order, Service
from storefront.shop import catalog, customer_wallet, order_form, planned_orders, purchase
from storefront.web import formats, query_params


# Never cached: the back button must give a new form, not one whose request ID has bought already.
@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def new_order(request: HttpRequest) -> HttpResponse:
    inputs = _inputs(request)
    service = _service(request, inputs.get("service", ""))
    if service is None:
        return _picker(request, is_unavailable="service" in inputs)
    if request.method == "POST" and "pay" in request.POST:
        return _pay_and_order(request, service, inputs)
    if request.method == "POST" and "check" not in request.POST:
        return _buy(request, service, inputs)
    return _form(request, service, inputs)


@never_cache
@require_http_methods(["GET", "POST"])
def price(request: HttpRequest) -> HttpResponse:
    """Return the price card for the current entries. The form is posted because long lists do not fit in a URL."""
    inputs = query_params.inputs(request.POST or request.GET)
    service = _service(request, inputs.get("service", ""))
    if service is None or not request.user.is_authenticated:
        return HttpResponse(status=204)
    pricing = customer_wallet.pricing(request, [service])
    price_now = order_form.price(service, inputs, balance=customer_wallet.balance(request), pricing=pricing)
    context = {
        "service": service,
        "pricing": pricing,
        "price": price_now,
        "add_funds_query": order_form.add_funds_query(service, inputs, price_now),
        "fields": order_form.fields(service, inputs),
        "link_error": order_form.link_error(service, inputs),
        "is_live": True,
    }
    return render(request, "shop/_price.html", context)


@never_cache
@require_safe
def planned_order(request: HttpRequest, key: UUID) -> HttpResponse:
    """Return what has become of an order that waits for a payment, for the page of the payment."""
    row = planned_orders.by_key(request.user, str(key)) if request.user.is_authenticated else None
    if row is None:
        raise Http404
    return render(request, "shop/_planned_order.html", {"planned": row})


def _service(request: HttpRequest, text: str) -> Service | None:
    number = query_params.number(text)
    if number is None:
        return None
    services = Service.objects.on_sale().in_language().with_own_rates(request.user).select_related("delivery_stats")
    return services.filter(pk=number).first()


def _inputs(request: HttpRequest) -> Mapping[str, Any]:
    """Return the form's entries: from the posted form, an earlier order of this customer, or the query string."""
    if request.method == "POST":
        return query_params.inputs(request.POST)
    again = query_params.number(request.GET.get("again", ""))
    if again is not None:
        order = get_object_or_404(Order.objects.of(request.user).select_related("service"), pk=again)
        return {**order_form.inputs_of(order), "service": str(order.service_id)}
    return query_params.inputs(request.GET)


def _buy(request: HttpRequest, service: Service, inputs: Mapping[str, Any]) -> HttpResponse:
    request_id = purchase.request_id(inputs.get("request_id", ""))
    try:
        order = purchase.buy(
            request.user,
            service=service,
            inputs=inputs,
            request_id=request_id,
            shown_price=inputs.get("shown_price", ""),
            pricing=customer_wallet.pricing(request, [service]),
        )
    except OrderInvalid as error:
        return _form(request, service, inputs, alert="invalid", problems=error.problems, request_id=request_id)
    except PriceChanged:
        return _form(request, service, inputs, alert="price", request_id=request_id)
    except ServiceNotSold:
        return _form(request, service, inputs, alert="not_sold", request_id=request_id)
    except LinkInUse:
        return _form(request, service, inputs, alert="link_in_use", request_id=request_id)
    except BalanceHeld:
        return _form(request, service, inputs, alert="held", request_id=request_id)
    except InsufficientFunds:
        return _form(request, service, inputs, alert="funds", request_id=request_id)
    except purchase.FormReused as reused:
        return _form(request, service, inputs, alert="reused", existing_order=reused.order)
    values = {"order": order.pk, "amount": formats.money(order.charge)}
    messages.success(request, _("Order %(order)s placed. %(amount)s was charged to your balance.") % values)
    return redirect("shop:order", order.pk)


def _pay_and_order(request: HttpRequest, service: Service, inputs: Mapping[str, Any]) -> HttpResponse:
    """Store the order and lead to "Add funds"; it is placed when the money arrives. Nothing is charged here."""
    pricing = customer_wallet.pricing(request, [service])
    price_now = order_form.price(service, inputs, balance=customer_wallet.balance(request), pricing=pricing)
    if inputs.get("shown_price", "") != order_form.unit_price(service, pricing=pricing):
        return _form(request, service, inputs, alert="price")
    try:
        planned = planned_orders.plan(request.user, service=service, inputs=inputs, pricing=pricing)
    except OrderInvalid as error:
        return _form(request, service, inputs, alert="invalid", problems=error.problems)
    except ServiceNotSold:
        return _form(request, service, inputs, alert="not_sold")
    query = order_form.add_funds_query(service, inputs, price_now)
    return redirect(f"{reverse('payments:new')}?{query}&{urlencode({'purpose': str(planned.key)})}")


def _form(
    request: HttpRequest,
    service: Service,
    inputs: Mapping[str, Any],
    *,
    alert: str = "",
    problems: Sequence[InvalidField] = (),
    request_id: str = "",
    existing_order: Order | None = None,
) -> HttpResponse:
    fields = order_form.fields(service, inputs, problems)
    runs = order_form.run_fields(service, inputs, problems)
    starts = order_form.start_fields(service, inputs, problems)
    pricing = customer_wallet.pricing(request, [service])
    price_now = order_form.price(service, inputs, balance=customer_wallet.balance(request), pricing=pricing)
    context = {
        "service": service,
        "pricing": pricing,
        "fields": fields,
        "run_fields": runs,
        "start_fields": starts,
        "invalid_fields": [field for field in (*fields, *runs, *starts) if field.error],
        "price": price_now,
        "add_funds_query": order_form.add_funds_query(service, inputs, price_now),
        "unit_price": order_form.unit_price(service, pricing=pricing),
        "request_id": request_id or purchase.new_request_id(),
        "alert": alert,
        "existing_order": existing_order,
    }
    return render(request, "shop/order_new.html", context)


def _picker(request: HttpRequest, *, is_unavailable: bool) -> HttpResponse:
    text = query_params.search(request.GET)
    services = catalog.search_services(text, request.user) if text else []
    recent_services = [] if text else catalog.recently_bought(request.user)
    context = {
        "text": text,
        "services": services,
        "recent_services": recent_services,
        "pricing": customer_wallet.pricing(request, [*services, *recent_services]),
        "is_unavailable": is_unavailable,
    }
    return render(request, "shop/order_pick.html", context)
