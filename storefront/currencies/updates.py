"""Write exchange rates: each change of a rate or margin is also a row of the history, in the same transaction."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import timezone

from storefront.currencies import display
from storefront.currencies.models import Currency, RateOrigin, RateRecord

#: The columns without a rate that waits for approval, and without one that was rejected.
NOTHING_PENDING: dict[str, Any] = {"pending_rate": None, "pending_at": None}
NOTHING_REJECTED: dict[str, Any] = {"rejected_rate": None, "rejected_at": None}


@transaction.atomic
def record_entry(currency: Currency, *, changed: Collection[str], by: str) -> None:
    """Complete a change that an operator has saved to ``currency``; call it in the transaction of the change.

    A rate that was entered counts as up to date from now on, and replaces one that waits for approval.

    Args:
        changed: The names of the changed fields; for a new currency, all of them.
        by: The operator, for the history.
    """
    now = timezone.now()
    columns: dict[str, Any] = {}
    if "source" in changed:
        columns |= {**NOTHING_PENDING, **NOTHING_REJECTED, "problem": ""}
    if "rate" in changed:
        at = now if currency.rate is not None else None
        columns |= {**NOTHING_PENDING, **NOTHING_REJECTED, "rate_at": at, "confirmed_at": at, "warned_at": None}
    if columns:
        Currency.objects.filter(pk=currency.pk).update(**columns)
        for name, value in columns.items():
            setattr(currency, name, value)
    if {"rate", "margin"} & set(changed):
        add_record(currency, RateOrigin.ENTERED, by)
    transaction.on_commit(display.clear_cache)


def add_record(currency: Currency, origin: RateOrigin, by: str) -> None:
    """Append the current rate and margin of ``currency`` to the history; does nothing while the rate is unknown."""
    if currency.rate is not None:
        RateRecord.objects.create(
            currency=currency.code, rate=currency.rate, margin=currency.margin, origin=origin, by=by[:254]
        )
