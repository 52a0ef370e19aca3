"""Claims are committed before a byte is sent, and survive a process that is stopped or killed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from orders.models import Order, Service
from providers.models import Placement, Provider
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.placing.claiming import PlacementClaim, TurnLost
from providers.placing.queue import Candidate, Queue
from providers.placing.window import SendWindow
from providers.worker import turns
from providers.worker.models import Turn
from tests.processes import manage
from tests.providers.conftest import buy, claim, customer, provider_at


def queue_orders(panel: Panel, count: int) -> Provider:
    provider = provider_at(panel, "v2")
    buyer, service = customer(), Service.objects.filter(service_type="default")[0]
    for number in range(count):
        buy(buyer, service, link=f"https://x.example.com/p/{number}", quantity=str(100 + number))
    return provider


def candidates(provider: Provider) -> list[Candidate]:
    return Queue(provider, is_now=False).take(50, SendWindow(50, start=50))


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        {"status": "canceled", "ended_at": timezone.now()},
        {"status": "pending"},
        {"due_at": timezone.now() + timedelta(hours=1)},
        {"starts_at": timezone.now() + timedelta(hours=1)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_order_that_changed_since_it_was_chosen_is_not_claimed(
    start_panel: Callable[..., Panel], change: dict[str, object]
) -> None:
    provider = queue_orders(start_panel("v2"), 3)
    chosen = candidates(provider)
    changed = Order.objects.order_by("pk")[1]
    Order.objects.filter(pk=changed.pk).update(**change)
    claimed = PlacementClaim(provider, chosen, is_now=False).commit()
    assert [one.placement.order_id for one in claimed] == [one.order_id for one in chosen if one.order_id != changed.pk]


@pytest.mark.django_db
def test_one_that_another_process_has_claimed_spoils_no_other(start_panel: Callable[..., Panel]) -> None:
    provider = queue_orders(start_panel("v2"), 3)
    chosen = candidates(provider)
    claim(provider, limit=1)
    Order.objects.update(status="queued")  # the worst case: only the constraint of the database is left
    assert len(PlacementClaim(provider, chosen, is_now=False).commit()) == 2
    assert Placement.objects.count() == 3


@pytest.mark.django_db
def test_a_process_that_lost_its_turn_claims_nothing(start_panel: Callable[..., Panel]) -> None:
    provider = queue_orders(start_panel("v2"), 3)
    turn = turns.take(submission.turn_name(provider), seconds=60)
    Turn.objects.update(holder="another process")
    with pytest.raises(TurnLost):
        PlacementClaim(provider, candidates(provider), is_now=False, turn=turn).commit()
    assert Placement.objects.count() == 0


@pytest.mark.django_db
def test_a_claim_whose_commit_was_not_confirmed_is_found(start_panel: Callable[..., Panel]) -> None:
    provider = queue_orders(start_panel("v2"), 3)
    other = claim(provider, limit=1)
    made = PlacementClaim(provider, candidates(provider), is_now=False)
    assert made.find_committed() == []
    committed = [one.placement.pk for one in made.commit()]
    found = made.find_committed()
    assert [one.placement.pk for one in found] == committed
    assert other[0].placement.pk not in committed
    assert all(one.call is not None and not one.send_by.has_passed for one in found)


@pytest.mark.django_db(transaction=True)
def test_a_process_killed_after_a_claim_leaves_no_more_than_it_sends_at_once(start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("v2", latency=0.2)
    queue_orders(panel, 120)
    senders = 8
    for more in (3, 12, 45):
        before = Placement.objects.count()
        worker = manage("run_due", "submit", SUBMIT_PARALLEL=str(senders))
        wait_until(lambda at_least=before + more: Placement.objects.count() > at_least, 60)  # type: ignore[misc]
        worker.kill()
        worker.wait()

        def count_unsent() -> int:
            sent = {order.params["link"] for order in list(panel.orders.values())}
            return Placement.objects.filter(state="submitting").exclude(order__link__in=sent).count()

        # Every sender may have been about to send, and a quarter as many are claimed ahead. What was sent may still be
        # on its way to the panel.
        wait_until(lambda: count_unsent() <= senders + senders // 4)
        Placement.objects.filter(state="submitting").update(lease_until=timezone.now() - timedelta(seconds=1))
        Turn.objects.all().delete()
        submission.expire_leases()
    connection.close()
