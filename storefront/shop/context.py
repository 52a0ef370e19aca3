"""Context processor of the shop: values that every page shows."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from storefront.brand import theme
from storefront.currencies import display
from storefront.shop import customer_wallet


def shop(request: HttpRequest) -> dict[str, Any]:
    """Return the values that the base template needs."""
    return {
        "shop_name": settings.SHOP_NAME,
        "store_currency": settings.STORE_CURRENCY,
        "look": theme.current,
        "shown_currency": display.current,
        # Callable, so that pages without the balance need no query for it.
        "balance": partial(customer_wallet.balance, request),
    }
