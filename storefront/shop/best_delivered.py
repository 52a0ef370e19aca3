"""The most reliably delivered services, for the landing page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.cache import cache
from django.db.models import F, FloatField, Value
from django.db.models.functions import Cast

from orders.models import DeliveryStats, Service

SERVICES_MAX = 6
#: Services per category, so that one category does not fill the list.
CATEGORY_MAX = 2
#: Ranked services to choose from before the limit per category.
_CANDIDATES_MAX = 100
RANKING_TTL = 600  # seconds


def best_services(user: Any) -> list[Service]:
    """Return the best services with ``full_percent``, the percentage of orders delivered in full.

    The ranking is cached for ``RANKING_TTL``, prices are not: one query while the cache is valid.
    """
    ranked: dict[int, int] = cache.get_or_set("shop:best", _rank_services, RANKING_TTL) or {}
    if not ranked:
        return []
    services_by_id = (
        Service.objects.on_sale().in_language().with_own_rates(user).select_related("delivery_stats").in_bulk([*ranked])
    )
    services = [services_by_id[pk] for pk in ranked if pk in services_by_id]
    for service in services:
        service.full_percent = ranked[service.pk]  # type: ignore[attr-defined]
    return services


def _rank_services() -> dict[int, int]:
    """Rank services with enough orders by the share delivered in full, then by speed.

    One delivered and one undelivered order are added to each service (Laplace smoothing): 10 of 10 proves less than 999
    of 1,000.
    """
    ended = F("delivery_stats__completed") + F("delivery_stats__partial") + F("delivery_stats__canceled")
    share = Cast(F("delivery_stats__completed") + Value(1), FloatField()) / Cast(ended + Value(2), FloatField())
    rows = (
        Service.objects.on_sale()
        .annotate(ended=ended)
        .alias(share=share)
        .filter(
            delivery_stats__sample__gte=DeliveryStats.LEAST,
            ended__gte=DeliveryStats.LEAST,
            delivery_stats__finish_median__isnull=False,
        )
        .order_by("-share", "delivery_stats__finish_median", "id")
        .values_list("pk", "category_id", "delivery_stats__completed", "ended")[:_CANDIDATES_MAX]
    )
    return dict(_limit_categories(rows))


def _limit_categories(rows: Iterable[tuple[int, int, int, int]]) -> Iterator[tuple[int, int]]:
    per_category: Counter[int] = Counter()
    for pk, category, completed, ended in rows:
        if per_category[category] < CATEGORY_MAX and per_category.total() < SERVICES_MAX:
            per_category[category] += 1
            yield pk, 100 * completed // ended  # Rounded down: 100% means every order.
