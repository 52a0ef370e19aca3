"""The simulated payment page, which stands in for the site of a payment company. Only its webhooks change anything."""

from __future__ import annotations

from decimal import Decimal

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from orders.rules import amounts
from storefront.payments import demo_bank, payment_form
from storefront.payments.gateways.demo import Demo
from storefront.payments.models import Payment
from storefront.payments.views import paying


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def demo(request: HttpRequest, reference: str) -> HttpResponse:
    payment = paying.own_payment(request, reference)
    if payment.gateway != Demo.name or payment.method is None or not Demo.is_available():
        raise Http404
    if request.method != "POST":
        return render(request, "payments/demo.html", {"payment": payment, "half": _half(payment)})
    if not _act(request, payment, request.POST.get("act", "")):
        messages.warning(request, _("The demo webhook was not delivered. Try again."))
    return redirect("payments:payment", reference)


def _act(request: HttpRequest, payment: Payment, act: str) -> bool:
    """Carry out the action of the button and return whether the shop accepted the webhook."""
    assert payment.method is not None
    path = reverse("payments:webhook", args=[payment.method_id, payment.method.token])
    shop = demo_bank.Shop.of(request, path)
    status = "declined" if act == "decline" else "paid"
    amount = _half(payment) if act == "half" else payment.amount
    body = demo_bank.payment(payment.reference, status=status, amount=amount, currency=payment.currency)
    if act == "later":
        demo_bank.send_later(shop, body)
        return True
    return act in ("pay", "half", "decline", "thrice") and demo_bank.send(shop, body, times=3 if act == "thrice" else 1)


def _half(payment: Payment) -> Decimal:
    return amounts.round_up(payment.amount / 2, payment_form.smallest())
