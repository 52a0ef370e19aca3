"""Offers and the shelf: a service goes off sale with its last usable offer and comes back with it.

And what a person decides about offers that wait for approval.
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
from providers.pricelists.diff import MISSES, Known

#: What a service copies from the offer it was made from.
_SOLD = ("min_quantity", "max_quantity", "has_refill", "has_cancel", "has_dripfeed")
log = logging.getLogger("vitrine.providers")


def withdraw(provider: Provider, offers: set[int]) -> int:
    """Takes the services off sale that lost their last usable route with ``offers`` (keys); returns how many."""
    routes = Route.objects.filter(offer__provider=provider, is_active=True, service__is_active=True)
    touched = {service for service, offer in routes.values_list("service_id", "offer_id") if offer in offers}
    if not touched:
        return 0
    usable = routing.usable().filter(service_id__in=routes.values("service_id")).order_by()
    lost = sorted(touched - set(usable.values_list("service_id", flat=True)))
    bulk.update(Service, ["is_active"], [(service, False) for service in lost])
    _flag(provider, lost, is_withdrawn=True)
    if lost:
        log.warning("%s: %d services went off sale with their offers: %s", provider.name, len(lost), _some(lost))
    return len(lost)


def drop_misfits(provider: Provider, offers: set[int]) -> None:
    """Switch off the routes of services that have another type than ``offers`` (keys) now have.

    What such a service asks the customer for no longer fits. It goes off sale where no other route is left.
    """
    routes = Route.objects.filter(offer__provider=provider, is_active=True).exclude(service__kind=F("offer__kind"))
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
    """Puts the services on sale again that went off sale, now that ``offers`` are usable; returns how many."""
    routes = Route.objects.filter(offer__provider=provider, is_active=True, is_withdrawn=True)
    found = sorted({service for service, offer in routes.values_list("service_id", "offer_id") if offer in offers})
    if found:
        bulk.update(Service, ["is_active"], [(service, True) for service in found])
        _flag(provider, found, is_withdrawn=False)
    return len(found)


def follow(provider: Provider, steps: Iterable[tuple[Known, Known]]) -> int:
    """Services that sell what an offer had (its limits, refill, cancel) sell what it has now; returns how many changed.

    What an operator set otherwise stays.
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
    """Offers that wait for a person."""
    found = Offer.objects.filter(is_pending_approval=True)
    return found if provider is None else found.filter(provider=provider)


def approve(offer: Offer, *, actor: Any = None) -> Offer:
    """Takes over what ``offer`` waits with: its new cost is in force, it can be bought (again), prices follow.

    Also takes a rejected offer back. Raises NothingToDecide.
    """
    if not approve_all(Offer.objects.filter(pk=offer.pk), actor=actor):
        raise NothingToDecide(f"offer {offer} does not wait for approval")
    offer.refresh_from_db()
    return offer


def reject(offer: Offer, *, actor: Any = None) -> Offer:
    """Puts ``offer`` off sale until it is approved, and with it services without another route.

    Raises NothingToDecide.
    """
    if not reject_all(Offer.objects.filter(pk=offer.pk), actor=actor):
        raise NothingToDecide(f"offer {offer} does not wait for approval")
    offer.refresh_from_db()
    return offer


@transaction.atomic
def approve_all(offers: QuerySet[Offer], *, actor: Any = None) -> int:
    """Approves those of ``offers`` that wait or were rejected; returns how many."""
    decided = _decide(offers.filter(Q(is_pending_approval=True) | Q(is_available=False, missed_imports__lt=MISSES)))
    for provider, keys in decided.items():
        _set(
            keys, rate=Coalesce("pending_rate", "rate"), pending_rate=None, is_pending_approval=False, is_available=True
        )
        # The panel made another type of it: what the service asks the customer for no longer fits.
        strange = Route.objects.filter(offer__provider=provider, is_active=True).exclude(service__kind=F("offer__kind"))
        misfits = [route for route, offer in strange.values_list("pk", "offer_id") if offer in keys]
        bulk.update(Route, ["is_active", "is_withdrawn"], [(route, False, False) for route in misfits])
        restore(provider, keys)
        markup.reprice(provider, offers=keys)
        log.info("%s: %d offers approved by %s", provider.name, len(keys), actor or "the command line")
    return sum(map(len, decided.values()))


@transaction.atomic
def reject_all(offers: QuerySet[Offer], *, actor: Any = None) -> int:
    """Rejects those of ``offers`` that wait; returns how many."""
    decided = _decide(offers.filter(is_pending_approval=True))
    for provider, keys in decided.items():
        _set(
            keys,
            rate=Coalesce("pending_rate", "rate"),
            pending_rate=None,
            is_pending_approval=False,
            is_available=False,
        )
        withdraw(provider, keys)
        log.info("%s: %d offers rejected by %s", provider.name, len(keys), actor or "the command line")
    return sum(map(len, decided.values()))


def _decide(offers: QuerySet[Offer]) -> dict[Provider, set[int]]:
    """The keys of ``offers`` by provider. Their price lists cannot change before the decision is written."""
    concerned = list(offers.order_by().values_list("provider_id", flat=True).distinct())
    providers = Provider.objects.select_for_update(no_key=True).filter(pk__in=concerned).order_by("pk")
    found = {provider: set(offers.filter(provider=provider).values_list("pk", flat=True)) for provider in providers}
    return {provider: keys for provider, keys in found.items() if keys}


def _flag(provider: Provider, services: list[int], *, is_withdrawn: bool) -> None:
    """Marks every active route of ``services``, so that whichever comes back first brings the service back."""
    within = Route.objects.filter(offer__provider=provider).values("service_id")
    routes = Route.objects.filter(service_id__in=within, is_active=True).values_list("pk", "service_id")
    chosen = set(services)
    bulk.update(Route, ["is_withdrawn"], [(route, is_withdrawn) for route, service in routes if service in chosen])


def _set(keys: Iterable[int], **values: Any) -> None:
    ordered = sorted(keys)
    for start in range(0, len(ordered), 1000):
        Offer.objects.filter(pk__in=ordered[start : start + 1000]).update(**values)


def _sold(known: Known) -> tuple[Any, ...]:
    return tuple(getattr(known, name) for name in _SOLD)


def _some(numbers: list[int], most: int = 20) -> str:
    told = ", ".join(map(str, numbers[:most]))
    return told if len(numbers) <= most else f"{told} and {len(numbers) - most} more"
