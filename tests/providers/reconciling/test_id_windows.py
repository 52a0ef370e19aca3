"""Id windows: tables of known orders, of what the panel showed, and of what that proves."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest

from providers import notes
from providers.notes import Note
from providers.reconciling import id_windows
from providers.reconciling.id_windows import Claim, Finding, Hit, KnownOrder, Verdict, Window

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SETTLE = timedelta(seconds=120)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def known(*rows: tuple[int, float, float]) -> list[KnownOrder]:
    """(number, sent, answered), in seconds from noon."""
    return [KnownOrder(number, at(sent), at(answered)) for number, sent, answered in rows]


def one_by_one(count: int = 50, step: int = 3) -> list[KnownOrder]:
    return known(*((100 + step * index, 10.0 * index, 10.0 * index + 1) for index in range(count)))


def hit(number: int, charge: str = "0.09", remains: int | None = 100, currency: str = "USD") -> Hit:
    return Hit(number=number, charge=Decimal(charge), currency=currency, remains=remains)


def claim(key: int, lower: int, upper: int | None, cost: str = "0.09") -> Claim:
    return Claim(key=key, window=Window(lower, upper), cost=Decimal(cost), currency="USD", quantity=100)


# ------------------------------------------------------------------------------------------------ may they be believed


def test_numbers_that_rise_with_time_are_trusted() -> None:
    assert id_windows.why_unreliable(one_by_one()) == ""
    parallel = known(*((100 + index, 5.0 * (index // 5), 5.0 * (index // 5) + 4 - index % 5) for index in range(50)))
    assert id_windows.why_unreliable(parallel) == "", "five at once may be answered in any order"


def test_few_falling_or_simultaneous_numbers_are_not_trusted() -> None:
    assert notes.encode(Note.FEW_NUMBERS, count=49, needed=50) == id_windows.why_unreliable(one_by_one(49))
    rows = one_by_one()
    assert Note.NUMBERS_FALL in id_windows.why_unreliable([*rows[:-1], replace(rows[-1], number=rows[3].number - 1)])
    assert Note.NUMBERS_FALL in id_windows.why_unreliable([*rows[:-1], replace(rows[-1], number=rows[-2].number)])
    assert Note.FEW_IN_SEQUENCE in id_windows.why_unreliable(known(*((100 + index, 0, 1) for index in range(50))))
    assert id_windows.why_unreliable([]) != ""


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
    found = id_windows.window(known(*rows), known(*rows), sent_at=at(101), ended_at=at(110), settle=SETTLE)
    assert found == expected


def test_an_open_window_is_searched_as_far_as_the_panel_may_have_come() -> None:
    rows = known((1000, 0, 0), (1100, 100, 100))  # one number a second
    assert id_windows.numbers(Window(1100, 1105), rows, at(400)) == range(1101, 1105)
    assert id_windows.numbers(Window(1100), rows, at(101)) == range(1101, 1120)
    assert id_windows.numbers(Window(1100), rows, at(200)) == range(1101, 1500)


def test_gaps_are_the_newest_numbers_between_ours_that_no_claim_can_have() -> None:
    rows = known((10, 0, 1), (13, 2, 3), (14, 4, 5), (18, 6, 7))
    assert id_windows.gaps(rows, (), 10) == [17, 16, 15, 12, 11]
    assert id_windows.gaps(rows, (), 2) == [17, 16]
    assert id_windows.gaps(rows, [claim(1, 13, None)], 10) == [12, 11]
    assert id_windows.gaps(known((10, 0, 1), (11, 2, 3)), (), 10) == []


def looks_after(settle: timedelta) -> list[float]:
    """Seconds after which an order of unknown outcome is looked for."""
    looks, now = [], NOON
    while following := id_windows.next_look(NOON, settle, now):
        looks.append((following - NOON).total_seconds())
        now = following
    return looks


def test_an_unknown_order_is_looked_for_at_once_when_settled_and_then_less_and_less_for_a_day() -> None:
    hours = [3600.0 * hour for hour in range(1, 25)]
    assert looks_after(SETTLE) == [10, 30, 60, 120, 135, 150, 180, 240, 300, 900, *hours]
    assert looks_after(timedelta(minutes=20)) == [10, 30, 60, 300, 900, 1200, 1215, 1230, 1260, 1320, *hours]


# ------------------------------------------------------------------------------------------------ the judgment


def judge(claims: list[Claim], hits: list[Hit], silent: frozenset[int] = frozenset()) -> dict[int, Finding]:
    return id_windows.judge(claims, hits, answered=frozenset(range(1, 100)) - silent, decimals=4)


@pytest.mark.parametrize(
    ("shown", "verdict", "why"),
    [
        ([hit(15)], Verdict.PLACED, None),
        ([hit(15, "0.09004")], Verdict.PLACED, None),  # the panel rounds
        ([hit(15, currency="")], Verdict.PLACED, None),
        ([hit(15, remains=None)], Verdict.PLACED, None),
        ([], Verdict.UNPLACED, None),
        ([hit(9), hit(21)], Verdict.UNPLACED, None),  # outside the window
        ([hit(15), hit(16)], Verdict.OPEN, "unexplained"),
        ([hit(15, "0.10")], Verdict.OPEN, "unexplained"),  # perhaps ours at another price
        ([hit(15), hit(16, "0.10")], Verdict.OPEN, "unexplained"),
        ([hit(15, currency="EUR")], Verdict.OPEN, "unexplained"),
        ([hit(15, remains=101)], Verdict.OPEN, "unexplained"),
        ([Hit(number=15, charge=None, currency="USD", remains=5)], Verdict.OPEN, "unexplained"),
    ],
)
def test_one_claim_in_a_closed_window(shown: list[Hit], verdict: Verdict, why: str | None) -> None:
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


def test_attempts_that_fit_the_same_number_stay_open_unless_their_windows_differ() -> None:
    twins = [claim(1, 10, 20), claim(2, 10, 20)]
    assert {found.why for found in judge(twins, [hit(15)]).values()} == {"others"}
    apart = [claim(1, 10, 20), claim(2, 16, 30)]
    assert judge(apart, [hit(15)])[1].verdict is Verdict.PLACED, "only one of them can be below 16"
    assert judge(apart, [hit(15)])[2].verdict is Verdict.UNPLACED


@pytest.mark.parametrize("count", [1, 2, 5, 40])
def test_any_number_of_attempts_without_a_number_in_their_windows_were_not_placed(count: int) -> None:
    claims = [claim(key, 10, 20) for key in range(count)]
    assert {found.verdict for found in judge(claims, []).values()} == {Verdict.UNPLACED}


@pytest.mark.parametrize("count", [2, 5, 40])
def test_as_many_numbers_as_attempts_prove_all_of_them_placed_but_not_which_is_whose(count: int) -> None:
    claims = [claim(key, 10, 90) for key in range(count)]
    hits = [hit(20 + key) for key in range(count)]
    found = judge(claims, hits)
    assert {(one.verdict, one.why) for one in found.values()} == {(Verdict.OPEN, "indistinct")}
    assert found[0].hits == tuple(hits), "the operator sees all of them"


@pytest.mark.parametrize("count", [2, 5, 40])
def test_attempts_that_asked_for_the_very_same_get_their_numbers_in_the_order_they_were_sent(count: int) -> None:
    claims = [replace(claim(key, 10, 90), request="same") for key in range(count)]
    found = judge(claims, [hit(20 + key) for key in range(count)])
    assert {key: one.hits[0].number for key, one in found.items()} == {key: 20 + key for key in range(count)}
    one_less = judge(claims, [hit(20 + key) for key in range(count - 1)])
    assert [one.verdict for one in one_less.values()] == [*[Verdict.PLACED] * (count - 1), Verdict.UNPLACED]
    still_open = [*claims[:-1], replace(claims[-1], window=Window(10))]
    assert judge(still_open, [hit(20)])[1] == Finding(Verdict.OPEN, (hit(20),), "open"), "one more may come"


def test_a_number_that_can_be_one_attempts_only_leaves_the_other_number_to_the_other_attempt() -> None:
    claims = [claim(1, 10, 30), claim(2, 16, 40)]
    found = judge(claims, [hit(15), hit(20)])
    assert [(found[key].verdict, found[key].hits[0].number) for key in (1, 2)] == [
        (Verdict.PLACED, 15),
        (Verdict.PLACED, 20),
    ]


def test_a_chain_of_attempts_is_decided_from_its_end() -> None:
    """Each number fits two neighbors; only the first one's first number fits nobody else."""
    claims = [claim(key, 10 * key, 10 * key + 20) for key in range(1, 9)]
    hits = [hit(15), *(hit(10 * key + 5) for key in range(2, 9))]
    found = judge(claims, hits)
    assert {key: one.hits[0].number for key, one in found.items()} == {key: 10 * key + 5 for key in range(1, 9)}


