"""Thin out the history of exchange rates."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from storefront.currencies.models import RateRecord

#: Days for which every rate is kept. Of older days (in UTC) the last rate of each currency stays, without a limit.
KEPT_DAYS = 400
_CHUNK = 500


def prune() -> int:
    """Delete the rates of days more than ``KEPT_DAYS`` ago, except the last of each day and currency.

    Returns:
        The number of deleted rows.
    """
    # Whole days only: on a day that is cut in half, its last rate would not be known yet.
    end = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=KEPT_DAYS)
    rows = RateRecord.objects.filter(at__lt=end).order_by("currency", "-at", "-pk")
    kept: tuple[str, date] | None = None
    extra: list[int] = []
    for pk, currency, at in rows.values_list("pk", "currency", "at"):
        if (currency, at.date()) == kept:
            extra.append(pk)
        kept = currency, at.date()
    with transaction.atomic():
        for start in range(0, len(extra), _CHUNK):
            RateRecord.objects.filter(pk__in=extra[start : start + _CHUNK]).delete()
    return len(extra)
