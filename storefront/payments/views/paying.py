"""The customer's payment pages: a new payment, the list, and one payment with its live part."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from storefront.accounts.countries import client_country
from storefront.accounts.ip_addresses import client_address
from storefront.accounts.models import User
from storefront.currencies import rates
from storefront.payments import (
    crediting,
    customer_details,
    gateways,
    history,
    payment_form,
    payment_proofs,
    receiving,
    return_urls,
    starting,
)
from storefront.payments import errors as payment_errors
from storefront.payments.gateway import Customer, Gateway, GatewayError
from storefront.payments.models import Payment, PaymentStatus

logger = logging.getLogger("vitrine.payments")
NUMBER_MAX_LENGTH = 60
#: Maximum number of transaction numbers that are looked up for one payment in this time: nobody should guess them.
NUMBER_TRIES, NUMBER_WINDOW = 10, timedelta(hours=12)
#: Minimum time between two queries of one payment that a returning browser can cause.
RETURN_INTERVAL = timedelta(seconds=5)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    is_submitted = request.method == "POST" and not {"set", "check"} & set(request.POST)
    payment_request = _read(request)
    coupon_problem = ""
    if is_submitted and not payment_request.problem:
        coupon_problem = _coupon_problem(request, payment_request)
        if not coupon_problem:
            return _start(request, payment_request)
    context = {
        "coupon_problem": coupon_problem,
        "payment_request": payment_request,
        "problem": payment_request.problem if is_submitted else "",
        "amount": payment_request.text,
    }
    response = render(request, "payments/new.html", context)
    # The answer to the form redirects to the gateway's host, and browsers apply ``form-action`` to that redirect too.
    hosts = [
        source
        for choice in payment_request.choices
        for source in return_urls.sources(choice.gateway, choice.gateway.hosts)
    ]
    response._csp_update = {"form-action": hosts}  # type: ignore[attr-defined]  # as csp's decorator does it
    return response


@never_cache
@require_http_methods(["GET", "POST"])
def quote(request: HttpRequest) -> HttpResponse:
    """Return what the entered amount costs with the chosen method, while the customer fills in the form."""
    if not request.user.is_authenticated:
        return HttpResponse(status=204)
    payment_request = _read(request)
    context = {
        "payment_request": payment_request,
        # The inputs are replaced only with those of another method: replacing them while the customer types loses text.
        "has_new_details": request.POST.get("details_of", "") != payment_request.key,
    }
    return render(request, "payments/_quote_live.html", context)


def _read(request: HttpRequest) -> payment_form.PaymentRequest:
    inputs = {name: str(text) for name, text in (request.POST or request.GET).items()}
    read = payment_form.read if request.method == "POST" else payment_form.suggest
    details = request.session.get(customer_details.SESSION_KEY, {})
    remembered = {"name": request.user.name} | details if isinstance(request.user, User) else details
    return read(inputs, user=request.user, country=client_country(request), remembered=remembered)


def _coupon_problem(request: HttpRequest, payment_request: payment_form.PaymentRequest) -> str:
    """Return why the coupon cannot be used, as a text for the customer; "" if it can, or if there is none."""
    if not payment_request.coupon or not settings.PAYMENT_COUPON_CHECK:
        return ""
    check = import_string(settings.PAYMENT_COUPON_CHECK)
    return str(check(request.user, payment_request.coupon, amount=payment_request.amount))


def _start(request: HttpRequest, payment_request: payment_form.PaymentRequest) -> HttpResponse:
    assert payment_request.choice is not None
    chosen = payment_request.choice
    try:
        payment = starting.start(
            request.user,
            method=chosen.method,
            amount=payment_request.amount,
            customer=_customer(request, customer_details.values(payment_request.details)),
            return_to=payment_request.return_to,
            coupon_code=payment_request.coupon.upper(),
            purpose=payment_request.purpose if payment_request.has_purpose else "",
        )
    except payment_errors.TooManyOpenPayments:
        text = _("You have %d unpaid payments. Complete one of them or wait until one expires.")
        messages.error(request, text % crediting.OPEN_MAX)
        return redirect("payments:list")
    except (GatewayError, rates.NoRate) as problem:
        logger.warning("A payment with method %s could not be started: %s", chosen.method.pk, problem)
        text = _("This payment method is not responding, and you were not charged. Try again or choose another one.")
        messages.error(request, text)
        facts = {"amount": payment_request.text, "method": chosen.key, "next": payment_request.return_to}
        facts["purpose"] = payment_request.purpose
        query = urlencode({name: text for name, text in facts.items() if text})
        return redirect(f"{reverse('payments:new')}?{query}")
    customer_details.remember(request.session, customer_details.values(payment_request.details))
    return redirect(starting.next_url(payment))


@require_safe
@login_required
def payments(request: HttpRequest) -> HttpResponse:
    return render(request, "payments/list.html", {"page": history.page(request.user, request.GET)})


@never_cache
@require_safe
@login_required
def payment(request: HttpRequest, reference: str) -> HttpResponse:
    payment = own_payment(request, reference)
    context = page_context(payment)
    response = render(request, "payments/payment.html", context)
    if context["frame_url"]:
        gateway = gateways.GATEWAYS[payment.gateway]
        sources = return_urls.sources(gateway, gateway.frame_hosts)
        response._csp_update = {"frame-src": sources}  # type: ignore[attr-defined]  # as csp's decorator does it
    return response


@csrf_exempt  # gateways send the browser back with a POST of their own
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def returned(request: HttpRequest, reference: str) -> HttpResponse:
    """Receive the browser that comes back from the gateway, and show the payment.

    A POST from another site carries no session cookie, so nobody is signed in here. What the browser sends proves
    nothing by itself; the gateway is asked or its signature checked.
    """
    payment = Payment.objects.select_related("method").filter(reference=reference).first()
    if payment and cache.add(f"payment-return:{payment.pk}", True, timeout=RETURN_INTERVAL.seconds):
        params = {**request.GET.dict(), **request.POST.dict()}
        receiving.returned(payment, {str(name): str(text) for name, text in params.items()})
    # The answer is the same for a reference that does not exist: the page it leads to asks who the visitor is.
    response = redirect("payments:payment", reference)
    response.status_code = 303
    return response


@never_cache
@require_safe
def live(request: HttpRequest, reference: str) -> HttpResponse:
    """Return the part of the page that can change; 204 if nothing has changed."""
    if not request.user.is_authenticated:
        return HttpResponseClientRefresh()
    payment = own_payment(request, reference)
    if payment.mark == request.GET.get("seen"):
        return HttpResponse(status=204)
    return render(request, "payments/_payment.html", {**page_context(payment), "is_live": True})


@never_cache
@require_POST
@login_required
def send_number(request: HttpRequest, reference: str) -> HttpResponse:
    """Take the transaction number that the customer has typed from a receipt."""
    payment = own_payment(request, reference)
    gateway = _asking_gateway(payment)
    if gateway is None:
        raise Http404
    typed = request.POST.get("number", "")[:NUMBER_MAX_LENGTH]
    number = re.sub(r"[\s-]", "", typed).upper()
    if not re.fullmatch(gateway.transaction_number_pattern, number, re.ASCII):
        return render(request, "payments/payment.html", page_context(payment, number=typed, number_problem="invalid"))
    key = f"payment-numbers:{payment.pk}"
    tries = int(cache.get(key, 0)) + 1
    cache.set(key, tries, timeout=NUMBER_WINDOW.seconds)
    if tries > NUMBER_TRIES:
        messages.error(request, _("You have tried too many transaction numbers. Contact support."))
        return redirect("payments:payment", reference)
    try:
        is_own = crediting.claim_number(payment, number=number)
    except payment_errors.AlreadyEnded:
        messages.error(request, _("This payment has ended. Start a new one."))
    except payment_errors.TooManyOpenPayments:
        messages.error(request, _("You have tried too many transaction numbers. Contact support."))
    else:
        if not is_own:
            return render(request, "payments/payment.html", page_context(payment, number=typed, number_problem="used"))
        messages.success(request, _("Transaction number received. We'll check it and update this page."))
    return redirect("payments:payment", reference)


def _asking_gateway(payment: Payment) -> Gateway | None:
    """Return the gateway of a payment whose customer can enter a transaction number, else None."""
    gateway = gateways.GATEWAYS.get(payment.gateway)
    if gateway is None or not gateway.is_available() or payment.method is None:
        return None
    try:
        configured = gateways.of(payment.method)
    except ImproperlyConfigured:
        return None
    return configured if configured.asks_for_transaction_number else None


def own_payment(request: HttpRequest, reference: str) -> Payment:
    """Return the customer's own payment. Any other gives 404, as if it did not exist."""
    return get_object_or_404(Payment.objects.of(request.user).select_related("method"), reference=reference)


