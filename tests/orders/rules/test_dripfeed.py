"""Drip-feed: the status of an order follows its runs, and refunds only grow."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.buying import checkout
from orders.errors import NotPossible, OrderInvalid
from orders.ledger import audit, transfers
from orders.lifecycle import customer_requests, fulfillment
from orders.models import Order, Run
from orders.models.order import EventKind
from orders.rules import charges, dripfeed, service_types
from orders.rules.dripfeed import RunState
from orders.rules.state_machine import Progress, Status, decide
from tests import factories
from tests.factories import INPUTS

Q, S, D, N, G, I = (  # noqa: E741
    Status.QUEUED, Status.SUBMITTING, Status.IN_DOUBT, Status.PENDING, Status.PROCESSING, Status.IN_PROGRESS,
)  # fmt: skip
C, P, X, F = Status.COMPLETED, Status.PARTIAL, Status.CANCELED, Status.FAILED


@pytest.mark.parametrize(
    ("parts", "status", "remains", "undelivered"),
    [
        ([(Q, None), (Q, None)], Q, 200, 0),
        ([(S, None), (Q, None)], S, 200, 0),
        ([(D, None), (Q, None)], D, 200, 0),
        ([(D, None), (N, None)], N, 200, 0),
        ([(N, None), (Q, None)], N, 200, 0),
        ([(G, 90), (Q, None)], G, 190, 0),
        ([(I, 40), (Q, None)], I, 140, 0),
        ([(C, 0), (Q, None)], I, 100, 0),
        ([(C, None), (D, None)], I, 100, 0),
        ([(F, None), (Q, None)], I, 200, 100),
        ([(P, 30), (Q, None)], I, 130, 30),
        ([(P, 30), (I, 20)], I, 50, 30),
        ([(C, 0), (C, 0)], C, 0, 0),
        ([(C, 0), (P, 30)], P, 30, 30),
        ([(C, 0), (F, None)], P, 100, 100),
        ([(X, 100), (P, 1)], P, 101, 101),
        ([(X, None), (X, None)], X, 200, 200),
        ([(F, None), (X, 0)], X, 200, 200),
        ([(P, 100), (P, 100)], X, 200, 200),
        ([(P, 0), (C, 0)], C, 0, 0),
        ([(P, 999), (C, 0)], P, 100, 100),
    ],
)
def test_the_status_of_an_order_follows_its_runs(
    parts: list[Any], status: Status, remains: int, undelivered: int
) -> None:
    found = dripfeed.order_state([RunState(state, 100, left) for state, left in parts])
    assert (found.status, found.remains, found.undelivered) == (status, remains, undelivered)


def test_runs_are_due_at_fixed_times() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert [moment - start for moment in dripfeed.due_times(start, runs=3, interval=90)] == [
        timedelta(0), timedelta(minutes=90), timedelta(minutes=180),
    ]  # fmt: skip


REPORTS = st.builds(
    Progress,
    status=st.sampled_from([None, N, G, I, C, P, X, F]),
    remains=st.one_of(st.none(), st.integers(-5, 40)),
)


@given(reports=st.lists(st.tuples(st.integers(0, 3), REPORTS), max_size=40), cents=st.integers(1, 10**7))
@settings(deadline=None)
def test_refunds_of_runs_only_grow_and_never_exceed_the_charge(reports: list[tuple[int, Progress]], cents: int) -> None:
    each, charge, paid_back = 33, Decimal(cents) / 1000, Decimal(0)
    parts = [RunState(Status.PENDING, each)] * 4
    for number, report in reports:
        part = parts[number]
        found = decide(current=part.status, quantity=each, start_count=None, remains=part.remains, progress=report)
        parts[number] = RunState(found.status, each, found.remains)
        stands = dripfeed.order_state(parts)
        target = charges.refund(charge, quantity=4 * each, remains=stands.undelivered)
        assert paid_back <= target <= charge
        assert (stands.status in (X, F)) == (target == charge)
        paid_back = target


# ------------------------------------------------------------------------------------------------ buying


def drip(**inputs: Any) -> dict[str, Any]:
    return {**INPUTS, "runs": "5", "interval": "60", **inputs}


def problems(service: Any, inputs: dict[str, Any]) -> list[str]:
    with pytest.raises(OrderInvalid) as caught:
        checkout.quote(service, inputs=inputs)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.django_db
def test_all_runs_are_charged_at_once() -> None:
    buyer, service = factories.customer(), factories.service(has_dripfeed=True)
    order = checkout.place_order(buyer, service=service, inputs=drip())
    assert (order.quantity, order.runs, order.interval, order.charge) == (500, 5, 60, Decimal("0.45"))
    assert not Run.objects.exists(), "runs are created when the route is chosen"
    assert list(audit.findings()) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("inputs", "wrong"),
    [
        ({"interval": ""}, ["interval: missing"]),
        ({"interval": "0"}, ["interval: missing"]),
        ({"interval": "1441"}, ["interval: too_large (1440)"]),
        ({"interval": "-1"}, ["interval: too_small (1)"]),
        ({"interval": "soon"}, ["interval: not_a_number"]),
        ({"runs": ""}, ["runs: missing"]),
        ({"runs": "x"}, ["runs: not_a_number"]),
        ({"runs": "-2"}, ["runs: too_small (2)"]),
        ({"runs": "1001"}, ["runs: too_large (1000)"]),
        ({"quantity": "9"}, ["quantity: too_small (10)"]),
        ({"quantity": "250"}, ["runs: too_large (4)"]),
        ({"quantity": "9", "runs": "x"}, ["quantity: too_small (10)", "runs: not_a_number"]),
    ],
)
def test_an_incomplete_drip_feed_lists_every_problem(inputs: dict[str, str], wrong: list[str]) -> None:
    service = factories.service(has_dripfeed=True, min_quantity=10, max_quantity=1000)
    assert problems(service, drip(**inputs)) == wrong


@pytest.mark.django_db
@pytest.mark.parametrize("runs", ["0", "1", "", "undefined", None])
def test_a_single_run_is_an_ordinary_order(runs: str | None) -> None:
    service = factories.service(has_dripfeed=True)
    interval = "0" if runs in ("", "undefined", None) else "60"
    found = checkout.quote(service, inputs={**INPUTS, "runs": runs, "interval": interval}).details
    assert (found.quantity, found.runs, found.interval) == (100, 1, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "service_type",
    [
        service_type
        for service_type in service_types.SERVICE_TYPES
        if not service_types.has_runs(service_types.SERVICE_TYPES[service_type])
    ],
)
def test_types_that_derive_their_quantity_have_no_runs(service_type: str) -> None:
    service = factories.service(service_type, has_dripfeed=True)
    assert problems(service, drip()) == ["runs: unsupported"]


# ------------------------------------------------------------------------------------------------ scheduled start


@pytest.mark.django_db
@pytest.mark.parametrize("write", [datetime.isoformat, lambda at: str(int(at.timestamp()))])
def test_an_order_waits_for_its_scheduled_start(write: Any) -> None:
    moment = (timezone.now() + timedelta(days=2)).replace(microsecond=0)
    assert checkout.quote(factories.service(), inputs={**INPUTS, "start_at": write(moment)}).starts_at == moment


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", "0", "undefined", "2020-01-01T10:00", "1577836800"])
def test_a_start_in_the_past_means_now(text: str) -> None:
    assert checkout.quote(factories.service(), inputs={**INPUTS, "start_at": text}).starts_at is None


@pytest.mark.django_db
def test_a_start_without_a_time_zone_is_in_that_of_the_shop(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Istanbul"
    timezone.get_default_timezone.cache_clear()
    try:
        moment = (timezone.now() + timedelta(days=2)).replace(microsecond=0)
        text = timezone.localtime(moment, timezone.get_default_timezone()).strftime("%Y-%m-%dT%H:%M:%S")
        assert checkout.quote(factories.service(), inputs={**INPUTS, "start_at": text}).starts_at == moment
    finally:
        timezone.get_default_timezone.cache_clear()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "days", "wrong"),
    [
        ("soon", 30, "start_at: invalid_choice (2030-12-31T18:00)"),
        ("99999999999999", 30, "start_at: invalid_choice (2030-12-31T18:00)"),
        ("0001-01-01T00:00+23:00", 30, "start_at: invalid_choice (2030-12-31T18:00)"),
        ("9000-01-01", 30, "start_at: too_large (30)"),
        ("2030-01-01", 0, "start_at: unsupported"),
    ],
)
def test_an_invalid_start_is_rejected(settings: Any, text: str, days: int, wrong: str) -> None:
    settings.SCHEDULE_MAX_DAYS = days
    assert problems(factories.service(), {**INPUTS, "start_at": text}) == [wrong]


@pytest.mark.django_db
def test_a_scheduled_order_can_be_canceled_and_is_refunded_at_once() -> None:
    later = (timezone.now() + timedelta(days=1)).isoformat()
    order = factories.order(of=factories.service(has_cancel=False), start_at=later)
    assert customer_requests.request_cancellation(order, actor=order.user).order_id == order.pk
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("canceled", order.charge)

    started = factories.order(of=factories.service(has_cancel=False), start_at=later)
    Order.objects.filter(pk=started.pk).update(starts_at=timezone.now())
    with pytest.raises(NotPossible):
        customer_requests.request_cancellation(Order.objects.get(pk=started.pk))
    assert list(audit.findings()) == []


# ------------------------------------------------------------------------------------------------ steps of runs


def split(runs: int = 4, **details: Any) -> Order:
    order = factories.order(
        of=factories.service(rate="1.37", has_dripfeed=True, **details), quantity="33", runs=str(runs), interval="10"
    )
    fulfillment.split_into_runs(order)
    return order


def start(order: Order, *numbers: int) -> None:
    for number in numbers:
        fulfillment.mark_run_submitting(Order.objects.get(pk=order.pk), number)
        fulfillment.accept(order.pk, run=number)


def report(order: Order, number: int, status: Status, remains: int | None = None) -> Order:
    fulfillment.apply_progress(order.pk, run=number, progress=Progress(status=status, remains=remains))
    order.refresh_from_db()
    return order


@pytest.mark.django_db
def test_a_failed_run_is_refunded_and_the_others_continue() -> None:
    order = split(3)
    fulfillment.mark_run_submitting(order, 1)
    order.refresh_from_db()
    assert order.status == "submitting"
    fulfillment.fail(order.pk, run=1, panel_error="bad link")
    start(order, 2)
    order.refresh_from_db()
    assert order.status == "in_progress"
    assert order.refunded == charges.refund(order.charge, quantity=99, remains=33)
    report(order, 2, C)
    start(order, 3)
    assert (report(order, 3, P, 10).status, order.remains) == ("partial", 43)
    assert order.refunded == charges.refund(order.charge, quantity=99, remains=43)
    assert list(audit.findings()) == []


@pytest.mark.django_db
def test_a_run_with_an_unknown_outcome_does_not_hold_up_the_others() -> None:
    order = split(2)
    fulfillment.mark_run_submitting(order, 1)
    fulfillment.mark_in_doubt(order.pk, run=1)
    order.refresh_from_db()
    assert order.status == "in_doubt"
    start(order, 2)
    assert (report(order, 2, C).status, order.refunded) == ("in_progress", 0)
    fulfillment.accept(order.pk, run=1)
    assert report(order, 1, C).status == "completed"


@pytest.mark.django_db
def test_a_late_report_about_a_run_refunds_the_difference() -> None:
    order = split(2)
    start(order, 1, 2)
    report(order, 1, C)
    ended = report(order, 2, C).ended_at
    assert (order.status, order.refunded) == ("completed", 0)
    assert report(order, 2, C).ended_at == ended
    assert (report(order, 1, P, 5).status, order.remains) == ("partial", 5)
    assert (report(order, 1, X).status, order.remains) == ("partial", 33)
    assert (report(order, 2, X).status, order.refunded) == ("canceled", order.charge)
    assert (report(order, 2, C).status, order.refunded) == ("canceled", order.charge)
    assert list(audit.findings()) == []


@pytest.mark.django_db
def test_stopping_refunds_runs_not_started_and_later_what_is_not_delivered() -> None:
    order = split(4)
    start(order, 1, 2)
    report(order, 1, C)
    fulfillment.mark_run_submitting(order, 3)
    fulfillment.stop_runs(order.pk)
    fulfillment.stop_runs(order.pk)
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("in_progress", charges.refund(order.charge, quantity=132, remains=33))
    # The third run was being sent. The panel did not receive it, so it is canceled instead of sent again.
    fulfillment.requeue(order.pk, run=3, why=EventKind.NOT_SENT)
    assert [run.status for run in order.run_rows.all()] == ["completed", "pending", "canceled", "canceled"]
    assert (report(order, 2, P, 10).status, order.remains) == ("partial", 76)
    assert order.refunded == charges.refund(order.charge, quantity=132, remains=76)
    assert list(audit.findings()) == []


@pytest.mark.django_db
def test_a_cancellation_stops_the_remaining_runs() -> None:
    order = split(3, has_cancel=True)
    start(order, 1)
    asked = customer_requests.request_cancellation(order, actor=order.user)
    assert asked.is_open, "the panel still has to cancel the run that it has"
    order.refresh_from_db()
    assert order.refunded == charges.refund(order.charge, quantity=99, remains=66)
    report(order, 1, C)
    asked.refresh_from_db()
    assert (order.status, asked.is_open) == ("partial", False)


@pytest.mark.django_db
@pytest.mark.parametrize("reports", [[C, C], [P, X], [X, X]])
def test_an_operator_cancels_all_runs_once(reports: list[Status]) -> None:
    order = split(3)
    start(order, 1, 2)
    fulfillment.cancel(order.pk)
    for number, status in enumerate(reports, start=1):
        report(order, number, status, 3)
    assert (order.status, order.refunded) == ("canceled", order.charge)
    assert [run.status for run in order.run_rows.all()][2] == "canceled"
    assert list(audit.findings()) == []


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(12))
def test_random_runs_keep_the_ledger_correct(seed: int) -> None:
    chance = random.Random(seed)
    order, paid_back = split(4), Decimal(0)
    for _ in range(40):
        run = chance.randint(1, 4)
        act = chance.choice(["claim", "accept", "doubt", "requeue", "fail", "report", "report", "report", "stop"])
        if act == "stop" and chance.random() < 0.8:
            continue
        match act:
            case "claim":
                fulfillment.mark_run_submitting(order, run)
            case "accept":
                fulfillment.accept(order.pk, run=run)
            case "doubt":
                fulfillment.mark_in_doubt(order.pk, run=run)
            case "requeue":
                fulfillment.requeue(order.pk, run=run, why=EventKind.NOT_SENT)
            case "fail":
                fulfillment.fail(order.pk, run=run)
            case "stop":
                fulfillment.stop_runs(order.pk)
            case "report" if order.run_rows.get(number=run).state not in (Q, S, D):
                report(order, run, chance.choice([N, I, C, P, X, F]), chance.choice([None, -1, 0, 5, 20, 33, 60]))
        order.refresh_from_db()
        assert paid_back <= order.refunded <= order.charge
        paid_back = order.refunded
        ended = sum(part.remains or 0 for part in order.run_rows.all() if part.state in (C, P, X, F))
        assert paid_back == charges.refund(order.charge, quantity=132, remains=ended)
    wallet = transfers.open_wallet(order.user)
    assert wallet.balance == 100 - order.charge + order.refunded
    assert list(audit.findings()) == []
