"""Decisions about orders whose outcome is unknown, and what each of them does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.ledger import audit
from orders.models import Order, Service
from providers.http.messages import Answer
from providers.models import Placement, Provider, RefusalText
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.reconciling import decisions
from providers.tracking import status_sync
from tests.providers.conftest import buy, claim, customer, provider_at, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def placement(panel: Panel) -> Placement:
    """An order that the panel has, whose answer was lost."""
    provider = provider_at(panel, "v2")
    buy(customer(), Service.objects.filter(service_type="default")[0])
    panel.fault("add", "reset_after")
    submission.submit_due(provider)
    return Placement.objects.get(state="in_doubt")


def order() -> Order:
    return Order.objects.latest("id")


def test_deciding_that_it_was_placed_tracks_the_order_under_its_number(panel: Panel, placement: Placement) -> None:
    (number,) = panel.orders
    decisions.attach(placement, upstream_id=number)
    assert order().status == "pending"
    panel.report(number, "Completed", remains=0)
    status_sync.sync_statuses(Provider.objects.get(), is_now=True)
    assert order().status == "completed"
    assert len(panel.orders) == 1


def test_an_order_that_was_not_placed_may_be_sent_again_once(panel: Panel, placement: Placement) -> None:
    decisions.release(placement, send_again=True, why="not in their list")
    submission.submit_due(Provider.objects.get())
    assert (order().status, Placement.objects.count()) == ("pending", 2)


def test_an_order_that_was_not_placed_may_be_refunded(placement: Placement) -> None:
    decisions.release(placement, send_again=False, why="not in their list")
    assert (order().status, order().refunded) == ("failed", order().charge)
    assert list(audit.findings()) == []


def test_a_decision_is_made_once(placement: Placement) -> None:
    decisions.release(placement, send_again=False, why="x")
    choices: list[Callable[[], Any]] = [
        lambda: decisions.attach(placement, upstream_id="5"),
        lambda: decisions.release(placement, send_again=True, why="y"),
        lambda: decisions.release(placement, send_again=False, why="z"),
    ]
    for decide in choices:
        with pytest.raises(decisions.NotInDoubt):
            decide()
    assert order().refunded == order().charge


def test_a_number_that_another_order_has_cannot_be_attached(panel: Panel, placement: Placement) -> None:
    buy(order().user, order().service, link="https://x.example.com/p/2", quantity="150")
    submission.submit_due(Provider.objects.get())
    taken = Placement.objects.get(state="accepted").upstream_id
    with pytest.raises(decisions.NumberTaken):
        decisions.attach(placement, upstream_id=taken)
    placement.refresh_from_db()
    assert placement.state == "in_doubt"


# ------------------------------------------------------------------------------------------------ teaching


def lose_with_error(panel: Panel, text: str, **inputs: str) -> Placement:
    provider = Provider.objects.first() or provider_at(panel, "v2")
    customer_of = Order.objects.first().user if Order.objects.exists() else customer()  # type: ignore[union-attr]
    bought = buy(customer_of, Service.objects.filter(service_type="default")[0], **inputs)
    panel.fault("add", "error", text=text)
    submission.submit_due(provider, is_now=True)
    return Placement.objects.filter(order=bought).latest("id")


def test_a_text_saved_by_an_operator_is_a_rejection_from_then_on(panel: Panel) -> None:
    lost = lose_with_error(panel, "Oops, try another time")
    assert (lost.state, lost.evidence["said"]) == ("in_doubt", "Oops, try another time")
    decisions.teach(lost, order().user)
    assert order().status == "queued"
    assert list(RefusalText.objects.values_list("text", flat=True)) == ["oops, try another time"]

    panel.fault("add", "error", text="OOPS,  try another time")
    submission.submit_due(Provider.objects.get())
    assert Placement.objects.latest("id").state == "refused"
    assert (order().status, order().refunded) == ("failed", order().charge)
    unlike = lose_with_error(panel, "Oops", quantity="300")
    assert unlike.state == "in_doubt", "only the same words"
    assert list(audit.findings()) == []


def test_a_saved_text_applies_to_one_provider_only(panel: Panel, start_panel: Callable[..., Panel]) -> None:
    decisions.teach(lose_with_error(panel, "Oops"))
    other = provider_at(start_panel("v2"), "v2", name="other")
    assert decisions.is_taught(Provider.objects.get(name="at-v2"), "oops")
    assert not decisions.is_taught(other, "oops")


def test_a_lost_answer_has_no_text_to_save(placement: Placement) -> None:
    with pytest.raises(decisions.NothingToTeach):
        decisions.teach(placement)
    placement.refresh_from_db()
    assert placement.state == "in_doubt"


def test_a_server_error_cannot_be_saved_as_a_rejection(panel: Panel) -> None:
    """HTTP 500 may come after the order was written: its words mean nothing."""
    provider = provider_at(panel, "v2")
    RefusalText.objects.create(provider=provider, text="oops")
    buy(customer(), Service.objects.filter(service_type="default")[0])
    panel.fault("add", "http_error", status=500, body='{"error":"Oops"}', executed=True)
    submission.submit_due(provider)
    assert Placement.objects.get().state == "in_doubt"


# ------------------------------------------------------------------------------------------------ late answers


@pytest.mark.parametrize(
    ("text", "status"), [('{"order":77}', "pending"), ('{"error":"Bad link"}', "failed"), ("", "in_doubt")]
)
def test_an_answer_after_the_lease_is_recorded(panel: Panel, text: str, status: str) -> None:
    provider = provider_at(panel, "v2")
    buy(customer(), Service.objects.filter(service_type="default")[0])
    (sent,) = claim(provider, limit=1)
    Placement.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    submission.expire_leases()
    record(provider, sent, Answer(status=200, text=text))
    assert order().status == status


def test_an_acceptance_after_the_decision_is_a_loss_not_a_second_order(panel: Panel) -> None:
    provider = provider_at(panel, "v2")
    buy(customer(), Service.objects.filter(service_type="default")[0])
    (sent,) = claim(provider, limit=1)
    Placement.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    submission.expire_leases()
    decisions.release(sent.placement, send_again=False, why="not in their list")
    assert record(provider, sent, Answer(status=200, text='{"order":77}')) == "late"
    row = Placement.objects.get()
    assert (row.state, row.upstream_id, order().status, order().refunded) == ("closed", "77", "failed", order().charge)
    assert list(audit.findings()) == []
