"""Which Route serves an order now. A route that refused an order for good is never tried again for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from orders.lifecycle import Status
from orders.models import Order
from providers.models import LIVE, Offer, Placement, Provider, Route, State

#: Refusals that say something about the provider, not about the order: the same route may serve it later.
PASSING = frozenset({"funds", "busy", "key", "duplicate"})


def usable() -> QuerySet[Route]:
    """Routes that are switched on and lead to an offer that can be bought, best first."""
    return Route.objects.filter(
        is_active=True, offer__is_available=True, offer__problem="", offer__provider__is_active=True
    ).order_by("priority", "id")


def waiting(provider: Provider | None = None, *, is_now: bool = False) -> QuerySet[Order]:
    """Queued orders whose time has come and that a usable route (to ``provider``) could serve, oldest first."""
    routes = usable().filter(service_id=OuterRef("service_id"))
    if provider is not None:
        routes = routes.filter(offer__provider=provider)
    live = Placement.objects.filter(order_id=OuterRef("pk"), run=0, state__in=LIVE)
    orders = Order.objects.open().filter(Exists(routes), ~Exists(live), status=Status.QUEUED).order_by("id")
    if is_now:
        return orders
    return orders.filter(Q(due_at=None) | Q(due_at__lte=timezone.now()))


def providers_to_submit(*, is_now: bool = False) -> list[int]:
    """Providers that have something to place and may be called."""
    now = timezone.now()
    service_ids = waiting(is_now=is_now).order_by().values("service_id")
    routes = usable().filter(offer__provider=OuterRef("pk"), service_id__in=service_ids)
    providers = Provider.objects.filter(Exists(routes))
    if not is_now:
        providers = providers.filter(Q(paused_until=None) | Q(paused_until__lte=now))
    return list(providers.order_by("pk").values_list("pk", flat=True))


def choose(orders: Sequence[Order], *, is_now: bool = False) -> dict[int, Offer]:
    """The offer to place each order at, by order id. Orders whose routes are all tried or paused are left out."""
    routes = _routes_of(orders)
    tried = _tried(orders)
    chosen: dict[int, Offer] = {}
    for order in orders:
        for route in routes[order.service_id]:
            provider = route.offer.provider
            if route.offer_id not in tried[order.pk] and (is_now or not provider.is_paused):
                chosen[order.pk] = route.offer
                break
    return chosen


def is_exhausted(order: Order) -> bool:
    """Whether every usable route refused ``order`` for good."""
    return all(route.offer_id in _tried([order])[order.pk] for route in _routes_of([order])[order.service_id])


def _routes_of(orders: Iterable[Order]) -> dict[int, list[Route]]:
    routes: dict[int, list[Route]] = defaultdict(list)
    services = {order.service_id for order in orders}
    for route in usable().filter(service_id__in=services).select_related("offer__provider"):
        routes[route.service_id].append(route)
    return routes


def _tried(orders: Iterable[Order]) -> dict[int, set[int]]:
    tried: dict[int, set[int]] = defaultdict(set)
    refused = Placement.objects.filter(order__in=[order.pk for order in orders], state=State.REFUSED)
    for order_id, offer_id in refused.exclude(reason__in=PASSING).values_list("order_id", "offer_id"):
        tried[order_id].add(offer_id)
    return tried
