"""The services that were delivered best, as measured: for the landing page. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.cache import cache
from django.db.models import F, FloatField, Value
from django.db.models.functions import Cast

from orders.models import DeliveryStats, Service

SHOWN = 6
#: So that one category does not take all the room.
OF_A_CATEGORY = 2
#: Looked at before categories are told apart.
_FIRST = 100
RANKED_FOR = 600  # seconds


def services(user: Any) -> list[Service]:
    """Each with ``full_percent``: how many of 100 ended orders were delivered in full. One query while the ranking is
    kept; prices are never kept."""
    ranked: dict[int, int] = cache.get_or_set("shop:best", _ranked, RANKED_FOR) or {}
    if not ranked:
        return []
    found = Service.objects.on_sale().in_language().with_own_rates(user).select_related("measure").in_bulk([*ranked])
    shown = [found[pk] for pk in ranked if pk in found]
    for service in shown:
        service.full_percent = ranked[service.pk]  # type: ignore[attr-defined]
    return shown


def _ranked() -> dict[int, int]:
    """By the share that was delivered in full, of enough orders only; then the faster one.

    As if every service had one more order that was delivered and one that was not: ten of ten say less than 999 of
    1,000.
    """
    ended = F("measure__completed") + F("measure__partial") + F("measure__canceled")
    share = Cast(F("measure__completed") + Value(1), FloatField()) / Cast(ended + Value(2), FloatField())
    rows = (
        Service.objects.on_sale()
        .annotate(ended=ended)
        .alias(share=share)
        .filter(
            measure__sample__gte=DeliveryStats.LEAST,
            ended__gte=DeliveryStats.LEAST,
            measure__finish_median__isnull=False,
        )
        .order_by("-share", "measure__finish_median", "id")
        .values_list("pk", "category_id", "measure__completed", "ended")[:_FIRST]
    )
    return dict(_mixed(rows))


def _mixed(rows: Iterable[tuple[int, int, int, int]]) -> Iterator[tuple[int, int]]:
    shelves: Counter[int] = Counter()
    for pk, category, completed, ended in rows:
        if shelves[category] < OF_A_CATEGORY and shelves.total() < SHOWN:
            shelves[category] += 1
            yield pk, 100 * completed // ended  # never rounded up: 100 is all of them
