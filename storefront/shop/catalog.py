"""What the catalogue and the landing page show: services found, counted by category. Reads only."""

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
FIGURES_KEPT = 600  # seconds


@dataclass(frozen=True, slots=True)
class CatalogViewer:
    """Who looks at the catalogue, and what their level takes off every price, in percent."""

    user: Any
    discount: Decimal = Decimal(0)

    def paid(self) -> Coalesce:
        """What a service costs this reader, near enough to sort by."""
        share = float((100 - self.discount) / 100)
        return Coalesce(Cast("own_rate", FloatField()), Cast("rate", FloatField()) * share)


def _fastest(services: ServiceQuerySet, reader: CatalogViewer) -> ServiceQuerySet:
    """By the median time to the end; what too few orders were measured of comes last."""
    enough = Case(When(measure__sample__gte=DeliveryStats.LEAST, then=F("measure__finish_median")))
    return services.order_by(enough.asc(nulls_last=True), reader.paid().asc(), "id")


SORTS: Mapping[str, Callable[[ServiceQuerySet, CatalogViewer], ServiceQuerySet]] = {
    "price": lambda services, reader: services.order_by("is_flat", reader.paid().asc(), "id"),
    "-price": lambda services, reader: services.order_by("is_flat", reader.paid().desc(), "id"),
    "fast": _fastest,
    "new": lambda services, _reader: services.order_by("-id"),
}
RUN_KINDS = [kind.code for kind in SERVICE_TYPES.values() if has_runs(kind)]


@dataclass(frozen=True, slots=True)
class CatalogFilters:
    """What a visitor looks for. Anything that is no choice of ours counts as not asked."""

    text: str = ""
    category: int | None = None
    kind: str = ""
    prices: PriceRange = field(default_factory=PriceRange)
    has_refill: bool = False
    has_cancel: bool = False
    has_dripfeed: bool = False
    is_favourite: bool = False
    sort: str = ""

    @classmethod
    def read(cls, query: QueryDict, *, is_known: bool = False) -> CatalogFilters:
        """``is_known``: visitors who are not have no favourites to ask for."""
        kind = query.get("type", "")
        return cls(
            text=query_params.search(query),
            category=query_params.number(query.get("category", "")),
            kind=kind if kind in SERVICE_TYPES else "",
            prices=PriceRange.read(query),
            has_refill=bool(query.get("refill")),
            has_cancel=bool(query.get("cancel")),
            has_dripfeed=bool(query.get("dripfeed")),
            is_favourite=is_known and bool(query.get("favourites")),
            sort=sort if (sort := query.get("sort", "")) in SORTS else "",
        )

    @property
    def filters(self) -> int:
        asked = (self.kind, self.prices.is_asked, self.has_refill, self.has_cancel, self.has_dripfeed)
        return sum(map(bool, (*asked, self.is_favourite)))


@dataclass(frozen=True, slots=True)
class CategoryCount:
    """A category with how many of its services were found."""

    pk: int
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class CatalogPage:
    shelves: list[CategoryCount]
    total: int
    page: Page[Service]


def find_services(asked: CatalogFilters, page: str, reader: CatalogViewer) -> CatalogPage:
    """Two queries whatever the size of the catalogue: the counts by category, which give every total, and one page."""
    found = _matching(asked, reader)
    counts = found.by_category().annotate(count=Count("pk"))
    shelves = [CategoryCount(row["category_id"], row["shown"], row["count"]) for row in counts]
    total = sum(shelf.count for shelf in shelves)
    here = total
    if asked.category is not None:
        found = found.filter(category_id=asked.category)
        here = next((shelf.count for shelf in shelves if shelf.pk == asked.category), 0)
    if asked.sort:
        found = SORTS[asked.sort](found, reader)
    found = with_favorites(found, reader.user).select_related("measure")
    paginator = Paginator(found, PAGE_SIZE)
    paginator.__dict__["count"] = here  # known already: no COUNT of its own
    return CatalogPage(shelves, total, paginator.get_page(page))


def with_favorites(services: ServiceQuerySet, user: Any) -> ServiceQuerySet:
    """Each service with ``is_favourite``. No query more."""
    return services.annotate(is_favourite=favorites.is_favorite(user))


def _matching(asked: CatalogFilters, reader: CatalogViewer) -> ServiceQuerySet:
    found = Service.objects.on_sale().in_language().with_own_rates(reader.user)
    if asked.text:
        found = found.matching(asked.text)
    if asked.kind:
        found = found.filter(kind=asked.kind)
    if asked.prices.is_asked:
        found = found.filter(asked.prices.matching(reader.discount))
    if asked.has_refill:
        found = found.filter(has_refill=True)
    if asked.has_cancel:
        found = found.filter(has_cancel=True)
    if asked.has_dripfeed:
        found = found.filter(has_dripfeed=True, kind__in=RUN_KINDS)
    if asked.is_favourite:
        found = found.filter(favorites.is_favorite(reader.user))
    return found


@dataclass(slots=True)
class CategoryTile:
    """A category on the landing page, with its lowest price and what that price is for."""

    pk: int
    name: str
    count: int
    lowest: Decimal
    is_flat: bool


def category_tiles() -> list[CategoryTile]:
    """Every category on sale. Where it sells by the thousand, the lowest price is of those services."""
    rows = (
        Service.objects.on_sale().in_language().by_category("is_flat").annotate(count=Count("pk"), lowest=Min("rate"))
    )
    made: dict[int, CategoryTile] = {}
    for row in rows:
        tile = made.get(row["category_id"])
        if tile:
            tile.count += row["count"]
        else:
            made[row["category_id"]] = CategoryTile(
                row["category_id"], row["shown"], row["count"], row["lowest"], row["is_flat"]
            )
    return list(made.values())


def delivered_last_day() -> dict[str, Any]:
    """Orders that ended within 24 hours, counted anew every ten minutes; empty when there was none."""
    return cache.get_or_set("shop:last-day", _last_day, FIGURES_KEPT) or {}


def _last_day() -> dict[str, Any]:
    ended = Order.objects.filter(ended_at__gte=timezone.now() - timedelta(days=1)).aggregate(
        ended=Count("pk"),
        completed=Count("pk", filter=Q(status=Status.COMPLETED)),
        partial=Count("pk", filter=Q(status=Status.PARTIAL)),
        paid_back=Sum("refunded"),
    )
    if not ended["ended"]:
        return {}
    delivered = ended["completed"] + ended["partial"]
    return {
        "delivered": delivered,
        "full_percent": round(100 * ended["completed"] / ended["ended"], 1),
        "partial_percent": round(100 * ended["partial"] / ended["ended"], 1),
        "canceled_percent": round(100 * (ended["ended"] - delivered) / ended["ended"], 1),
        "paid_back": ended["paid_back"],
    }


def recently_bought(user: Any) -> list[Service]:
    """The services of a customer's latest orders that are still on sale, newest first."""
    latest = Order.objects.of(user).order_by("-id").values_list("service_id", flat=True)[:100]
    kept = list(dict.fromkeys(latest))[:8]
    services = Service.objects.on_sale().in_language().with_own_rates(user).in_bulk(kept)
    return [services[pk] for pk in kept if pk in services]


def search_services(text: str, user: Any) -> list[Service]:
    """The first services for the picker of a new order."""
    return list(Service.objects.on_sale().in_language().with_own_rates(user).matching(text)[:20])
