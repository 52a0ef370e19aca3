"""A worker that is killed with SIGKILL between two runs of a drip-feed order: no run is lost or placed twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from orders.ledger import audit
from orders.models import Service
from orders.rules import charges
from providers.models import Placement, Provider
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.reconciling import decisions
from providers.tracking import status_sync
from providers.worker.models import Turn
from tests.journeys.test_kill import wait_until
from tests.processes import manage, run_manage
from tests.providers.conftest import buy, customer, provider_at

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("kind", ["hang", "execute_then_hang"])
def test_a_worker_killed_between_two_runs_neither_loses_nor_repeats_one(
    kind: str, start_panel: Callable[..., Panel]
) -> None:
    panel = start_panel("tmsmm")
    provider = provider_at(panel, "tmsmm")
    Service.objects.update(has_dripfeed=True)
    order = buy(customer(), Service.objects.filter(service_type="default")[0], quantity="100", runs="3", interval="60")
    assert run_manage("run_due", "submit").returncode == 0

    panel.fault("add", kind, seconds=60)
    order.run_rows.filter(number=2).update(due_at=timezone.now())
    worker = manage("run_due", "submit")
    wait_until(lambda: len(panel.received("add")) == 2)
    worker.kill()
    worker.wait()
    assert [run.status for run in order.run_rows.order_by("number")] == ["pending", "submitting", "queued"]

    Turn.objects.all().delete()
    Placement.objects.filter(run=2).update(lease_until=timezone.now() - timedelta(seconds=1))
    submission.expire_leases()
    submission.submit_due(Provider.objects.get(pk=provider.pk), is_now=True)
    assert len(panel.received("add")) == 2, "what is in doubt is never sent again by itself"
    doubted = Placement.objects.get(state="in_doubt")
    if kind == "hang":
        decisions.release(doubted, send_again=False, why="not there")
    else:
        decisions.attach(doubted, upstream_id=list(panel.orders)[1])

    order.run_rows.filter(number=3).update(due_at=timezone.now())
    submission.submit_due(Provider.objects.get(pk=provider.pk))
    for upstream_id in panel.orders:
        panel.report(upstream_id, "Completed")
    status_sync.sync_statuses(Provider.objects.get(pk=provider.pk), is_now=True)
    order.refresh_from_db()
    missed = 100 if kind == "hang" else 0
    assert len(panel.orders) == 3 - missed // 100
    assert order.status == ("partial" if missed else "completed")
    assert order.refunded == charges.refund(order.charge, quantity=300, remains=missed)
    assert list(audit.findings()) == []
