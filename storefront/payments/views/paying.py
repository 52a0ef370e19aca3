"""The customer's payment pages: a new payment, the list, and one payment with its live part."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRefresh

from storefront.payments import crediting, gateways, history, payment_form, payment_proofs, starting
from storefront.payments.gateway import Unreachable
from storefront.payments.models import Payment, PaymentStatus


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    is_submitted = request.method == "POST"
    inputs = request.POST if is_submitted else request.GET
    payment_request = payment_form.read({name: str(text) for name, text in inputs.items()})
    if is_submitted and not payment_request.problem:
        return _start(request, payment_request)
    context = {
        "payment_request": payment_request,
        "problem": payment_request.problem if is_submitted else "",
        "amount": payment_request.text if is_submitted else payment_form.prefilled(payment_request),
    }
    response = render(request, "payments/new.html", context)
    # The answer to the form redirects to the gateway's host, and browsers apply ``form-action`` to that redirect too.
    hosts = [f"https://{host}" for choice in payment_request.choices for host in choice.gateway.hosts]
    response._csp_update = {"form-action": hosts}  # type: ignore[attr-defined]  # as csp's decorator does it
    return response


def _start(request: HttpRequest, payment_request: payment_form.PaymentRequest) -> HttpResponse:
    assert payment_request.choice is not None
    chosen = payment_request.choice
    try:
        payment = starting.start(
            request.user,
            gateway=chosen.gateway,
            way=chosen.way,
            amount=payment_request.amount,
            return_to=payment_request.return_to,
        )
    except crediting.TooManyOpenPayments:
        text = _("You have %d unpaid payments. Complete one of them or wait until one expires.")
        messages.error(request, text % crediting.OPEN_MAX)
        return redirect("payments:list")
    except Unreachable:
        text = _("This payment method is not responding, and you were not charged. Try again or choose another one.")
        messages.error(request, text)
        return redirect("payments:new")
    return redirect(payment.address)


@require_safe
@login_required
def payments(request: HttpRequest) -> HttpResponse:
    return render(request, "payments/list.html", {"page": history.page(request.user, request.GET)})


@never_cache
@require_safe
@login_required
def payment(request: HttpRequest, reference: str) -> HttpResponse:
    return render(request, "payments/payment.html", page_context(own_payment(request, reference)))


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


def own_payment(request: HttpRequest, reference: str) -> Payment:
    """Return the customer's own payment. Any other gives 404, as if it did not exist."""
    return get_object_or_404(Payment.objects.of(request.user), reference=reference)


def page_context(payment: Payment, *, problem: str = "", comment: str = "") -> dict[str, Any]:
    gateway = gateways.find(payment.gateway)
    is_unpaid = payment.is_open and payment.paid_amount is None
    proofs = list(payment.proofs.all()) if gateway is None or gateway.takes_proofs else []
    return {
        "payment": payment,
        "instructions": gateway.instructions(payment) if gateway and is_unpaid else None,
        "proofs": proofs,
        "takes_proofs": bool(
            gateway and gateway.takes_proofs and payment.is_open and len(proofs) < crediting.PROOFS_MAX
        ),
        "pay_at": payment.address if gateway and is_unpaid and not gateway.takes_proofs else "",
        "is_in_review": payment.is_open and payment.is_in_review,
        "is_credited": payment.status == PaymentStatus.CREDITED,
        "problem": problem,
        "comment": comment,
        "megabytes": payment_proofs.SIZE_MAX // 1024**2,
        "most_proofs": crediting.PROOFS_MAX,
    }
