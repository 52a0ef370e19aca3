"""Pauses of single offers, for panels that reject one of their services with an error text we do not recognize.

Each such answer leaves the outcome of an order unknown. After ``UNCLEAR`` of them in a row, without a clear answer
about the same offer since, the offer is paused for as long as that has lasted, so that the pauses double. All other
offers of the provider go on. Time-outs do not count here, because they concern the provider (see ``circuit_breaker``).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from django.utils import timezone

from providers.models import Placement, PlacementState

UNCLEAR = 2
#: The shortest and the longest pause.
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(minutes=30)
#: Unknown outcomes that are older than this do not count.
WITHIN = timedelta(hours=2)
_CLEAR = (PlacementState.ACCEPTED, PlacementState.CLOSED, PlacementState.REFUSED)


def paused_offers() -> dict[int, datetime]:
    """Return the end of the pause of each paused offer, by the offer's id; one small query if there are none."""
    now = timezone.now()
    unknown = Placement.objects.filter(
        state=PlacementState.IN_DOUBT, ended_at=None, in_doubt_at__gte=now - WITHIN, evidence__has_key="said"
    )
    found: defaultdict[int, list[tuple[int, datetime]]] = defaultdict(list)
    for pk, offer_id, in_doubt_at in unknown.order_by("pk").values_list("pk", "offer_id", "in_doubt_at"):
        if in_doubt_at is not None:
            found[offer_id].append((pk, in_doubt_at))
    paused = {}
    for offer_id, cases in found.items():
        if len(cases) < UNCLEAR:
            continue
        answered = _last_clear_answer(offer_id, since=cases[0][0])
        in_a_row = [at for pk, at in cases if pk > answered]
        if len(in_a_row) < UNCLEAR:
            continue
        until = in_a_row[-1] + min(max(in_a_row[-1] - in_a_row[0], SHORTEST), LONGEST)
        if until > now:
            paused[offer_id] = until
    return paused


def _last_clear_answer(offer_id: int, *, since: int) -> int:
    """Return the id of the last placement after ``since`` with a clear answer about the offer, or 0."""
    clear = Placement.objects.filter(pk__gt=since, offer_id=offer_id, state__in=_CLEAR)
    return clear.order_by("-pk").values_list("pk", flat=True).first() or 0
