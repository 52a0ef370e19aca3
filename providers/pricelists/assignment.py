"""Assignment of service types to stored offers, at once and not only with the next price list."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from orders.rules.service_types import SERVICE_TYPES
from providers.models import Offer, Provider
from providers.panels.dialect import Dialect
from providers.panels.services import TypeRules, has_runs_unsaid, is_type_problem, type_problem
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
def assign_type(provider: Provider, *, offers: Iterable[int], kind: str) -> int:
    """Assign the service type ``kind`` to ``offers`` (primary keys) of ``provider``; "" restores that of the list.

    Returns:
        The number of offers that changed.
    """
    if kind and kind not in SERVICE_TYPES:
        raise ValueError(f"there is no service type {kind!r}")
    Offer.objects.filter(provider=provider, pk__in=list(offers)).update(assigned_kind=kind)
    return apply_rules(provider)


def _retype(before: StoredOffer, rules: TypeRules, dialect: Dialect) -> StoredOffer:
    """Return ``before`` with the service type of the rules; only a price list can end its other problems."""
    if before.problem and not is_type_problem(before.problem):
        return before
    kind = rules.kind_of(before.type_name, before.upstream_id)
    problem = type_problem(kind, dialect, before.type_name)
    if not problem and before.rate <= 0:
        return before
    if kind is None:
        return before._replace(problem=problem)
    return before._replace(
        kind=kind.code,
        is_flat=kind.is_flat,
        has_dripfeed=before.has_dripfeed or has_runs_unsaid(kind, dialect),
        problem=problem,
    )
