"""What every page of the shop shows."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from storefront.brand import theme
from storefront.currencies import display
from storefront.shop import customer_wallet


def shop(request: HttpRequest) -> dict[str, Any]:
    return {
        "shop_name": settings.SHOP_NAME,
        "store_currency": settings.STORE_CURRENCY,
        "look": theme.current,
        "shown_currency": display.current,
        # Called by the template: pages without the balance pay no query for it.
        "balance": partial(customer_wallet.balance, request),
    }
