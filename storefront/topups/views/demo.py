"""The pretend payment page: what would be another company's site. It changes nothing itself; its webhooks do."""

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

from orders import money
from storefront.topups import choosing, demo_bank, gateways
from storefront.topups.gateways.demo import Demo
from storefront.topups.models import TopUp
from storefront.topups.views import paying


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def demo(request: HttpRequest, reference: str) -> HttpResponse:
    topup = paying.own(request, reference)
    if topup.gateway != Demo.name or gateways.find(Demo.name) is None:
        raise Http404
    if request.method != "POST":
        return render(request, "topups/demo.html", {"topup": topup, "half": _half(topup)})
    if not _act(request, topup, request.POST.get("act", "")):
        messages.warning(request, _("The demo's webhook did not arrive. Press the button again."))
    return redirect("topups:topup", reference)


def _act(request: HttpRequest, topup: TopUp, act: str) -> bool:
    """Does what the button says; False where the webhook was not taken."""
    shop = demo_bank.Shop.of(request, reverse("topups:webhook", args=[Demo.name]))
    status = "declined" if act == "decline" else "paid"
    amount = _half(topup) if act == "half" else topup.amount
    body = demo_bank.payment(topup.reference, status=status, amount=amount, currency=topup.currency)
    if act == "later":
        demo_bank.send_later(shop, body)
        return True
    return act in ("pay", "half", "decline", "thrice") and demo_bank.send(shop, body, times=3 if act == "thrice" else 1)


def _half(topup: TopUp) -> Decimal:
    return money.round_up(topup.amount / 2, choosing.smallest())