def page_context(
    payment: Payment, *, problem: str = "", comment: str = "", number: str = "", number_problem: str = ""
) -> dict[str, Any]:
    """Return what the payment's page shows.

    Args:
        problem, comment: Of the proof that could not be accepted.
        number, number_problem: Of the transaction number that could not be accepted: "invalid" or "used".
    """
    gateway = gateways.GATEWAYS.get(payment.gateway)
    takes_numbers = gateway is not None and (gateway.takes_transaction_number or gateway.takes_proofs)
    numbers = list(payment.numbers.all()) if takes_numbers else []
    is_unpaid = payment.is_open and payment.paid_amount is None
    proofs = list(payment.proofs.all()) if gateway is None or gateway.takes_proofs else []
    action = payment.action if is_unpaid and gateway and gateway.is_available() else {}
    kind = action.get("kind", "")
    return {
        "payment": payment,
        "instructions": action if kind == "details" else None,
        "frame_url": action.get("url", "") if kind == "frame" else "",
        "proofs": proofs,
        "numbers": numbers,
        "takes_number": (
            payment.is_open and len(numbers) < crediting.PROOFS_MAX and _asking_gateway(payment) is not None
        ),
        "number": number,
        "number_problem": number_problem,
        "has_twelve_digits": gateway is not None and gateway.transaction_number_pattern == r"\d{12}",
        "takes_proofs": bool(
            gateway and gateway.takes_proofs and payment.is_open and len(proofs) < crediting.PROOFS_MAX
        ),
        "pay_at": action.get("url", "") if kind == "redirect" else "",
        "is_in_review": payment.is_open and payment.is_in_review,
        "is_credited": payment.status == PaymentStatus.CREDITED,
        "problem": problem,
        "comment": comment,
        "megabytes": payment_proofs.SIZE_MAX // 1024**2,
        "most_proofs": crediting.PROOFS_MAX,
    }


def _customer(request: HttpRequest, details: Mapping[str, str]) -> Customer:
    """Return what gateways may know about the signed-in customer, with the ``details`` that they entered."""
    user = request.user
    assert isinstance(user, User)
    address = client_address(request)
    return Customer(
        number=user.pk,
        email=user.email,
        name=details.get("name", user.name),
        phone=details.get("phone", ""),
        tax_id=details.get("tax_id", ""),
        address=details.get("address", ""),
        ip=address if ":" not in address else "",
        country=client_country(request),
        language=get_language() or "en",
    )
