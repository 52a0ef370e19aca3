from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.rules import amounts, charges, state_machine
from orders.rules.state_machine import Decision, Progress, Status

Q, S, D = Status.QUEUED, Status.SUBMITTING, Status.IN_DOUBT
PE, PR, IP = Status.PENDING, Status.PROCESSING, Status.IN_PROGRESS
CO, PA, CA, FA = Status.COMPLETED, Status.PARTIAL, Status.CANCELED, Status.FAILED

REPORTS = st.builds(
    Progress,
    status=st.none() | st.sampled_from(Status),
    remains=st.none() | st.integers(-50, 250) | st.sampled_from([0, 100, 10**18, -(10**18)]),
    start_count=st.none() | st.integers(-5, 10**9),
)


def decide(current: Status, status: Status | None, remains: int | None = None, *, known: int | None = None) -> Decision:
    progress = Progress(status=status, remains=remains)
    return state_machine.decide(current=current, quantity=100, start_count=None, remains=known, progress=progress)


@pytest.mark.parametrize(
    ("current", "report", "becomes", "undelivered", "oddity"),
    [
        # Usual progress, also with skipped steps.
        (PE, PR, PR, None, ""),
        (PE, IP, IP, None, ""),
        (PR, IP, IP, None, ""),
        (IP, CO, CO, None, ""),
        (PE, CO, CO, None, ""),
        (IP, PA, PA, 30, ""),
        (PE, CA, CA, 100, ""),
        (IP, CA, CA, 100, ""),
        # No step back between followed statuses.
        (IP, PE, IP, None, ""),
        (IP, PR, IP, None, ""),
        (PR, PE, PR, None, ""),
        # A report resolves an unknown outcome.
        (D, PE, PE, None, ""),
        (D, CO, CO, None, ""),
        (D, CA, CA, 100, ""),
        (S, IP, IP, None, ""),
        (Q, IP, IP, None, ""),
        # Changes after the end.
        (CO, PA, PA, 30, ""),
        (CO, CA, CA, 100, ""),
        (PA, CA, CA, 100, ""),
        (CO, CO, CO, None, ""),
        (CO, IP, CO, None, ""),
        (PA, IP, PA, None, ""),
        (CA, IP, CA, None, ""),
        # No refund is taken back.
        (PA, CO, PA, None, "reopened"),
        (CA, CO, CA, None, "reopened"),
        (CA, PA, CA, None, "reopened"),
        (CA, CA, CA, None, ""),
        # A failed order stays failed.
        (FA, CO, FA, None, "reopened"),
        (FA, PA, FA, None, "reopened"),
        (FA, CA, FA, None, ""),
        (FA, IP, FA, None, ""),
        # A failure or an unknown status is left to an operator.
        (IP, FA, IP, None, "failed_upstream"),
        (CO, FA, CO, None, ""),
        (CA, FA, CA, None, ""),
        (IP, None, IP, None, "unknown_status"),
        (CO, None, CO, None, "unknown_status"),
        (IP, Q, IP, None, "unknown_status"),
        (PE, S, PE, None, "unknown_status"),
        (D, D, D, None, "unknown_status"),
    ],
)
def test_a_report_changes_status_and_refund(
    current: Status, report: Status | None, becomes: Status, undelivered: int | None, oddity: str
) -> None:
    decision = decide(current, report, remains=30)
    assert (decision.status, decision.undelivered, decision.oddity or "") == (becomes, undelivered, oddity)


@given(st.sampled_from(Status), REPORTS, st.none() | st.integers(0, 100))
def test_every_report_is_decided_in_every_status(current: Status, report: Progress, remains: int | None) -> None:
    decision = state_machine.decide(current=current, quantity=100, start_count=None, remains=remains, progress=report)
    assert decision.remains is None or 0 <= decision.remains <= 100
    assert decision.undelivered is None or decision.status in (PA, CA)


@pytest.mark.parametrize(("remains", "undelivered"), [(-1, 0), (-(10**30), 0), (101, 100), (10**30, 100)])
def test_remains_outside_the_order_is_clamped_and_reported(remains: int, undelivered: int) -> None:
    decision = decide(IP, PA, remains)
    assert (decision.undelivered, decision.oddity) == (undelivered, "remains_out_of_range")
    assert decide(PE, IP, remains).oddity == "remains_out_of_range"


def test_a_partial_without_remains_moves_no_money() -> None:
    decision = decide(IP, PA, None)
    assert (decision.status, decision.undelivered, decision.oddity) == (IP, None, "remains_missing")


def test_remains_of_a_partial_order_can_rise_but_not_fall() -> None:
    assert decide(PA, PA, 50, known=30).undelivered == 50
    assert decide(PA, PA, 30, known=30) == Decision(status=PA, start_count=None, remains=30)
    shrunk = decide(PA, PA, 10, known=30)
    assert (shrunk.remains, shrunk.undelivered, shrunk.oddity) == (30, None, "went_back")


def test_a_report_without_remains_keeps_the_known_value() -> None:
    assert decide(IP, IP, None, known=40).remains == 40
    assert decide(IP, CO, None, known=40).remains == 0


@pytest.mark.parametrize("examples", [500, pytest.param(5000, marks=pytest.mark.prove)])
def test_refunds_only_grow_and_never_exceed_the_charge(examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(
        st.sampled_from([S, D, PE, PR, IP]),
        st.integers(1, 200),
        st.integers(0, 10**9).map(lambda units: amounts.from_units(units, 6)),
        st.lists(REPORTS, min_size=1, max_size=12),
    )
    def holds(status: Status, quantity: int, charge: Decimal, reports: list[Progress]) -> None:
        remains: int | None = None
        start_count: int | None = None
        paid_back = [Decimal(0)]
        states = [status]
        for report in reports:
            decision = state_machine.decide(
                current=states[-1], quantity=quantity, start_count=start_count, remains=remains, progress=report
            )
            remains, start_count = decision.remains, decision.start_count
            target = charges.refund(charge, quantity=quantity, remains=decision.undelivered or 0)
            paid_back.append(max(paid_back[-1], target))
            states.append(decision.status)
            if decision.status is Status.PARTIAL:
                assert paid_back[-1] == charges.refund(charge, quantity=quantity, remains=decision.remains or 0)
        assert all(0 <= earlier <= later <= charge for earlier, later in pairwise(paid_back))
        assert all(later is earlier for earlier, later in pairwise(states) if earlier in (CA, FA))
        assert all(
            later in state_machine.TERMINAL for earlier, later in pairwise(states) if earlier in state_machine.TERMINAL
        )
        if states[-1] is CA:
            assert paid_back[-1] == charge

    holds()


def test_followed_statuses_are_not_terminal() -> None:
    assert not state_machine.TERMINAL & set(state_machine.FOLLOWED)
