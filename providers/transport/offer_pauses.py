"""Offers that wait because the panel answers about them in words that nobody knows, while it is clear about others.

Panels reject one of their services so, and each such answer leaves an order of unknown outcome. After ``UNCLEAR`` of
them in a row, with no clear answer about the same offer since, no more of it goes out for as long again as that has
lasted, so that the waits double. All other offers of the provider go on. Time-outs are no such answers: they are about
the provider (see ``pausing``).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from django.utils import timezone

from providers.models import Placement, PlacementState

UNCLEAR = 2
#: The shortest and the longest wait until one more is tried.
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(minutes=30)
#: Open cases older than this pause nothing.
WITHIN = timedelta(hours=2)
_CLEAR = (PlacementState.ACCEPTED, PlacementState.CLOSED, PlacementState.REFUSED)


def paused_offers() -> dict[int, datetime]:
    """Return until when no more is bought of which offers, by the offer's id. One small query where all is well."""
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
    """The number of the last attempt after ``since`` whose answer about the offer was clear; 0 if there is none."""
    clear = Placement.objects.filter(pk__gt=since, offer_id=offer_id, state__in=_CLEAR)
    return clear.order_by("-pk").values_list("pk", flat=True).first() or 0
