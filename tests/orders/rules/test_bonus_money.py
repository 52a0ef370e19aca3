from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.rules.bonus_money import Movement, bonus_left


def payment(amount: int) -> Movement:
    return Movement(Decimal(amount))


def bonus(amount: int) -> Movement:
    return Movement(Decimal(amount), is_bonus=True)


def of_order(amount: int, order: int = 1) -> Movement:
    return Movement(Decimal(amount), order=order)


@pytest.mark.parametrize(
    ("movements", "left"),
    [
        ([], 0),
        ([payment(10)], 0),
        ([payment(10), bonus(3)], 3),
        # Own money is used first.
        ([payment(10), bonus(3), of_order(-10)], 3),
        ([payment(10), bonus(3), of_order(-12)], 1),
        ([payment(10), bonus(3), of_order(-13)], 0),
        # What was spent does not come back with the next payment.
        ([payment(10), bonus(3), of_order(-13), payment(50)], 0),
        # A refund returns the bonus money of its order first, and no more than that.
        ([payment(10), bonus(3), of_order(-12), of_order(1)], 2),
        ([payment(10), bonus(3), of_order(-12), of_order(12)], 3),
        ([payment(10), bonus(3), of_order(-12), of_order(1), of_order(11)], 3),
        ([payment(10), of_order(-5), bonus(3), of_order(5)], 3),
        ([payment(10), bonus(3), of_order(-12), of_order(-1, 2), of_order(1, 2)], 1),
        # Taking back reduces the bonus first, then own money.
        ([payment(10), bonus(3), bonus(-2)], 1),
        ([payment(10), bonus(3), of_order(-12), bonus(-1)], 0),
        ([payment(10), bonus(3), of_order(-13), payment(5), bonus(-3)], 0),
        # A payout that took more than the own money used the bonus as well.
        ([payment(10), bonus(3), payment(-12)], 1),
    ],
)
def test_bonus_money_is_what_the_rule_says(movements: list[Movement], left: int) -> None:
    assert bonus_left(Decimal(0), movements) == left


@given(st.lists(st.tuples(st.sampled_from(["pay", "bonus", "back", "buy", "refund", "out"]), st.integers(1, 40))))
def test_bonus_money_never_becomes_own_money(acts: list[tuple[str, int]]) -> None:
    """Buying and canceling in any order never lets a customer take out more than was paid in."""
    balance, own, movements = 0, 0, []
    charged: dict[int, int] = {}
    for number, (act, size) in enumerate(acts):
        before = bonus_left(Decimal(0), movements)
        if act == "pay":
            own += size
            movements.append(payment(size))
        elif act == "bonus":
            movements.append(bonus(size))
        elif act == "back":
            size = min(size, balance)
            movements.append(bonus(-size))
        elif act == "buy":
            size = min(size, balance)
            charged[number] = size
            movements.append(of_order(-size, number))
        elif act == "refund" and charged:
            order = size % len(charged)
            number = list(charged)[order]
            size = min(size, charged[number])
            charged[number] -= size
            movements.append(of_order(size, number))
        elif act == "out":
            size = int(min(size, balance - before))
            own -= size
            movements.append(payment(-size))
        balance = int(sum(movement.change for movement in movements))
        left = bonus_left(Decimal(0), movements)
        assert 0 <= left <= balance
        assert balance - left <= own
    assert own >= 0


def test_a_movement_changes_the_bonus_money_by_at_most_its_amount() -> None:
    movements = [
        payment(10),
        bonus(5),
        of_order(-12),
        payment(4),
        of_order(12),
        bonus(-5),
        payment(-3),
        of_order(-7, 2),
    ]
    steps = [bonus_left(Decimal(0), movements[:count]) for count in range(len(movements) + 1)]
    changes = [abs(after - before) for before, after in pairwise(steps)]
    assert all(change <= abs(movement.change) for change, movement in zip(changes, movements, strict=True))
