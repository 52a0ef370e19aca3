"""Our balance at a panel: ask for it, and store it on the provider together with what makes it usable as evidence."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from providers.models import BalanceReading, Placement, PlacementState, Provider
from providers.panels.dialect import Balance
from providers.transport import conversation


def update_balance(provider: Provider) -> Balance:
    """Ask for the balance of ``provider`` and store it; every reading that is stored passes through here.

    If no order was on its way while we asked, the reading is stored as the idle balance too, which a later one is
    compared with when the outcome of an order is unknown (see ``reconciling.evidence``). Each reading is kept for the
    statement of the provider (see ``reconciling.balance_statement``).

    Raises:
        ProviderError: the panel did not name a balance; nothing was stored.
    """
    asked_at = timezone.now()
    balance = conversation.balance(provider)
    values: dict[str, Any] = {"balance": balance.amount, "balance_seen_at": timezone.now()}
    is_idle = not placements_under_way(provider, asked_at).exists()
    BalanceReading.objects.create(
        provider=provider,
        amount=balance.amount,
        currency=balance.currency or provider.currency,
        is_idle=is_idle,
        read_at=asked_at,
    )
    if is_idle:
        values |= {"idle_balance": balance.amount, "idle_balance_at": values["balance_seen_at"]}
    Provider.objects.filter(pk=provider.pk).update(**values)
    for name, value in values.items():
        setattr(provider, name, value)
    return balance


def placements_under_way(provider: Provider, since: datetime) -> QuerySet[Placement]:
    """Return placements whose request was on its way, or whose outcome was unknown, at any moment since then."""
    return Placement.objects.filter(
        Q(state__in=(PlacementState.SUBMITTING, PlacementState.IN_DOUBT))
        | Q(created_at__gte=since)
        | Q(answered_at__gte=since),
        provider=provider,
    )
