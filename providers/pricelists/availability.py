"""Availability of services: a service goes off sale with its last usable offer, and on sale again with it.

Also the decisions of operators about offers that wait for approval.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from orders.db import bulk
from orders.models import Service
from providers.errors import NothingToDecide
from providers.models import Offer, Provider, Route
from providers.placing import routing
from providers.pricelists import markup
from providers.pricelists.diff import MISSES, StoredOffer

#: The fields that a service copies from its offer.
_SOLD = ("min_quantity", "max_quantity", "has_refill", "has_cancel", "has_dripfeed")
log = logging.getLogger("vitrine.providers")


def withdraw(provider: Provider, offers: set[int]) -> int:
    """Take services off sale that lost their last usable route with ``offers`` (primary keys); return their number."""
    routes = Route.objects.filter(offer__provider=provider, is_active=True, service__is_active=True)
    touched = {service for service, offer in routes.values_list("service_id", "offer_id") if offer in offers}
    if not touched:
        return 0
    usable = routing.usable().filter(service_id__in=routes.values("service_id")).order_by()
    lost = sorted(touched - set(usable.values_list("service_id", flat=True)))
    bulk.update(Service, ["is_active"], [(service, False) for service in lost])
    _mark_withdrawn(provider, lost, is_withdrawn=True)
    if lost:
        log.warning("%s: %d services went off sale with their offers: %s", provider.name, len(lost), _some(lost))
    return len(lost)


def disable_mismatched_routes(provider: Provider, offers: set[int]) -> None:
    """Deactivate routes to ``offers`` (primary keys) from services of another type.

    The inputs of such a service no longer fit the offer. A service without another route goes off sale.
    """
    routes = Route.objects.filter(offer__provider=provider, is_active=True).exclude(
        service__service_type=F("offer__service_type")
    )
    misfits = {
        route: service
        for route, offer, service in routes.values_list("pk", "offer_id", "service_id")
        if offer in offers
    }
    if not misfits:
        return
    bulk.update(Route, ["is_active", "is_withdrawn"], [(route, False, False) for route in misfits])
    services = set(misfits.values())
    left = set(routing.usable().filter(service_id__in=services).order_by().values_list("service_id", flat=True))
    bulk.update(Service, ["is_active"], [(service, False) for service in sorted(services - left)])


def restore(provider: Provider, offers: set[int]) -> int:
    """Put services on sale again that went off sale, because ``offers`` are usable; return their number."""
    routes = Route.objects.filter(offer__provider=provider, is_active=True, is_withdrawn=True)
    found = sorted({service for service, offer in routes.values_list("service_id", "offer_id") if offer in offers})
    if found:
        bulk.update(Service, ["is_active"], [(service, True) for service in found])
        _mark_withdrawn(provider, found, is_withdrawn=False)
    return len(found)


def copy_offer_changes(provider: Provider, steps: Iterable[tuple[StoredOffer, StoredOffer]]) -> int:
    """Copy changed limits, refill and cancel of offers to their services; return how many services changed.

    Values that an operator has changed stay.
    """
    moved = {
        after.pk: (before, after) for before, after in steps if after.is_sellable and _sold(before) != _sold(after)
    }
    if not moved:
        return 0
    routes = Route.objects.filter(offer__provider=provider, is_active=True)
    changed: dict[int, tuple[Any, ...]] = {}
    for offer, service, *now in routes.values_list("offer_id", "service_id", *(f"service__{name}" for name in _SOLD)):
        if offer in moved:
            before, after = map(_sold, moved[offer])
            limits = after[:2] if tuple(now[:2]) == before[:2] else tuple(now[:2])
            flags = (
                new if mine == old else mine for mine, old, new in zip(now[2:], before[2:], after[2:], strict=True)
            )
            if (row := (*limits, *flags)) != tuple(now):
                changed[service] = row
    bulk.update(Service, _SOLD, [(service, *row) for service, row in changed.items()])
    return len(changed)


def waiting(provider: Provider | None = None) -> QuerySet[Offer]:
    """Return the offers that wait for approval."""
    found = Offer.objects.filter(is_pending_approval=True)
    return found if provider is None else found.filter(provider=provider)


def approve(offer: Offer, *, actor: Any = None) -> Offer:
    """Approve ``offer``: its new cost applies, it can be bought, and prices are updated. Also for rejected offers.

    Raises:
        NothingToDecide: the offer neither waits nor was rejected.
    """
    if not approve_all(Offer.objects.filter(pk=offer.pk), actor=actor):
        raise NothingToDecide(f"offer {offer} does not wait for approval")
    offer.refresh_from_db()
    return offer


def reject(offer: Offer, *, actor: Any = None) -> Offer:
    """Take ``offer``, and services without another route, off sale until it is approved.

    Raises:
        NothingToDecide: the offer does not wait.
    """
    if not reject_all(Offer.objects.filter(pk=offer.pk), actor=actor):
        raise NothingToDecide(f"offer {offer} does not wait for approval")
    offer.refresh_from_db()
    return offer


@transaction.atomic
def approve_all(offers: QuerySet[Offer], *, actor: Any = None) -> int:
    """Approve those of ``offers`` that wait or were rejected; return their number."""
    offers_by_provider = _lock_offers(
        offers.filter(Q(is_pending_approval=True) | Q(is_available=False, missed_imports__lt=MISSES))
    )
    for provider, keys in offers_by_provider.items():
        _set(
            keys, rate=Coalesce("pending_rate", "rate"), pending_rate=None, is_pending_approval=False, is_available=True
        )
        # The panel changed the type, so the inputs of the service no longer fit.
        strange = Route.objects.filter(offer__provider=provider, is_active=True).exclude(
            service__service_type=F("offer__service_type")
        )
        misfits = [route for route, offer in strange.values_list("pk", "offer_id") if offer in keys]
        bulk.update(Route, ["is_active", "is_withdrawn"], [(route, False, False) for route in misfits])
        restore(provider, keys)
        markup.reprice(provider, offers=keys)
        log.info("%s: %d offers approved by %s", provider.name, len(keys), actor or "the command line")
    return sum(map(len, offers_by_provider.values()))


@transaction.atomic
def reject_all(offers: QuerySet[Offer], *, actor: Any = None) -> int:
    """Reject those of ``offers`` that wait; return their number."""
    offers_by_provider = _lock_offers(offers.filter(is_pending_approval=True))
    for provider, keys in offers_by_provider.items():
        _set(
            keys,
            rate=Coalesce("pending_rate", "rate"),
            pending_rate=None,
            is_pending_approval=False,
            is_available=False,
        )
        withdraw(provider, keys)
        log.info("%s: %d offers rejected by %s", provider.name, len(keys), actor or "the command line")
    return sum(map(len, offers_by_provider.values()))


def _lock_offers(offers: QuerySet[Offer]) -> dict[Provider, set[int]]:
    """Return the primary keys of ``offers`` by provider, and lock the providers so that no import runs meanwhile."""
    concerned = list(offers.order_by().values_list("provider_id", flat=True).distinct())
    providers = Provider.objects.select_for_update(no_key=True).filter(pk__in=concerned).order_by("pk")
    found = {provider: set(offers.filter(provider=provider).values_list("pk", flat=True)) for provider in providers}
    return {provider: keys for provider, keys in found.items() if keys}


def _mark_withdrawn(provider: Provider, services: list[int], *, is_withdrawn: bool) -> None:
    """Mark all active routes of ``services``, so that the first usable one puts its service on sale again."""
    within = Route.objects.filter(offer__provider=provider).values("service_id")
    routes = Route.objects.filter(service_id__in=within, is_active=True).values_list("pk", "service_id")
    chosen = set(services)
    bulk.update(Route, ["is_withdrawn"], [(route, is_withdrawn) for route, service in routes if service in chosen])


def _set(keys: Iterable[int], **values: Any) -> None:
    ordered = sorted(keys)
    for start in range(0, len(ordered), 1000):
        Offer.objects.filter(pk__in=ordered[start : start + 1000]).update(**values)


def _sold(known: StoredOffer) -> tuple[Any, ...]:
    return tuple(getattr(known, name) for name in _SOLD)


def _some(numbers: list[int], most: int = 20) -> str:
    shown = ", ".join(map(str, numbers[:most]))
    return shown if len(numbers) <= most else f"{shown} and {len(numbers) - most} more"
