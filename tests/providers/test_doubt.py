"""Orders in doubt: what a person may decide, and what each decision does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orders import audit
from orders.models import Order, Service
from providers import doubt, submission, syncing
from providers.models import Placement, Provider
from providers.simulators import Panel
from tests.providers.conftest import buy, customer, provider_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def panel(start_panel: Callable[..., Panel]) -> Panel:
    return start_panel("v2")


@pytest.fixture
def placement(panel: Panel) -> Placement:
    """An order that the panel has, whose answer was lost."""
    provider = provider_at(panel, "v2")
    buy(customer(), Service.objects.filter(kind="default")[0])
    panel.fault("add", "reset_after")
    submission.submit_due(provider)
    return Placement.objects.get(state="in_doubt")


def order() -> Order:
    return Order.objects.latest("id")


def test_it_was_placed_follows_the_order_under_its_number(panel: Panel, placement: Placement) -> None:
    (number,) = panel.orders
    doubt.attach(placement, upstream_id=number)
    assert order().status == "pending"
    panel.report(number, "Completed", remains=0)
    syncing.sync_statuses(Provider.objects.get(), is_now=True)
    assert order().status == "completed"
    assert len(panel.orders) == 1


def test_it_was_not_placed_may_be_sent_again_once(panel: Panel, placement: Placement) -> None:
    doubt.release(placement, send_again=True, why="not in their list")
    submission.submit_due(Provider.objects.get())
    assert (order().status, Placement.objects.count()) == ("pending", 2)


def test_it_was_not_placed_may_be_paid_back(placement: Placement) -> None:
    doubt.release(placement, send_again=False, why="not in their list")
    assert (order().status, order().refunded) == ("failed", order().charge)
    assert list(audit.findings()) == []


def test_a_decision_is_made_once(placement: Placement) -> None:
    doubt.release(placement, send_again=False, why="x")
    decisions: list[Callable[[], Any]] = [
        lambda: doubt.attach(placement, upstream_id="5"),
        lambda: doubt.release(placement, send_again=True, why="y"),
        lambda: doubt.release(placement, send_again=False, why="z"),
    ]
    for decide in decisions:
        with pytest.raises(doubt.NotInDoubt):
            decide()
    assert order().refunded == order().charge


def test_a_number_that_another_order_has_cannot_be_attached(panel: Panel, placement: Placement) -> None:
    buy(order().user, order().service, link="https://x.example.com/p/2", quantity="150")
    submission.submit_due(Provider.objects.get())
    taken = Placement.objects.get(state="accepted").upstream_id
    with pytest.raises(doubt.NumberTaken):
        doubt.attach(placement, upstream_id=taken)
    placement.refresh_from_db()
    assert placement.state == "in_doubt"
