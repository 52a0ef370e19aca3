"""The welcome credit: a bonus for new customers who have confirmed their email address, once per mailbox."""

from __future__ import annotations

import hashlib
from typing import Any

from storefront.promotions import email_addresses, granting
from storefront.promotions.models import ONLY, Bonus, BonusSource, PromotionSettings


def give(user: Any) -> Bonus | None:
    """Give the welcome credit to ``user``, whose address was just confirmed. Call it in a transaction.

    Returns:
        The bonus; None if welcome credit is off, its budget does not cover another one, the customer had one before, or
        another account with the same mailbox had one.
    """
    if not PromotionSettings.objects.filter(pk=ONLY, welcome_amount__gt=0).exists() or user.is_staff:
        return None
    granting.lock_wallet(user)
    # Two accounts with one mailbox that are confirmed at the same moment wait for each other here.
    chosen = PromotionSettings.objects.select_for_update().get(pk=ONLY)
    amount, budget = chosen.welcome_amount, chosen.welcome_budget
    reference = f"welcome:{_digest(user.email)}"
    if not amount or (budget is not None and chosen.welcome_given + amount > budget):
        return None
    if Bonus.objects.filter(reference=reference).exists():
        return None
    if Bonus.objects.filter(user=user, source=BonusSource.WELCOME).exists():
        return None
    chosen.welcome_given += amount
    chosen.save(update_fields=["welcome_given"])
    return granting.give(user, source=BonusSource.WELCOME, reference=reference, amount=amount)


def _digest(email: str) -> str:
    """Return what identifies a mailbox in references, which staff can read: not the address itself."""
    return hashlib.sha256(email_addresses.normalize(email).encode()).hexdigest()[:32]
