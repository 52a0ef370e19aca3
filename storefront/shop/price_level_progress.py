"""The price level on the wallet's page: what it takes off, and how far it is to the next one. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from orders.models import Account, PriceLevel


@dataclass(frozen=True, slots=True)
class LevelProgress:
    """A customer's level and the next one above it; ``missing`` is what has to be spent until then."""

    level: PriceLevel | None
    next: PriceLevel | None
    spent: Decimal

    @property
    def goal(self) -> Decimal:
        return (self.next.from_spend if self.next else None) or Decimal(0)

    @property
    def missing(self) -> Decimal:
        return max(self.goal - self.spent, Decimal(0))

    @property
    def percent(self) -> int:
        """How much of the way is done, from 0 to 100, rounded down."""
        return int(100 * max(self.spent, Decimal(0)) / self.goal) if self.goal else 100


def level_progress(wallet: Account) -> LevelProgress | None:
    """None where there is nothing to say: no level, and none in reach. One query; none where the level is pinned."""
    ahead = None if wallet.is_level_pinned else _next(wallet)
    return LevelProgress(wallet.level, ahead, wallet.spent) if wallet.level or ahead else None


def _next(wallet: Account) -> PriceLevel | None:
    """The nearest level that pays off: one with no larger discount than today's changes nothing."""
    ahead = PriceLevel.objects.filter(from_spend__gt=wallet.spent)
    if wallet.level:
        ahead = ahead.filter(discount__gt=wallet.level.discount)
    return ahead.order_by("from_spend", "-discount", "pk").first()
