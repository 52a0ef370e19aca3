"""What every page of the shop shows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def shop(request: HttpRequest) -> dict[str, Any]:
    return {"shop_name": settings.SHOP_NAME, "store_currency": settings.STORE_CURRENCY}
