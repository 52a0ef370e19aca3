"""Routing: the choice of the offer at which an order is placed.

Providers with enough balance come first, then the priority decides, then the cost. Offers that finally rejected the
order are not tried again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import reduce
from operator import mul

from django.db.models import Case, Exists, ExpressionWrapper, F, FloatField, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Coalesce, Greatest
from django.utils import timezone

from orders.models import Order, Run
from orders.rules import amounts
from orders.rules.state_machine import Status
from providers.models import LIVE, Offer, Placement, PlacementState, Provider, Route
from providers.placing import costs
from providers.reconciling import holds
from providers.transport import funds, offer_pauses

#: Reasons of rejections that concern the provider, not the order; the same route may be tried again later.
PASSING = frozenset({"funds", "busy", "key", "duplicate"})


def usable() -> QuerySet[Route]:
    """Return the active routes to offers that can be bought, in the order of their priority."""
    return Route.objects.filter(
        is_active=True, offer__is_available=True, offer__problem="", offer__provider__is_active=True
    ).order_by("priority", "id")


def waiting(provider: Provider | None = None, *, is_now: bool = False) -> QuerySet[Order]:
    """Return queued orders that are due and have a usable route (to ``provider``), oldest first.

    ``is_now`` ignores waiting times that we set ourselves, but not the start time of the customer. Orders that we
    split into runs, and orders that are delivered by hand, are not included.
    """
    now = timezone.now()
    live = Placement.objects.filter(order_id=OuterRef("pk"), run=0, state__in=LIVE)
    whole = Q(runs=1) | ~Exists(Run.objects.filter(order_id=OuterRef("pk")))
    orders = Order.objects.open().filter(_placeable(provider), ~Exists(live), whole, status=Status.QUEUED)
    orders = orders.filter(service__is_manual=False)
    orders = orders.filter(Q(starts_at=None) | Q(starts_at__lte=now)).exclude(_held(provider)).order_by("id")
    return orders if is_now else orders.filter(Q(due_at=None) | Q(due_at__lte=now))


def waiting_runs(provider: Provider | None = None, *, is_now: bool = False) -> QuerySet[Order]:
    """Return open orders with a run that is due (``is_now`` makes no difference), oldest first."""
    orders = Order.objects.open().filter(_served(provider), pk__in=_due_runs().values("order_id"))
    return orders.order_by("id")


def may_be_placed(order: Order) -> bool:
    """Return whether a provider has the order, had it, or may have it."""
    return Placement.objects.filter(order=order, state__in=(*LIVE, PlacementState.CLOSED)).exists()


def next_runs(orders: Iterable[Order]) -> dict[int, Run]:
    """Return the first due run of each order, by order id."""
    in_runs = [order.pk for order in orders if order.runs > 1]
    if not in_runs:
        return {}
    return {run.order_id: run for run in _due_runs().filter(order__in=in_runs).order_by("-number")}


def _due_runs() -> QuerySet[Run]:
    return Run.objects.filter(status=Status.QUEUED, ended_at=None, due_at__lte=timezone.now())


def _served(provider: Provider | None) -> Exists:
    """Return a condition for orders with a usable route (to ``provider``)."""
    return Exists(_routes(provider))


def _routes(provider: Provider | None) -> QuerySet[Route]:
    """Return the usable routes (to ``provider``) of an order in an outer query."""
    routes = usable().filter(service_id=OuterRef("service_id")).order_by()
    return routes if provider is None else routes.filter(offer__provider=provider)


def _placeable(provider: Provider | None) -> Exists:
    """Return a condition for routes at which the whole order can be placed: not rejected there, and not too expensive.

    It only excludes what is certain, so that other orders are not read again with every claim; ``choose`` decides.
    """
    refused = Placement.objects.filter(
        order_id=OuterRef(OuterRef("pk")), offer_id=OuterRef("offer_id"), run=0, state=PlacementState.REFUSED
    ).exclude(reason__in=PASSING)
    billed = Greatest(F("offer__rate"), Coalesce(F("offer__pending_rate"), F("offer__rate")))
    per = Case(When(offer__is_flat=True, then=Value(1.0)), default=Value(1000.0), output_field=FloatField())
    # Floats, because the product of two columns in 10^-8 does not fit into 64 bits. The result is in millionths.
    factors = (Cast(part, FloatField()) for part in (billed, F("offer__provider__exchange_rate"), OuterRef("quantity")))
    cost = ExpressionWrapper(reduce(mul, factors) / per / 1e10, output_field=FloatField())
    affordable = Cast(OuterRef("charge"), FloatField()) * 1.000001 + 1.0
    return Exists(_routes(provider).alias(cost=cost).filter(~Exists(refused), cost__lte=affordable))


def _held(provider: Provider | None) -> Q:
    """Return a condition for orders that are held (see ``holds``) on every route to ``provider``."""
    none = Q(pk__in=())
    held = holds.held_requests() if provider else frozenset()
    if not held:
        return none
    to_provider = usable().filter(offer__provider=provider)
    services = to_provider.filter(offer__in={offer for offer, _quantity in held}).order_by().values("service_id")
    offers: dict[int, set[int]] = defaultdict(set)
    for service_id, offer_id in to_provider.filter(service_id__in=services).values_list("service_id", "offer_id"):
        offers[service_id].add(offer_id)
    waits = none
    for quantity in {quantity for _offer, quantity in held}:
        mine = {offer for offer, held_quantity in held if held_quantity == quantity}
        waits |= Q(quantity=quantity, service_id__in=[service for service, those in offers.items() if those <= mine])
    return waits & Q(created_at__gt=timezone.now() - holds.HOLD)


def providers_to_submit(*, is_now: bool = False) -> list[int]:
    """Return the providers that have orders to place and are not paused."""
    now = timezone.now()
    waits = [
        Q(service_id__in=found(is_now=is_now).order_by().values("service_id")) for found in (waiting, waiting_runs)
    ]
    routes = usable().filter(waits[0] | waits[1], offer__provider=OuterRef("pk"))
    providers = Provider.objects.filter(Exists(routes))
    if not is_now:
        providers = providers.filter(Q(paused_until=None) | Q(paused_until__lte=now))
    return list(providers.order_by("pk").values_list("pk", flat=True))


def part(order: Order, offer: Offer, run: Run | None = None) -> tuple[int, int]:
    """Return what to place at ``offer``: the run (0 for the whole order) and its quantity.

    A drip-feed order is placed whole if the offer supports it and the panel's document says how. Otherwise it is split.
    """
    if run:
        return run.number, run.quantity
    if order.runs == 1 or (offer.has_dripfeed and offer.service_type in offer.provider.dialect.runs):
        return 0, order.quantity
    return 1, order.quantity // order.runs


def choose(orders: Sequence[Order], *, is_now: bool = False, runs: Mapping[int, Run] | None = None) -> dict[int, Offer]:
    """Return the offer at which each order, or its run in ``runs``, is to be placed, by order id.

    Orders whose routes were all tried, are paused or are held back are left out.
    """
    runs = runs or {}
    routes = _routes_of(orders)
    tried, held = _tried(orders, runs), holds.held_requests()
    paused_offers = {} if is_now else offer_pauses.paused_offers()
    chosen: dict[int, Offer] = {}
    for order in orders:
        for offer in _by_preference(routes[order.service_id], order):
            _number, quantity = part(order, offer, runs.get(order.pk))
            if offer.pk in tried[order.pk] or holds.is_order_held(order, offer, quantity, held):
                continue
            is_worth_it = costs.covers(order.charge, offer, quantity=order.quantity)
            is_paused = offer.provider.is_paused or offer.pk in paused_offers
            may_go = not is_paused and funds.can_afford(offer.provider, offer.cost_of(quantity))
            if is_worth_it and (is_now or may_go):
                chosen[order.pk] = offer
                break
    return chosen


def offers_of(order: Order) -> list[Offer]:
    """Return the offers that ``order`` could be placed at, in the order to try."""
    return _by_preference(_routes_of([order])[order.service_id], order)


def has_refused(offer: Offer, order: Order) -> bool:
    """Return whether ``offer`` is out for the whole ``order``: the provider finally rejected it."""
    return offer.pk in _tried([order], {})[order.pk]


def is_exhausted(order: Order, run: int = 0) -> bool:
    """Return whether every usable route finally rejected ``order``, or its ``run``."""
    runs = {order.pk: order.run_rows.get(number=run)} if run else {}
    tried = _tried([order], runs)[order.pk]
    return all(route.offer_id in tried for route in _routes_of([order])[order.service_id])


def _by_preference(routes: list[Route], order: Order) -> list[Offer]:
    """Sort offers: first those whose provider has enough balance, then by priority, then by cost.

    Costs are compared in the store currency. A provider whose balance is unknown counts as having enough.
    """

    def rank(route: Route) -> tuple[bool, int, Decimal, int]:
        offer, provider = route.offer, route.offer.provider
        cost = offer.cost_of(order.quantity)
        is_short = provider.balance is not None and provider.balance < cost
        return is_short, route.priority, amounts.multiply(cost, provider.exchange_rate), route.pk

    return [route.offer for route in sorted(routes, key=rank)]


def _routes_of(orders: Iterable[Order]) -> dict[int, list[Route]]:
    routes: dict[int, list[Route]] = defaultdict(list)
    services = {order.service_id for order in orders}
    for route in usable().filter(service_id__in=services).select_related("offer__provider"):
        routes[route.service_id].append(route)
    return routes


def _tried(orders: Iterable[Order], runs: Mapping[int, Run]) -> dict[int, set[int]]:
    tried: dict[int, set[int]] = defaultdict(set)
    refused = Placement.objects.filter(order__in=[order.pk for order in orders], state=PlacementState.REFUSED)
    for order_id, offer_id, run in refused.exclude(reason__in=PASSING).values_list("order_id", "offer_id", "run"):
        if run == (runs[order_id].number if order_id in runs else 0):
            tried[order_id].add(offer_id)
    return tried
