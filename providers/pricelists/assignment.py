"""Assignment of service types to stored offers, at once and not only with the next price list."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from orders.rules.service_types import SERVICE_TYPES
from providers.models import Offer, Provider
from providers.panels.dialect import Dialect
from providers.panels.services import TypeRules, assumes_dripfeed, is_type_problem, type_problem
from providers.pricelists import importer
from providers.pricelists.diff import StoredOffer
from providers.transport.type_rules import load_rules


@transaction.atomic
def apply_rules(provider: Provider) -> int:
    """Apply the type rules of ``provider`` to all its offers; return how many offers changed.

    Services of offers that can be sold now go on sale again. Services of another type than their offer lose the route
    to it.
    """
    provider = Provider.objects.select_for_update(no_key=True).get(pk=provider.pk)
    rules = load_rules(provider)
    steps = [
        (before, after)
        for before in importer.known_offers(provider).values()
        if (after := _retype(before, rules, provider.dialect)) != before
    ]
    importer.write_steps(provider, steps)
    return len(steps)


@transaction.atomic
def assign_type(provider: Provider, *, offers: Iterable[int], service_type: str) -> int:
    """Assign ``service_type`` to ``offers`` (primary keys) of ``provider``; "" restores the type in the list.

    Returns:
        The number of offers that changed.
    """
    if service_type and service_type not in SERVICE_TYPES:
        raise ValueError(f"there is no service type {service_type!r}")
    Offer.objects.filter(provider=provider, pk__in=list(offers)).update(assigned_type=service_type)
    return apply_rules(provider)


def _retype(before: StoredOffer, rules: TypeRules, dialect: Dialect) -> StoredOffer:
    """Return ``before`` with the service type of the rules; only a price list can end its other problems."""
    if before.problem and not is_type_problem(before.problem):
        return before
    service_type = rules.type_of(before.type_name, before.upstream_id)
    problem = type_problem(service_type, dialect, before.type_name)
    if not problem and before.rate <= 0:
        return before
    if service_type is None:
        return before._replace(problem=problem)
    return before._replace(
        service_type=service_type.code,
        is_flat=service_type.is_flat,
        has_dripfeed=before.has_dripfeed or assumes_dripfeed(service_type, dialect),
        problem=problem,
    )
