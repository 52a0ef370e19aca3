"""The customer's price level and the progress to the next one."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from orders.models import Account, PriceLevel


@dataclass(frozen=True, slots=True)
class LevelProgress:
    """A customer's price level and the next one; amounts in store currency."""

    level: PriceLevel | None
    next: PriceLevel | None
    spent: Decimal

    @property
    def goal(self) -> Decimal:
        return (self.next.from_spend if self.next else None) or Decimal(0)

    @property
    def remaining(self) -> Decimal:
        return max(self.goal - self.spent, Decimal(0))

    @property
    def percent(self) -> int:
        """Progress to the next level, from 0 to 100, rounded down."""
        return int(100 * max(self.spent, Decimal(0)) / self.goal) if self.goal else 100


def level_progress(wallet: Account) -> LevelProgress | None:
    """Return the progress, or None without a level and without a next one. At most one query."""
    next_level = None if wallet.is_level_pinned else _find_next_level(wallet)
    return LevelProgress(wallet.level, next_level, wallet.spent) if wallet.level or next_level else None


def _find_next_level(wallet: Account) -> PriceLevel | None:
    """Return the nearest level with a larger discount than the current one."""
    next_level = PriceLevel.objects.filter(from_spend__gt=wallet.spent)
    if wallet.level:
        next_level = next_level.filter(discount__gt=wallet.level.discount)
    return next_level.order_by("from_spend", "-discount", "pk").first()
