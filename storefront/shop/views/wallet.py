"""Views of the balance and its transactions."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from orders.models import Account
from orders.models.ledger import TransferKind
from storefront.shop import customer_wallet, price_level_progress, transactions
from storefront.web import csv_export, keyset


@require_safe
@login_required
def wallet(request: HttpRequest) -> HttpResponse:
    kind = request.GET.get("kind", "")
    account = customer_wallet.wallet(request)
    context = {
        "wallet": account,
        "kind": kind,
        "types": TransferKind.choices,
        "level_progress": price_level_progress.level_progress(account) if account else None,
        "figures": transactions.wallet_figures(account) if account else None,
        "page": keyset.page(transactions.wallet_transfers(account, kind), request.GET, transactions.PAGE_SIZE)
        if account
        else None,
    }
    return render(request, "shop/wallet.html", context)


@require_safe
@login_required
def statement_csv(request: HttpRequest) -> HttpResponseBase:
    account = get_object_or_404(Account, user=request.user)
    return csv_export.response("statement", transactions.as_csv(account, request.GET.get("kind", "")))
