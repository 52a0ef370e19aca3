"""A worker that is killed with SIGKILL during a call: the order is neither lost nor placed twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from orders.ledger import audit
from orders.models import Order, Service
from providers.models import Placement, Provider
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.worker.models import Turn
from tests.processes import manage
from tests.providers.conftest import buy, customer, provider_at

pytestmark = pytest.mark.django_db(transaction=True)


def wait_until(condition: Callable[[], Any], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.mark.parametrize("kind", ["hang", "execute_then_hang"])
def test_a_worker_killed_between_the_claim_and_the_answer_leaves_the_order_in_doubt(
    kind: str, start_panel: Callable[..., Panel]
) -> None:
    panel = start_panel("v2")
    provider = provider_at(panel, "v2")
    order = buy(customer(), Service.objects.filter(service_type="default")[0])
    panel.fault("add", kind, seconds=60)

    worker = manage("run_due", "submit")
    wait_until(lambda: panel.received("add"))
    worker.kill()
    worker.wait()

    order.refresh_from_db()
    assert (order.status, Placement.objects.get().state) == ("submitting", "submitting")
    # Nothing takes it while its lease runs, and when it has run out, it is a doubt.
    Turn.objects.all().delete()
    submission.submit_due(Provider.objects.get(pk=provider.pk), is_now=True)
    Placement.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    submission.expire_leases()
    submission.submit_due(Provider.objects.get(pk=provider.pk), is_now=True)

    order.refresh_from_db()
    assert (order.status, order.refunded) == ("in_doubt", 0)
    assert len(panel.received("add")) == 1
    assert len(panel.orders) == (1 if kind == "execute_then_hang" else 0)
    assert list(audit.findings()) == []


def test_a_worker_killed_at_any_moment_buys_nothing_twice_and_loses_nothing(start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("v2", latency=0.05)
    provider = provider_at(panel, "v2")
    user, service = customer(), Service.objects.filter(service_type="default")[0]
    # Each of another quantity: with the search on, those like one of unknown outcome would wait for a while.
    orders = [
        buy(user, service, link=f"https://x.example.com/p/{number}", quantity=str(100 + number)) for number in range(40)
    ]

    for round_number in range(4):
        worker = manage("run_due", "submit", "--now", SUBMIT_PARALLEL="4")
        seen = len(panel.received("add"))
        wait_until(lambda seen=seen: len(panel.received("add")) > seen + 2)  # type: ignore[misc]
        time.sleep(0.013 * round_number)
        worker.kill()
        worker.wait()
        Turn.objects.all().delete()
    Placement.objects.filter(state="submitting").update(lease_until=timezone.now() - timedelta(seconds=1))
    submission.expire_leases()
    submission.submit_due(Provider.objects.get(pk=provider.pk), is_now=True)

    links = [there.params["link"] for there in panel.orders.values()]
    assert len(links) == len(set(links)), "an order was bought twice"
    states = dict(Order.objects.values_list("link", "status"))
    assert set(states.values()) <= {"pending", "in_doubt"}
    known = set(Placement.objects.filter(state="accepted").values_list("order__link", flat=True))
    doubtful = {link for link, status in states.items() if status == "in_doubt"}
    assert set(links) <= known | doubtful, "the panel has an order that we know nothing of"
    assert len(states) == len(orders)
    assert list(audit.findings()) == []
    connection.close()
