"""The webhook pages: a customer's endpoints, the deliveries to each, and the low balance threshold."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from orders.db import encryption
from orders.ledger import transfers
from storefront.accounts.low_balance import LowBalanceForm
from storefront.accounts.reauthentication import password_required, password_required_to_post
from storefront.web import keyset
from storefront.webhooks import endpoints as endpoint_actions
from storefront.webhooks import outbox
from storefront.webhooks.forms import EndpointForm
from storefront.webhooks.models import Delivery, Endpoint

PAGE_SIZE = 50
#: Session key of a new secret, encrypted, with the number of its endpoint, until the one page that shows it.
SHOWN_ONCE = "new_webhook_secret"


@never_cache
@login_required
@password_required_to_post
@require_http_methods(["GET", "POST"])
def endpoints(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    form = EndpointForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            endpoint, secret = endpoint_actions.add(user, **form.cleaned_data)
        except endpoint_actions.TooManyEndpoints:
            form.add_error(
                None,
                _("You've reached the limit of %(count)d endpoints. Delete one to add another.")
                % {"count": endpoint_actions.MAX_ENDPOINTS},
            )
        else:
            request.session[SHOWN_ONCE] = [endpoint.pk, encryption.encrypt(secret)]
            return redirect("webhooks:endpoints")
    return _page(request, form, None)


def _page(request: HttpRequest, form: EndpointForm, low_balance_form: LowBalanceForm | None) -> HttpResponse:
    user: Any = request.user
    rows = list(Endpoint.objects.filter(user=user))
    # Remove the secret from the session while showing it, so that a reload no longer shows it.
    shown_pk, secret = request.session.pop(SHOWN_ONCE, (None, ""))
    context = {
        "form": form,
        "low_balance_form": low_balance_form or LowBalanceForm(instance=transfers.open_wallet(user)),
        "endpoints": rows,
        "max_endpoints": endpoint_actions.MAX_ENDPOINTS,
        "is_full": len(rows) >= endpoint_actions.MAX_ENDPOINTS,
        "secret": encryption.decrypt(secret) if secret else "",
        "secret_of": next((row for row in rows if row.pk == shown_pk), None),
    }
    return render(request, "webhooks/endpoints.html", context)


@never_cache
@login_required
@require_POST
def low_balance(request: HttpRequest) -> HttpResponse:
    form = LowBalanceForm(request.POST, instance=transfers.open_wallet(request.user))
    if not form.is_valid():
        return _page(request, EndpointForm(), form)
    below = form.cleaned_data["warn_below"]
    transfers.set_low_balance_alert(form.instance, below=below)
    is_off = below is None
    messages.success(request, _("Low balance alerts turned off.") if is_off else _("Low balance threshold saved."))
    return redirect("webhooks:endpoints")


@login_required
@password_required_to_post
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    endpoint = get_object_or_404(Endpoint, user=request.user, pk=pk)
    form = EndpointForm(request.POST or None, instance=Endpoint.objects.get(pk=endpoint.pk))
    if request.method == "POST" and form.is_valid():
        endpoint_actions.change(endpoint, **form.cleaned_data)
        messages.success(request, _("Endpoint updated."))
        return redirect("webhooks:endpoints")
    return render(request, "webhooks/edit.html", {"form": form, "endpoint": endpoint})


# ------------------------------------------------------------------------------------------------ actions


@login_required
@require_POST
def run_action(request: HttpRequest, pk: int) -> HttpResponse:
    """Run the action of one of the buttons next to an endpoint."""
    endpoint = get_object_or_404(Endpoint, user=request.user, pk=pk)
    action = ACTIONS.get(request.POST.get("action", ""))
    if action is None:
        messages.error(request, _("This action is no longer available. Reload the page and try again."))
        return redirect("webhooks:endpoints")
    return action(request, endpoint)


def _pause(request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    endpoint_actions.pause(endpoint)
    messages.success(request, _("Endpoint paused. Events are not sent or stored until you resume it."))
    return redirect("webhooks:endpoints")


@password_required
def _resume(request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    endpoint_actions.resume(endpoint)
    outbox.wake()
    messages.success(request, _("Endpoint resumed. Pending events are sent now."))
    return redirect("webhooks:endpoints")


@password_required
def _rotate(request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    request.session[SHOWN_ONCE] = [endpoint.pk, encryption.encrypt(endpoint_actions.rotate(endpoint))]
    return redirect("webhooks:endpoints")


def _remove(request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    endpoint_actions.remove(endpoint)
    messages.success(request, _("Endpoint and its deliveries deleted."))
    return redirect("webhooks:endpoints")


def _test(request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    if not endpoint.is_active:
        messages.error(request, _("This endpoint is paused. Resume it first."))
        return redirect("webhooks:endpoints")
    outbox.send_test(endpoint)
    messages.success(request, _("Test event created. Reload this page in a moment to see the result."))
    return redirect("webhooks:deliveries", endpoint.pk)


ACTIONS: dict[str, Callable[[HttpRequest, Endpoint], HttpResponse]] = {
    "pause": _pause,
    "resume": _resume,
    "rotate": _rotate,
    "remove": _remove,
    "test": _test,
}


# ------------------------------------------------------------------------------------------------ deliveries


@login_required
@require_safe
def deliveries(request: HttpRequest, pk: int) -> HttpResponse:
    endpoint = get_object_or_404(Endpoint, user=request.user, pk=pk)
    rows = Delivery.objects.filter(endpoint=endpoint).select_related("event").defer("event__body")
    context = {"endpoint": endpoint, "page": keyset.page(rows, request.GET, PAGE_SIZE)}
    return render(request, "webhooks/deliveries.html", context)


@login_required
@require_safe
def delivery(request: HttpRequest, pk: int, delivery_pk: int) -> HttpResponse:
    """Show one delivery: its body and each attempt."""
    row = _own(request, pk, delivery_pk)
    body = json.dumps(json.loads(row.event.body), indent=2)
    context = {"delivery": row, "endpoint": row.endpoint, "body": body, "attempts": row.attempt_log.all()[:PAGE_SIZE]}
    return render(request, "webhooks/delivery.html", context)


@login_required
@require_POST
def resend(request: HttpRequest, pk: int, delivery_pk: int) -> HttpResponse:
    row = _own(request, pk, delivery_pk)
    if not row.endpoint.is_active:
        messages.error(request, _("This endpoint is paused. Resume it first."))
    elif outbox.resend([row]):
        messages.success(request, _("The event will be resent."))
    else:
        messages.info(request, _("The event is already being sent."))
    return redirect("webhooks:delivery", pk, delivery_pk)


def _own(request: HttpRequest, pk: int, delivery_pk: int) -> Delivery:
    user: Any = request.user
    rows = Delivery.objects.select_related("endpoint", "event").filter(endpoint__user=user, endpoint=pk)
    return get_object_or_404(rows, pk=delivery_pk)
