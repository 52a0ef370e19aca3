"""The wallet: figures, statement, and the statement as a file."""

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
    own = customer_wallet.wallet(request)
    context = {
        "wallet": own,
        "kind": kind,
        "kinds": TransferKind.choices,
        "standing": price_level_progress.level_progress(own) if own else None,
        "figures": transactions.figures(own) if own else None,
        "page": keyset.page(transactions.entries(own, kind), request.GET, transactions.PAGE_SIZE) if own else None,
    }
    return render(request, "shop/wallet.html", context)


@require_safe
@login_required
def statement_csv(request: HttpRequest) -> HttpResponseBase:
    own = get_object_or_404(Account, user=request.user)
    return csv_export.response("statement", transactions.as_csv(own, request.GET.get("kind", "")))
