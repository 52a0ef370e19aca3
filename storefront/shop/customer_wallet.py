"""The customer's wallet and what they pay, looked up at most once in a request and only where a page shows it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.http import HttpRequest

from orders.catalog.customer_pricing import CustomerPricing
from orders.models import Account


def wallet(request: HttpRequest) -> Account | None:
    """The customer's wallet with its level; None for visitors, and for people who have none yet, such as staff."""
    if not hasattr(request, "_wallet"):
        own = Account.objects.filter(user=request.user.pk).select_related("level") if request.user.pk else None
        request._wallet = own.first() if own is not None else None  # type: ignore[attr-defined]
    known: Account | None = request._wallet  # type: ignore[attr-defined]
    return known


def balance(request: HttpRequest) -> Decimal:
    own = wallet(request)
    return (own.balance if own else None) or Decimal(0)


def discount(request: HttpRequest) -> Decimal:
    """What the customer's level takes off every price, in percent."""
    own = wallet(request)
    return own.level.discount if own and own.level else Decimal(0)


def terms(request: HttpRequest, services: Iterable[Any]) -> CustomerPricing:
    """Return the customer's pricing for ``services``, which were read ``with_own_rates``: one query, for the wallet."""
    own = {service.pk: service.own_rate for service in services if service.own_rate is not None}
    return CustomerPricing(discount(request), own)


def forget(request: HttpRequest) -> None:
    """The wallet has changed in this request: what the page shows is looked up anew."""
    if hasattr(request, "_wallet"):
        del request._wallet
