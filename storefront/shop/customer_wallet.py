"""The customer's wallet and pricing, read at most once in a request and only when a page needs it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.http import HttpRequest

from orders.catalog.customer_pricing import CustomerPricing
from orders.models import Account


def wallet(request: HttpRequest) -> Account | None:
    """Return the wallet with its price level; None for visitors and for users without one, such as staff."""
    if not hasattr(request, "_wallet"):
        accounts = Account.objects.filter(user=request.user.pk).select_related("level") if request.user.pk else None
        request._wallet = accounts.first() if accounts is not None else None  # type: ignore[attr-defined]
    cached: Account | None = request._wallet  # type: ignore[attr-defined]
    return cached


def balance(request: HttpRequest) -> Decimal:
    """Return the customer's balance in store currency, 0 without a wallet."""
    account = wallet(request)
    return (account.balance if account else None) or Decimal(0)


def discount(request: HttpRequest) -> Decimal:
    """Return the percentage that the customer's price level takes off every price."""
    account = wallet(request)
    return account.level.discount if account and account.level else Decimal(0)


def pricing(request: HttpRequest, services: Iterable[Any]) -> CustomerPricing:
    """Return the customer's pricing for ``services``, which were read ``with_own_rates``: one query, for the wallet."""
    own_rates = {service.pk: service.own_rate for service in services if service.own_rate is not None}
    return CustomerPricing(discount(request), own_rates)


def clear_cache(request: HttpRequest) -> None:
    """Forget the wallet after it changed in this request, so that the page reads it again."""
    if hasattr(request, "_wallet"):
        del request._wallet
