"""Views of promotions: redeem a voucher."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from storefront.promotions import coupons
from storefront.web import formats


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
