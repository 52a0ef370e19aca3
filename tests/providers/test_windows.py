"""What the numbers around a lost order prove: tables of what we know, what the panel showed, and what follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from providers import windows
from providers.windows import Claim, Finding, Hit, Known, Verdict, Window

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SETTLE = timedelta(seconds=120)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def known(*rows: tuple[int, float, float]) -> list[Known]:
    """(number, sent, answered), in seconds from noon."""
    return [Known(number, at(sent), at(answered)) for number, sent, answered in rows]


def one_by_one(count: int = 50, step: int = 3) -> list[Known]:
    return known(*((100 + step * index, 10.0 * index, 10.0 * index + 1) for index in range(count)))


def hit(number: int, charge: str = "0.09", remains: int | None = 100, currency: str = "USD") -> Hit:
    return Hit(number=number, charge=Decimal(charge), currency=currency, remains=remains)


def claim(key: int, lower: int, upper: int | None, cost: str = "0.09") -> Claim:
    return Claim(key=key, window=Window(lower, upper), cost=Decimal(cost), currency="USD", quantity=100)


# ------------------------------------------------------------------------------------------------ may they be believed


def test_numbers_that_rose_one_after_the_other_are_believed() -> None:
    assert windows.distrust(one_by_one()) == ""
    parallel = known(*((100 + index, 5.0 * (index // 5), 5.0 * (index // 5) + 4 - index % 5) for index in range(50)))
    assert windows.distrust(parallel) == "", "five at once may be answered in any order"


def test_numbers_are_not_believed_that_are_few_that_fall_or_that_came_all_at_once() -> None:
    assert "only 49" in windows.distrust(one_by_one(49))
    rows = one_by_one()
    assert "do not rise" in windows.distrust([*rows[:-1], replace(rows[-1], number=rows[3].number - 1)])
    assert "do not rise" in windows.distrust([*rows[:-1], replace(rows[-1], number=rows[-2].number)])
    assert "one after the other" in windows.distrust(known(*((100 + index, 0, 1) for index in range(50))))
    assert windows.distrust([]) != ""


# ------------------------------------------------------------------------------------------------ the window


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(10, 0, 1), (20, 10, 11)], Window(20)),
        ([(10, 0, 1), (20, 10, 99.9)], Window(10)),  # answered within the skew of the clocks: says nothing
        ([(10, 0, 1), (20, 10, 101)], Window(10)),  # answered after ours was sent
        ([(10, 0, 1), (30, 300, 301)], Window(10, 30)),
        ([(10, 0, 1), (30, 300, 301), (25, 299, 302)], Window(10, 25)),
        ([(10, 0, 1), (15, 200, 201), (30, 300, 301)], Window(10, 30)),  # 200 is before ours had settled
        ([(10, 0, 1), (30, 231.5, 232)], Window(10)),  # within the skew of the clocks
        ([(30, 300, 301)], Window(0, 30)),
        ([(40, 0, 1), (30, 300, 301)], Window(0)),  # they fall: nothing is known
        ([], Window(0)),
    ],
)
def test_the_window_is_between_what_was_answered_before_and_what_was_sent_after_it_settled(
    rows: list[tuple[int, float, float]], expected: Window
) -> None:
    found = windows.window(known(*rows), sent_at=at(101), ended_at=at(110), settle=SETTLE)
    assert found == expected


def test_an_open_window_is_searched_as_far_as_the_panel_may_have_come() -> None:
    rows = known((1000, 0, 0), (1100, 100, 100))  # one number a second
    assert windows.numbers(Window(1100, 1105), rows, at(400)) == range(1101, 1105)
    assert windows.numbers(Window(1100), rows, at(101)) == range(1101, 1120)
    assert windows.numbers(Window(1100), rows, at(200)) == range(1101, 1500)


def test_gaps_are_the_newest_numbers_between_ours_that_no_claim_can_have() -> None:
    rows = known((10, 0, 1), (13, 2, 3), (14, 4, 5), (18, 6, 7))
    assert windows.gaps(rows, (), 10) == [17, 16, 15, 12, 11]
    assert windows.gaps(rows, (), 2) == [17, 16]
    assert windows.gaps(rows, [claim(1, 13, None)], 10) == [12, 11]
    assert windows.gaps(known((10, 0, 1), (11, 2, 3)), (), 10) == []


def test_an_order_in_doubt_is_looked_at_when_settled_after_5_15_and_60_minutes_then_hourly_for_a_day() -> None:
    looks, now = [], NOON
    while following := windows.next_look(NOON, SETTLE, now):
        looks.append((following - NOON) / timedelta(minutes=1))
        now = following
    assert looks == [2, 5, 15, *range(60, 1441, 60)]
    assert windows.next_look(NOON, timedelta(minutes=20), NOON) == NOON + timedelta(minutes=20)


# ------------------------------------------------------------------------------------------------ the judgement


def judge(claims: list[Claim], hits: list[Hit], silent: frozenset[int] = frozenset()) -> dict[int, Finding]:
    return windows.judge(claims, hits, answered=frozenset(range(1, 100)) - silent, decimals=4)


@pytest.mark.parametrize(
    ("shown", "verdict", "why"),
    [
        ([hit(15)], Verdict.PLACED, ""),
        ([hit(15, "0.09004")], Verdict.PLACED, ""),  # the panel rounds
        ([hit(15, currency="")], Verdict.PLACED, ""),
        ([hit(15, remains=None)], Verdict.PLACED, ""),
        ([], Verdict.UNPLACED, ""),
        ([hit(9), hit(21)], Verdict.UNPLACED, ""),  # outside the window
        ([hit(15), hit(16)], Verdict.OPEN, "unexplained"),
        ([hit(15, "0.10")], Verdict.OPEN, "unexplained"),  # perhaps ours at another price
        ([hit(15), hit(16, "0.10")], Verdict.OPEN, "unexplained"),
        ([hit(15, currency="EUR")], Verdict.OPEN, "unexplained"),
        ([hit(15, remains=101)], Verdict.OPEN, "unexplained"),
        ([Hit(number=15, charge=None, currency="USD", remains=5)], Verdict.OPEN, "unexplained"),
    ],
)
def test_one_claim_in_a_closed_window(shown: list[Hit], verdict: Verdict, why: str) -> None:
    found = judge([claim(1, 10, 20)], shown)[1]
    assert (found.verdict, found.why) == (verdict, why)
    if verdict is Verdict.OPEN:
        assert found.hits, "the operator sees what was found"


def test_nothing_found_proves_nothing_while_the_window_is_open_or_a_number_was_not_answered() -> None:
    assert judge([claim(1, 10, None)], [])[1] == Finding(Verdict.OPEN, why="open")
    assert judge([claim(1, 10, 20)], [], silent=frozenset({19}))[1] == Finding(Verdict.OPEN, why="silent")
    assert judge([claim(1, 10, 11)], [])[1].verdict is Verdict.UNPLACED, "there is no number that it could have"


def test_what_is_found_in_an_open_window_is_found() -> None:
    assert judge([claim(1, 10, None)], [hit(15)])[1].verdict is Verdict.PLACED


def test_twins_cannot_be_told_apart() -> None:
    twins = [claim(1, 10, 20), claim(2, 10, 20)]
    assert {found.why for found in judge(twins, [hit(15)]).values()} == {"others"}
    assert {found.why for found in judge(twins, [hit(15), hit(16)]).values()} == {"several"}
    assert {found.verdict for found in judge(twins, []).values()} == {Verdict.UNPLACED}
    apart = [claim(1, 10, 20), claim(2, 16, 30)]
    assert judge(apart, [hit(15)])[1].verdict is Verdict.PLACED, "only one of them can be below 16"
    assert judge(apart, [hit(15)])[2].verdict is Verdict.UNPLACED


def test_an_order_that_is_still_on_its_way_may_be_the_owner() -> None:
    found = judge([claim(1, 10, 20), claim(2, 12, None)], [hit(15)])
    assert (found[1].verdict, found[1].why) == (Verdict.OPEN, "others")


def test_a_number_that_another_claim_explains_is_no_obstacle() -> None:
    claims = [claim(1, 10, 20), claim(2, 10, 20, cost="0.20")]
    found = judge(claims, [hit(15, "0.20")])
    assert (found[1].verdict, found[2].verdict) == (Verdict.UNPLACED, Verdict.PLACED)
    found = judge(claims, [hit(15, "0.20"), hit(16, "0.20")])
    assert {one.verdict for one in found.values()} == {Verdict.OPEN}, "one claim cannot explain two numbers"


def test_the_panels_rounding_is_what_its_charges_show() -> None:
    assert windows.places([Decimal("0.27819"), Decimal("1")]) == 5
    assert windows.places([Decimal("1"), None]) == 2
    assert windows.places([]) == 2
