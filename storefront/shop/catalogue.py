"""What the catalogue and the landing page show: services found, counted by category. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, F, Min, Q, Sum, When
from django.http import QueryDict
from django.utils import timezone

from orders.kinds import KINDS
from orders.lifecycle import Status
from orders.models import Measure, Order, Service
from orders.models.catalog import ServiceQuerySet
from storefront import asking

PAGE_SIZE = 50
TILES = 8
FIGURES_KEPT = 600  # seconds


def _fastest(services: ServiceQuerySet) -> ServiceQuerySet:
    """By the median time to the end; what too few orders were measured of comes last."""
    enough = Case(When(measure__sample__gte=Measure.LEAST, then=F("measure__finish_median")))
    return services.order_by(enough.asc(nulls_last=True), "rate", "id")


SORTS: Mapping[str, Callable[[ServiceQuerySet], ServiceQuerySet]] = {
    "price": lambda services: services.order_by("is_flat", "rate", "id"),
    "fast": _fastest,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a visitor looks for. Anything that is no choice of ours counts as not asked."""

    text: str = ""
    category: int | None = None
    kind: str = ""
    has_refill: bool = False
    has_cancel: bool = False
    sort: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> Asked:
        kind = query.get("type", "")
        return cls(
            text=asking.search(query),
            category=asking.number(query.get("category", "")),
            kind=kind if kind in KINDS else "",
            has_refill=bool(query.get("refill")),
            has_cancel=bool(query.get("cancel")),
            sort=sort if (sort := query.get("sort", "")) in SORTS else "",
        )

    @property
    def filters(self) -> int:
        return bool(self.kind) + self.has_refill + self.has_cancel


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category with how many of its services were found."""

    pk: int
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Found:
    shelves: list[Shelf]
    total: int
    page: Page[Service]


def find(asked: Asked, page: str) -> Found:
    """Two queries whatever the size of the catalogue: the counts by category, which give every total, and one page."""
    found = _matching(asked)
    counts = (
        found.order_by("category__position", "category_id")
        .values("category_id", "category__name")
        .annotate(count=Count("pk"))
    )
    shelves = [Shelf(row["category_id"], row["category__name"], row["count"]) for row in counts]
    total = sum(shelf.count for shelf in shelves)
    here = total
    if asked.category is not None:
        found = found.filter(category_id=asked.category)
        here = next((shelf.count for shelf in shelves if shelf.pk == asked.category), 0)
    if asked.sort:
        found = SORTS[asked.sort](found)
    found = found.select_related("measure")
    paginator = Paginator(found, PAGE_SIZE)
    paginator.__dict__["count"] = here  # known already: no COUNT of its own
    return Found(shelves, total, paginator.get_page(page))


def _matching(asked: Asked) -> ServiceQuerySet:
    found = Service.objects.on_sale()
    if asked.text:
        found = found.matching(asked.text)
    if asked.kind:
        found = found.filter(kind=asked.kind)
    if asked.has_refill:
        found = found.filter(has_refill=True)
    if asked.has_cancel:
        found = found.filter(has_cancel=True)
    return found


@dataclass(slots=True)
class Tile:
    """A category on the landing page, with its lowest price and what that price is for."""

    pk: int
    name: str
    count: int
    lowest: Decimal
    is_flat: bool


def tiles() -> list[Tile]:
    """Every category on sale. Where it sells by the thousand, the lowest price is of those services."""
    rows = (
        Service.objects.on_sale()
        .order_by("category__position", "category_id", "is_flat")
        .values("category_id", "category__name", "is_flat")
        .annotate(count=Count("pk"), lowest=Min("rate"))
    )
    made: dict[int, Tile] = {}
    for row in rows:
        tile = made.get(row["category_id"])
        if tile:
            tile.count += row["count"]
        else:
            made[row["category_id"]] = Tile(
                row["category_id"], row["category__name"], row["count"], row["lowest"], row["is_flat"]
            )
    return list(made.values())


def last_day() -> dict[str, Any]:
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


def bought_before(user: Any) -> list[Service]:
    """The services of a customer's latest orders that are still on sale, newest first."""
    latest = Order.objects.of(user).order_by("-id").values_list("service_id", flat=True)[:100]
    kept = list(dict.fromkeys(latest))[:8]
    services = Service.objects.on_sale().in_bulk(kept)
    return [services[pk] for pk in kept if pk in services]


def to_choose(text: str) -> list[Service]:
    """The first services for the picker of a new order."""
    return list(Service.objects.on_sale().matching(text).annotate(category_name=F("category__name"))[:20])
