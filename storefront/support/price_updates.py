"""The data of the updates page: announcements, price changes and new services. Prices are list prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.models import Order, PriceChange, Service
from orders.models.catalog import with_services
from storefront.support.models import Announcement
from storefront.web import keyset

PAGE_SIZE = 30
#: Number of a customer's newest orders whose services count as the customer's own.
LATEST = 2000
TABS: Mapping[str, Promise] = {
    "": _("Announcements"),
    "prices": _("Price changes"),
    "services": _("New services"),
}


@dataclass(frozen=True, slots=True)
class PriceUpdatePage:
    """One tab of the page. ``is_own`` restricts it to services of the reader's newest orders."""

    tab: str
    is_own: bool
    page: keyset.KeysetPage[Any]


def list_price_updates(user: Any, query: QueryDict) -> PriceUpdatePage:
    """Return the selected tab, with one query."""
    tab = query.get("show", "")
    tab = tab if tab in TABS else ""
    is_own = tab == "prices" and bool(query.get("own")) and user.is_authenticated
    rows: QuerySet[Any, Model]
    match tab:
        case "prices":
            rows = _prices(user if is_own else None)
        case "services":
            rows = Service.objects.on_sale().in_language().order_by()
        case _:
            rows = Announcement.objects.begun()
    return PriceUpdatePage(tab, is_own, keyset.page(rows, query, PAGE_SIZE))


def percent(change: PriceChange) -> Decimal | None:
    """Return by how many percent the price changed, without a sign; None if the service was free before.

    It has one decimal place below 100 percent, and none above.
    """
    if not change.old_rate:
        return None
    share = abs(change.new_rate - change.old_rate) / change.old_rate * 100
    return share.quantize(Decimal("0.1") if share < 100 else Decimal(1), ROUND_HALF_UP)


def _prices(user: Any | None) -> QuerySet[PriceChange]:
    """Return the price changes of services on sale; changes of others are of no interest."""
    rows = PriceChange.objects.filter(service__is_active=True, service__category__is_active=True)
    if user is not None:
        rows = rows.filter(service__in=Order.objects.of(user).values("service")[:LATEST])
    return with_services(rows, "service")
