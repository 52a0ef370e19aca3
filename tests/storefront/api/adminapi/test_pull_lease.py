"""A pull is a lease: what a program took and never reported about is handed out again, and nothing else is."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.utils import timezone

from orders.lifecycle import fulfillment, staff_decisions
from orders.models import Order, PullLease
from tests import factories
from tests.storefront.api.adminapi.program import Program

HOURS = timedelta(hours=1)


@pytest.fixture
def by_hand(db: Any) -> Any:
    return factories.service(name="Reviews", is_manual=True, has_cancel=True)


def pull_orders(program: Program, **body: Any) -> list[int]:
    return [row["id"] for row in program.post("orders/pull", body)["list"]]


def travel(hours: float) -> Any:
    return time_machine.travel(timezone.now() + hours * HOURS, tick=False)


@pytest.mark.django_db
def test_an_order_without_a_report_is_handed_out_again(program: Program, by_hand: Any) -> None:
    first, second = factories.order(of=by_hand), factories.order(of=by_hand)
    assert pull_orders(program) == [first.pk, second.pk]
    program.post("orders/update", {"orders": [{"id": second.pk, "start_count": 7}]})
    other = Program()
    with travel(23.9):
        assert pull_orders(other) == []
    with travel(24.1):
        assert pull_orders(other) == [first.pk]
        assert pull_orders(other) == []
        told = LogEntry.objects.filter(object_id=str(first.pk)).order_by("pk").last()
        assert told is not None
        assert told.user == other.user
        assert "orders/pull: lease “over since " in told.change_message
    with travel(48.2):
        assert pull_orders(program) == [first.pk]
    first.refresh_from_db()
    assert first.status == "processing"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("orders/update", {"orders": [{"id": 0}]}),
        ("orders/update", {"orders": [{"id": 0, "status": "in_progress"}]}),
        ("orders/change-status", {"ids": "0", "status": "processing"}),
        ("orders/change-status", {"ids": "0", "status": "completed"}),
        ("orders/0/set-partial", {"remains": 5}),
        ("orders/cancel", {"ids": "0"}),
    ],
)
def test_every_report_ends_the_lease(program: Program, by_hand: Any, route: str, body: dict[str, Any]) -> None:
    order = factories.order(of=by_hand)
    pull_orders(program)

    def with_number(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: with_number(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [with_number(inner) for inner in value]
        return {0: order.pk, "0": str(order.pk)}.get(value, value)

    lines = LogEntry.objects.count()
    program.post(route.replace("/0/", f"/{order.pk}/"), with_number(body))
    assert LogEntry.objects.count() == lines + 1
    with travel(1000):
        assert pull_orders(program) == []
        assert not PullLease.objects.exists()


@pytest.mark.django_db
def test_what_staff_took_is_never_handed_out(program: Program, by_hand: Any) -> None:
    order = factories.order(of=by_hand)
    fulfillment.start_by_hand(order.pk, actor=program.user)
    with travel(1000):
        assert pull_orders(program) == []


@pytest.mark.django_db
def test_an_order_whose_service_is_no_longer_delivered_by_hand_stays(program: Program, by_hand: Any) -> None:
    factories.order(of=by_hand)
    pull_orders(program)
    by_hand.is_manual = False
    by_hand.save()
    with travel(1000):
        assert pull_orders(program) == []


@pytest.mark.django_db
def test_without_a_lease_nothing_is_handed_out_again(program: Program, by_hand: Any, settings: Any) -> None:
    before, after = factories.order(of=by_hand), factories.order(of=by_hand)
    assert pull_orders(program, limit=1) == [before.pk]
    settings.PULL_LEASE_MINUTES = 0
    with travel(1000):
        assert pull_orders(program) == [after.pk]
    with travel(2000):
        assert pull_orders(program) == []


@pytest.mark.django_db
def test_the_oldest_come_first_and_the_limit_holds(program: Program, by_hand: Any) -> None:
    orders = [factories.order(of=by_hand).pk for _ in range(5)]
    assert pull_orders(program, limit=3) == orders[:3]
    with travel(25):
        assert pull_orders(program, limit=2) == orders[:2]
        assert pull_orders(program, limit=2) == orders[2:4]
        assert pull_orders(program, limit=2) == orders[4:]


@pytest.mark.django_db
def test_only_the_named_services_are_handed_out_again(program: Program, by_hand: Any) -> None:
    other = factories.service(is_manual=True)
    first, second = factories.order(of=by_hand), factories.order(of=other)
    pull_orders(program)
    with travel(25):
        assert pull_orders(program, service_ids=str(other.pk)) == [second.pk]
        assert pull_orders(program, service_ids=str(by_hand.pk)) == [first.pk]


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has one writer at a time")
def test_of_programs_that_pull_at_once_each_gets_other_orders(transactional_db: None) -> None:
    by_hand = factories.service(is_manual=True)
    orders = {factories.order(of=by_hand).pk for _ in range(12)}
    staff_decisions.take_by_hand(limit=100, lease=HOURS)
    PullLease.objects.update(until=timezone.now() - HOURS)
    together = threading.Barrier(4)

    def pull(_number: int) -> list[int]:
        try:
            together.wait(10)
            return [*staff_decisions.take_by_hand(limit=5, lease=HOURS)]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        taken = [pk for numbers in pool.map(pull, range(4)) for pk in numbers]
    assert len(taken) == len(set(taken))
    assert set(taken) <= orders
    assert {*taken, *staff_decisions.take_by_hand(limit=100, lease=HOURS)} == orders
    assert set(Order.objects.values_list("status", flat=True)) == {"processing"}
