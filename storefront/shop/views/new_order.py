"""A new order: choosing a service, the form, the price as one types, buying."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from orders.errors import InsufficientFunds, InvalidField, LinkInUse, OrderInvalid, PriceChanged, ServiceNotSold
from orders.models import Order, Service
from storefront.shop import catalog, customer_wallet, order_form, purchase
from storefront.web import formats, query_params


@never_cache  # "back" asks for the page anew: a form with its own request number, not the one that has bought
@login_required
@require_http_methods(["GET", "POST"])
def new_order(request: HttpRequest) -> HttpResponse:
    inputs = _inputs(request)
    service = _service(request, inputs.get("service", ""))
    if service is None:
        return _picker(request, is_gone="service" in inputs)
    if request.method == "POST" and "check" not in request.POST:
        return _buy(request, service, inputs)
    return _form(request, service, inputs)


@never_cache
@require_http_methods(["GET", "POST"])
def price(request: HttpRequest) -> HttpResponse:
    """The price card for what is typed. It writes nothing; the form is posted because lists do not fit an address."""
    inputs = query_params.inputs(request.POST or request.GET)
    service = _service(request, inputs.get("service", ""))
    if service is None or not request.user.is_authenticated:
        return HttpResponse(status=204)
    terms = customer_wallet.terms(request, [service])
    now = order_form.price(service, inputs, balance=customer_wallet.balance(request), paid_by=terms)
    context = {
        "service": service,
        "terms": terms,
        "price": now,
        "payment": order_form.add_funds_query(service, inputs, now),
        "fields": order_form.fields(service, inputs),
        "link_error": order_form.link_error(service, inputs),
        "is_live": True,
    }
    return render(request, "shop/_price.html", context)


def _service(request: HttpRequest, text: str) -> Service | None:
    number = query_params.number(text)
    if number is None:
        return None
    found = Service.objects.on_sale().in_language().with_own_rates(request.user).select_related("measure")
    return found.filter(pk=number).first()


def _inputs(request: HttpRequest) -> Mapping[str, Any]:
    """What the form holds: what was posted, or an earlier order of this customer, or the address."""
    if request.method == "POST":
        return query_params.inputs(request.POST)
    again = query_params.number(request.GET.get("again", ""))
    if again is not None:
        earlier = get_object_or_404(Order.objects.of(request.user).select_related("service"), pk=again)
        return {**order_form.inputs_of(earlier), "service": str(earlier.service_id)}
    return query_params.inputs(request.GET)


def _buy(request: HttpRequest, service: Service, inputs: Mapping[str, Any]) -> HttpResponse:
    number = purchase.request_id(inputs.get("request_id", ""))
    try:
        order = purchase.buy(
            request.user,
            service=service,
            inputs=inputs,
            request_id=number,
            shown_price=inputs.get("shown_price", ""),
            paid_by=customer_wallet.terms(request, [service]),
        )
    except OrderInvalid as wrong:
        return _form(request, service, inputs, alert="invalid", problems=wrong.problems, number=number)
    except PriceChanged:
        return _form(request, service, inputs, alert="price", number=number)
    except ServiceNotSold:
        return _form(request, service, inputs, alert="not_sold", number=number)
    except LinkInUse:
        return _form(request, service, inputs, alert="link_in_use", number=number)
    except InsufficientFunds:
        return _form(request, service, inputs, alert="funds", number=number)
    except purchase.FormReused as used:
        return _form(request, service, inputs, alert="reused", used=used.order)
    taken = {"order": order.pk, "amount": formats.money(order.charge)}
    messages.success(request, _("Order %(order)s placed. %(amount)s was charged to your balance.") % taken)
    return redirect("shop:order", order.pk)


def _form(
    request: HttpRequest,
    service: Service,
    inputs: Mapping[str, Any],
    *,
    alert: str = "",
    problems: Sequence[InvalidField] = (),
    number: str = "",
    used: Order | None = None,
) -> HttpResponse:
    fields = order_form.fields(service, inputs, problems)
    runs = order_form.run_fields(service, inputs, problems)
    starts = order_form.start_fields(service, inputs, problems)
    terms = customer_wallet.terms(request, [service])
    now = order_form.price(service, inputs, balance=customer_wallet.balance(request), paid_by=terms)
    context = {
        "service": service,
        "terms": terms,
        "fields": fields,
        "run_fields": runs,
        "start_fields": starts,
        "wrong": [field for field in (*fields, *runs, *starts) if field.error],
        "price": now,
        "payment": order_form.add_funds_query(service, inputs, now),
        "unit_price": order_form.unit_price(service, paid_by=terms),
        "request_number": number or purchase.new_request_id(),
        "alert": alert,
        "used": used,
    }
    return render(request, "shop/order_new.html", context)


def _picker(request: HttpRequest, *, is_gone: bool) -> HttpResponse:
    text = query_params.search(request.GET)
    found = catalog.search_services(text, request.user) if text else []
    bought = [] if text else catalog.recently_bought(request.user)
    context = {
        "text": text,
        "services": found,
        "bought": bought,
        "terms": customer_wallet.terms(request, [*found, *bought]),
        "is_gone": is_gone,
    }
    return render(request, "shop/order_pick.html", context)
