"""Views of promotions: redeem a voucher, and the page of affiliates."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from storefront.promotions import affiliates as program
from storefront.promotions import coupons
from storefront.promotions.models import Affiliate
from storefront.web import formats, keyset


@require_POST
@login_required
def redeem(request: HttpRequest) -> HttpResponse:
    try:
        bonus = coupons.redeem(request.user, request.POST.get("code", "")[:40])
    except coupons.CouponRefused as refusal:
        messages.error(request, coupons.text_of(refusal))
    else:
        text = _("Voucher redeemed; %s added to your balance.")
        messages.success(request, text % formats.money(bonus.amount))
    return redirect("shop:wallet")


@require_safe
@login_required
def affiliates(request: HttpRequest) -> HttpResponse:
    """Show the customer's link, clicks, sign-ups and earnings, or how to join."""
    affiliate = Affiliate.objects.filter(user=request.user.pk).first()
    if affiliate is None and not program.is_on():
        raise Http404
    terms = program.terms()
    context: dict[str, Any] = {
        "affiliate": affiliate,
        "terms": terms,
        "percent": terms.affiliate_percent if affiliate is None or affiliate.percent is None else affiliate.percent,
        "is_on": terms.is_affiliates_on,
    }
    if affiliate is not None:
        context |= {
            "link": program.link(affiliate),
            "figures": program.figures(affiliate),
            "page": keyset.page(affiliate.commissions.all(), request.GET, program.PAGE_SIZE),
        }
    return render(request, "promotions/affiliates.html", context)


@require_POST
@login_required
def join(request: HttpRequest) -> HttpResponse:
    if not program.is_on():
        raise Http404
    program.join(request.user)
    return redirect("promotions:affiliates")


@require_POST
@login_required
def transfer(request: HttpRequest) -> HttpResponse:
    try:
        payout = program.pay_out(request.user)
    except program.PayoutRefused as refusal:
        text = _("You can transfer your earnings when at least %s is available.")
        messages.error(request, text % formats.money(refusal.minimum))
    else:
        messages.success(request, _("%s added to your balance.") % formats.money(payout.amount))
    return redirect("promotions:affiliates")
