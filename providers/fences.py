"""What an order in doubt holds back at its provider until it is resolved.

Its twins (same offer, quantity and cost) wait, or go by another route: two of them could not be told apart among the
panel's numbers. And orders go out one at a time, so that the numbers around the lost one are known.
"""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings

from providers.models import Offer, Placement, Provider, State

#: Offer, quantity, cost.
Fingerprint = tuple[int, int, Decimal]


def fingerprint(offer: Offer, quantity: int) -> Fingerprint:
    return offer.pk, quantity, offer.cost_of(quantity)


def held() -> frozenset[Fingerprint]:
    """What must not be sent now, because one like it is in doubt."""
    doubts = Placement.objects.filter(state=State.IN_DOUBT, ended_at=None).order_by()
    return frozenset(doubts.values_list("offer_id", "quantity", "cost"))


def width(provider: Provider) -> int:
    """How many orders may be on their way to ``provider`` at once."""
    on_trial = Provider.objects.filter(pk=provider.pk, is_half_open=True)
    doubts = Placement.objects.filter(provider=provider, state=State.IN_DOUBT, ended_at=None)
    return 1 if on_trial.exists() or doubts.exists() else min(provider.parallel, settings.SUBMIT_PARALLEL)