def test_an_attempt_in_the_middle_that_may_have_nothing_leaves_its_neighbors_open() -> None:
    claims = [claim(1, 10, 30), claim(2, 16, 40), claim(3, 10, 40)]
    found = judge(claims, [hit(20), hit(25)])
    assert {one.verdict for one in found.values()} == {Verdict.OPEN}


@pytest.mark.parametrize("seed", range(20))
def test_what_is_decided_is_what_all_possible_assignments_have_in_common(seed: int) -> None:
    """Held against every assignment there is: nothing is decided against the truth, and nothing less than is proven."""
    chance = random.Random(seed)
    for _ in range(50):
        claims, hits, truth = _random_panel(chance)
        worlds = _assignments(claims, hits)
        assert truth in worlds
        for one in claims:
            finding = id_windows.judge(claims, hits, answered=range(1, 1000), decimals=4)[one.key]
            possible = {world[one.key] for world in worlds}
            if finding.verdict is Verdict.PLACED:
                assert possible == {finding.hits[0].number}
            elif finding.verdict is Verdict.UNPLACED:
                assert possible == {None}
                assert one.window.upper is not None
            else:
                assert len(possible) > 1 or one.window.upper is None
                assert (finding.why == "indistinct") == (len(possible) > 1 and None not in possible)


