"""What every page of the shop shows."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from storefront.brand import look
from storefront.currencies import display
from storefront.shop import purse


def shop(request: HttpRequest) -> dict[str, Any]:
    return {
        "shop_name": settings.SHOP_NAME,
        "store_currency": settings.STORE_CURRENCY,
        "look": look.current,
        "shown_currency": display.current,
        # Called by the template: pages without the balance pay no query for it.
        "balance": partial(purse.balance, request),
    }
