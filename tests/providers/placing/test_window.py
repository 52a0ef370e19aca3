"""Slow start: how many orders may be under way after which answers."""

from __future__ import annotations

from providers.placing.window import SendWindow


def answer(window: SendWindow, *, offer: int = 1, is_clear: bool | None = True) -> None:
    window.sent(offer)
    window.answered(offer, is_clear=is_clear)


def test_a_pass_begins_with_one_order() -> None:
    window = SendWindow(32)
    assert (window.free, window.free_for(1)) == (1, 1)
    window.sent(1)
    assert (window.free, window.under_way) == (0, 1)


def test_each_clear_answer_doubles_up_to_the_limit() -> None:
    window = SendWindow(32)
    sizes = []
    for _ in range(6):
        answer(window)
        sizes.append((window.size, window.free_for(1)))
    assert sizes == [(2, 2), (4, 4), (8, 8), (16, 16), (32, 32), (32, 32)]


def test_an_unclear_answer_leaves_one_and_clear_ones_grow_again() -> None:
    window = SendWindow(32, start=32)
    answer(window, is_clear=False)
    assert (window.size, window.free_for(1)) == (1, 1)
    answer(window)
    assert (window.size, window.free_for(1)) == (2, 2)


def test_nothing_more_goes_out_while_more_are_under_way_than_allowed() -> None:
    window = SendWindow(8, start=8)
    for _ in range(8):
        window.sent(1)
    window.answered(1, is_clear=False)
    assert (window.under_way, window.free, window.free_for(1)) == (7, 0, 0)


def test_an_answer_that_says_nothing_about_the_next_order_changes_nothing() -> None:
    window = SendWindow(32, start=4)
    answer(window, is_clear=None)
    assert (window.size, window.free_for(1)) == (4, 4)


def test_another_offer_begins_with_one_order_too() -> None:
    window = SendWindow(32)
    for _ in range(5):
        answer(window, offer=1)
    assert (window.free, window.free_for(1), window.free_for(2)) == (32, 32, 1)


def test_a_lower_limit_holds_at_once() -> None:
    window = SendWindow(32, start=32)
    window.limit = 1
    window.sent(1)
    assert (window.free, window.free_for(2)) == (0, 1)


def test_more_is_claimed_ahead_only_while_the_window_is_fully_open() -> None:
    window = SendWindow(32, start=16, ahead=8)
    assert (window.free, window.free_for(1)) == (16, 16)
    answer(window)
    assert (window.free, window.free_for(1)) == (40, 40)
    answer(window, is_clear=False)
    assert (window.free, window.free_for(1)) == (1, 1)