def _assignments(claims: list[Claim], hits: list[Hit]) -> list[dict[int, int | None]]:
    """Return every way to give each number an attempt of its own that it fits."""
    keys: list[list[int]] = [[one.key for one in claims if id_windows.fits(there, one, 4)] for there in hits]
    found = []
    for chosen in product(*keys):
        if len(set(chosen)) == len(chosen):
            numbers = {key: there.number for key, there in zip(chosen, hits, strict=True)}
            found.append({one.key: numbers.get(one.key) for one in claims})
    return found


def _random_panel(chance: random.Random) -> tuple[list[Claim], list[Hit], dict[int, int | None]]:
    """Attempts with windows around the number they have, if any; and a known order in between now and then."""
    claims: list[Claim] = []
    truth: dict[int, int | None] = {}
    number = 10
    for key in range(chance.randint(1, 6)):
        number += chance.randint(1, 6)
        truth[key] = number if chance.random() < 0.5 else None
        lower = number - chance.randint(1, 15)
        upper = number + chance.randint(1, 25) if chance.random() < 0.9 else None
        claims.append(claim(key, max(lower, 1), upper, cost=chance.choice(["0.09", "0.09", "0.20"])))
    hits = [hit(number, str(claims[key].cost)) for key, number in truth.items() if number]
    return claims, hits, truth


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
    assert id_windows.decimal_places([Decimal("0.27819"), Decimal("1")]) == 5
    assert id_windows.decimal_places([Decimal("1"), None]) == 2
    assert id_windows.decimal_places([]) == 2
