"""What the customer's wallet holds, looked up at most once in a request and only where a page shows it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest

from orders.models import Account


def wallet_of(user: Any) -> Account | None:
    """The customer's wallet; None for people who have none yet, such as staff."""
    return Account.objects.filter(user=user).first()


def balance(request: HttpRequest) -> Decimal:
    if not hasattr(request, "_balance"):
        wallet = wallet_of(request.user) if request.user.is_authenticated else None
        request._balance = (wallet.balance if wallet else None) or Decimal(0)  # type: ignore[attr-defined]
    known: Decimal = request._balance  # type: ignore[attr-defined]
    return known
