"""How much of a customer's balance is bonus money: money that the shop gave and that is never paid out.

Purchases use the customer's own money first, and a refund of an order returns the bonus money that the order used
first. So buying and canceling does not turn bonus money into money that can be paid out, and bonus money that was spent
does not reduce a later refund. See docs/decisions/0024.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple


class Movement(NamedTuple):
    """One change of a balance, in the order in which they happened.

    ``change`` is positive for money received. ``order`` identifies the order of a charge or a refund; other changes
    have none.
    """

    change: Decimal
    is_bonus: bool = False
    order: int | None = None


def bonus_left(balance: Decimal, movements: Iterable[Movement]) -> Decimal:
    """Return the bonus money in the balance after ``movements``.

    Args:
        balance: The balance before the first movement, without any bonus money in it.
        movements: All movements since then.

    Returns:
        An amount from zero to the balance after the last movement.
    """
    bonus = Decimal(0)
    used_by_order: defaultdict[int, Decimal] = defaultdict(Decimal)
    for movement in movements:
        balance += movement.change
        if movement.is_bonus:
            bonus = max(bonus + movement.change, Decimal(0))
        elif movement.change > 0 and movement.order is not None:
            returned = min(movement.change, used_by_order[movement.order])
            used_by_order[movement.order] -= returned
            bonus += returned
        used = max(bonus - balance, Decimal(0))
        bonus -= used
        if movement.order is not None and movement.change < 0:
            used_by_order[movement.order] += used
    return bonus
