"""Read-only queries of the catalog and the landing page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, F, FloatField, Min, Q, Sum, When
from django.db.models.functions import Cast, Coalesce
from django.http import QueryDict
from django.utils import timezone

from orders.models import DeliveryStats, Order, Service
from orders.models.catalog import ServiceQuerySet
from orders.rules.service_types import SERVICE_TYPES, has_runs
from orders.rules.state_machine import Status
from storefront.shop import favorites
from storefront.shop.price_range import PriceRange
from storefront.web import query_params

PAGE_SIZE = 50
TILES = 8
STATS_TTL = 600  # seconds


@dataclass(frozen=True, slots=True)
class CatalogViewer:
    """The reader of the catalog; ``discount`` is the percentage that their price level takes off every price."""

    user: Any
    discount: Decimal = Decimal(0)

    def price(self) -> Coalesce:
        """Return the price that this viewer pays, as an approximate database expression for sorting."""
        share = float((100 - self.discount) / 100)
        return Coalesce(Cast("own_rate", FloatField()), Cast("rate", FloatField()) * share)


def _fastest(services: ServiceQuerySet, viewer: CatalogViewer) -> ServiceQuerySet:
    """Sort by the median completion time; services without enough measured orders come last."""
    enough = Case(When(delivery_stats__sample__gte=DeliveryStats.LEAST, then=F("delivery_stats__finish_median")))
    return services.order_by(enough.asc(nulls_last=True), viewer.price().asc(), "id")


SORTS: Mapping[str, Callable[[ServiceQuerySet, CatalogViewer], ServiceQuerySet]] = {
    "price": lambda services, viewer: services.order_by("is_flat", viewer.price().asc(), "id"),
    "-price": lambda services, viewer: services.order_by("is_flat", viewer.price().desc(), "id"),
    "fast": _fastest,
    "new": lambda services, _viewer: services.order_by("-id"),
}
DRIPFEED_TYPES = [service_type.code for service_type in SERVICE_TYPES.values() if has_runs(service_type)]


@dataclass(frozen=True, slots=True)
class CatalogFilters:
    """The filters of the catalog. Unknown values in the query string are ignored."""

    text: str = ""
    category: int | None = None
    service_type: str = ""
    prices: PriceRange = field(default_factory=PriceRange)
    has_refill: bool = False
    has_cancel: bool = False
    has_dripfeed: bool = False
    is_favorite: bool = False
    sort: str = ""

    @classmethod
    def read(cls, query: QueryDict, *, is_signed_in: bool = False) -> CatalogFilters:
        """Read the filters from a query string; only signed-in customers can filter by favorites."""
        service_type = query.get("type", "")
        return cls(
            text=query_params.search(query),
            category=query_params.number(query.get("category", "")),
            service_type=service_type if service_type in SERVICE_TYPES else "",
            prices=PriceRange.read(query),
            has_refill=bool(query.get("refill")),
            has_cancel=bool(query.get("cancel")),
            has_dripfeed=bool(query.get("dripfeed")),
            is_favorite=is_signed_in and bool(query.get("favorites")),
            sort=sort if (sort := query.get("sort", "")) in SORTS else "",
        )

    @property
    def count(self) -> int:
        """Number of filters that are set; search, category, and sorting do not count."""
        values = (self.service_type, self.prices.is_set, self.has_refill, self.has_cancel, self.has_dripfeed)
        return sum(map(bool, (*values, self.is_favorite)))


@dataclass(frozen=True, slots=True)
class CategoryCount:
    """A category and the number of its services that match the filters."""

    pk: int
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class CatalogPage:
    """One page of services, with the matching services counted by category."""

    categories: list[CategoryCount]
    total: int
    page: Page[Service]


def find_services(filters: CatalogFilters, page: str, viewer: CatalogViewer) -> CatalogPage:
    """Return one page of matching services, in two queries: the counts by category, and the page itself."""
    services = _matching(filters, viewer)
    counts = services.by_category().annotate(count=Count("pk"))
    categories = [CategoryCount(row["category_id"], row["shown"], row["count"]) for row in counts]
    total = sum(category.count for category in categories)
    shown = total
    if filters.category is not None:
        services = services.filter(category_id=filters.category)
        shown = next((category.count for category in categories if category.pk == filters.category), 0)
    if filters.sort:
        services = SORTS[filters.sort](services, viewer)
    services = with_favorites(services, viewer.user).select_related("delivery_stats")
    paginator = Paginator(services, PAGE_SIZE)
    paginator.__dict__["count"] = (
        shown  # The counts by category give the total: the paginator needs no COUNT of its own.
    )
    return CatalogPage(categories, total, paginator.get_page(page))


def with_favorites(services: ServiceQuerySet, user: Any) -> ServiceQuerySet:
    """Annotate each service with ``is_favorite``, without another query."""
    return services.annotate(is_favorite=favorites.is_favorite(user))


def _matching(filters: CatalogFilters, viewer: CatalogViewer) -> ServiceQuerySet:
    services = Service.objects.on_sale().in_language().with_own_rates(viewer.user)
    if filters.text:
        services = services.matching(filters.text)
    if filters.service_type:
        services = services.filter(service_type=filters.service_type)
    if filters.prices.is_set:
        services = services.filter(filters.prices.matching(viewer.discount))
    if filters.has_refill:
        services = services.filter(has_refill=True)
    if filters.has_cancel:
        services = services.filter(has_cancel=True)
    if filters.has_dripfeed:
        services = services.filter(has_dripfeed=True, service_type__in=DRIPFEED_TYPES)
    if filters.is_favorite:
        services = services.filter(favorites.is_favorite(viewer.user))
    return services


@dataclass(slots=True)
class CategoryTile:
    """A category on the landing page; ``is_flat`` tells whether ``lowest`` is a price each or per 1,000."""

    pk: int
    name: str
    count: int
    lowest: Decimal
    is_flat: bool


def category_tiles() -> list[CategoryTile]:
    """Return every category on sale. Prices per 1,000 take precedence over flat prices."""
    rows = (
        Service.objects.on_sale().in_language().by_category("is_flat").annotate(count=Count("pk"), lowest=Min("rate"))
    )
    tiles: dict[int, CategoryTile] = {}
    for row in rows:
        tile = tiles.get(row["category_id"])
        if tile:
            tile.count += row["count"]
        else:
            tiles[row["category_id"]] = CategoryTile(
                row["category_id"], row["shown"], row["count"], row["lowest"], row["is_flat"]
            )
    return list(tiles.values())


def last_day_stats() -> dict[str, Any]:
    """Return cached statistics of the orders that ended in the last 24 hours, or {} if there were none."""
    return cache.get_or_set("shop:last-day", _count_last_day, STATS_TTL) or {}


def _count_last_day() -> dict[str, Any]:
    ended = Order.objects.filter(ended_at__gte=timezone.now() - timedelta(days=1)).aggregate(
        ended=Count("pk"),
        completed=Count("pk", filter=Q(status=Status.COMPLETED)),
        partial=Count("pk", filter=Q(status=Status.PARTIAL)),
        refunded=Sum("refunded"),
    )
    if not ended["ended"]:
        return {}
    delivered = ended["completed"] + ended["partial"]
    return {
        "delivered": delivered,
        "full_percent": round(100 * ended["completed"] / ended["ended"], 1),
        "partial_percent": round(100 * ended["partial"] / ended["ended"], 1),
        "canceled_percent": round(100 * (ended["ended"] - delivered) / ended["ended"], 1),
        "refunded": ended["refunded"],
    }


def recently_bought(user: Any) -> list[Service]:
    """Return the services of a customer's latest orders that are still on sale, newest first."""
    latest = Order.objects.of(user).order_by("-id").values_list("service_id", flat=True)[:100]
    service_ids = list(dict.fromkeys(latest))[:8]
    services = Service.objects.on_sale().in_language().with_own_rates(user).in_bulk(service_ids)
    return [services[pk] for pk in service_ids if pk in services]


def search_services(text: str, user: Any) -> list[Service]:
    """Return the first matches for the service picker of a new order."""
    return list(Service.objects.on_sale().in_language().with_own_rates(user).matching(text)[:20])
