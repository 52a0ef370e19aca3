"""A worker that is stopped beyond its lease sends nothing when it continues, even if clocks differ."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from orders.events import ShopEvent, Topic
from orders.ledger import audit
from orders.lifecycle import customer_requests
from orders.models import Cancellation, Order, Refill, Service
from providers.models import Placement, Provider, UpstreamRequest
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.reconciling import decisions
from providers.tracking import status_sync, upstream_requests
from providers.worker.leases import database_now
from providers.worker.models import Turn
from storefront.mail import sending as mail
from storefront.mail.models import Email
from storefront.webhooks import endpoints, outbox
from storefront.webhooks import sending as webhooks
from storefront.webhooks.models import Delivery
from tests.journeys.test_kill import wait_until
from tests.processes import python, run_manage
from tests.providers.conftest import buy, customer, provider_at
from tests.storefront.mail import writing
from tests.storefront.mail.mail_server import MailServer
from tests.storefront.webhooks.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)
#: A claim has to be sent within two seconds: whoever is stopped for longer must not send.
SHORT = {"LEASE_GRACE": "2", "EMAIL_TIMEOUT": "1"}


def state_of(process: subprocess.Popen[str]) -> str:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]


@contextmanager
def stopped_process(calls: int, *command: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that has claimed work for ``calls`` calls and was stopped before it sent anything."""
    process = python("-m", "tests.journeys.stopping", str(calls), *command, **{**SHORT, **environ})
    try:
        wait_until(lambda: state_of(process) in "TZ", 60)
        assert process.poll() is None, process.communicate()
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def let_leases_end(seconds: float = 2.2) -> None:
    """So long that the stopped process must notice; the rest of its leases is taken off in the database."""
    time.sleep(seconds)
    past = database_now() - timedelta(seconds=1)
    for model in (Placement, UpstreamRequest):
        model.objects.filter(state="submitting").update(lease_until=past)
    for table in (Delivery, Email):
        table.objects.filter(lease_until__isnull=False).update(lease_until=past, due_at=past)
    Turn.objects.update(until=past)
    connection.close()


def resume(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    return out


def buy_distinct(count: int, service: Service) -> list[Order]:
    """Buy orders with distinct quantities, so that none is mistaken for another."""
    user = customer()
    return [
        buy(user, service, link=f"https://x.example.com/p/{number}", quantity=str(100 + number))
        for number in range(count)
    ]


@pytest.mark.parametrize("is_decided", [True, False])
def test_orders_that_were_decided_while_their_worker_was_stopped_are_bought_once(
    is_decided: bool, start_panel: Callable[..., Panel]
) -> None:
    """Decided as not placed and sent again by another process; or still undecided when the worker goes on."""
    panel = start_panel("v2")
    provider_at(panel, "v2")
    orders = buy_distinct(32, Service.objects.filter(service_type="default")[0])
    with stopped_process(8, "run_due", "submit") as worker:
        claimed = list(Placement.objects.filter(state="submitting").values_list("pk", "order__link"))
        # On a busy machine it stops before it has recorded the answers of earlier calls.
        answered = {there.params["link"]: number for number, there in panel.orders.items()}
        unsent = [pk for pk, link in claimed if link not in answered]
        assert len(unsent) >= 8
        let_leases_end()
        assert submission.expire_leases() == len(claimed)
        if is_decided:
            for placement in Placement.objects.filter(state="in_doubt").select_related("order"):
                if placement.pk in unsent:
                    decisions.release(placement, send_again=True, why="not there")
                else:
                    decisions.attach(placement, upstream_id=answered[placement.order.link])
            placed = run_manage("run_due", "submit", "--now")
            assert placed.returncode == 0, placed.stderr
            assert len(panel.orders) == 32
        resume(worker)

    states = Placement.objects.filter(pk__in=unsent).values_list("state", flat=True)
    assert set(states) == {"not_sent"}, "decided, or proven by the worker itself"
    assert run_manage("run_due", "submit", "--now").returncode == 0
    assert len(panel.received("add")) == len(panel.orders) == 32
    links = [there.params["link"] for there in panel.orders.values()]
    assert sorted(links) == sorted(order.link for order in orders)
    assert set(Order.objects.values_list("status", flat=True)) == {"pending"}
    provider = Provider.objects.get()
    assert (provider.failures, provider.is_paused) == (0, False), "the panel is not to blame"
    assert list(audit.findings()) == []


@pytest.mark.parametrize("verb", ["refill", "cancel"])
def test_a_request_that_was_sent_again_while_its_worker_was_stopped_is_sent_once(
    verb: str, start_panel: Callable[..., Panel]
) -> None:
    panel = start_panel("v2")
    provider = provider_at(panel, "v2")
    Service.objects.update(has_refill=True, has_cancel=True)
    order = buy_distinct(1, Service.objects.filter(service_type="default")[0])[0]
    assert run_manage("run_due", "submit").returncode == 0
    request: Refill | Cancellation
    if verb == "refill":
        panel.report(next(iter(panel.orders)), "Completed")
        status_sync.sync_statuses(provider, is_now=True)
        order.refresh_from_db()
        request = customer_requests.request_refill(order)
    else:
        order.refresh_from_db()
        request = customer_requests.request_cancellation(order)

    with stopped_process(1, "tests.journeys.test_stopped.run_requests") as worker:
        assert UpstreamRequest.objects.get().state == "submitting"
        let_leases_end()
        upstream_requests.triage()
        upstream_requests.send_again(request, actor=None)
        assert upstream_requests.run(Provider.objects.get()) == {f"{verb}_accepted": 1}
        resume(worker)

    assert len(panel.received(verb)) == 1
    assert list(UpstreamRequest.objects.order_by("pk").values_list("state", flat=True)) == ["closed", "accepted"]


def run_requests() -> Any:
    """Run in the process that is stopped."""
    return upstream_requests.run(Provider.objects.get())


def test_webhooks_that_another_worker_sent_meanwhile_arrive_once(settings: Any) -> None:
    settings.ALLOW_PRIVATE_WEBHOOKS = True
    user = customer()
    with Receiver() as receiver:
        endpoints.add(user, url=receiver.url, has_balance=True)
        for number in range(2):
            outbox.record([ShopEvent(topic=Topic.LOW_BALANCE, user_id=user.pk, data={"balance": str(number)})])
        with stopped_process(2, "storefront.webhooks.sending.deliver_due") as worker:
            let_leases_end()
            assert webhooks.deliver_due() == {"delivered": 2}
            assert resume(worker).strip() == "{'late': 2}"
        assert len(receiver.received) == 2
    assert Delivery.objects.filter(delivered_at=None).count() == 0


def test_an_email_that_another_worker_sent_meanwhile_arrives_once(settings: Any) -> None:
    user = customer("nadia@example.com")
    server = MailServer()
    settings.EMAIL_BACKEND = "storefront.mail.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    try:
        writing.approve_payment(user)
        address = f"smtp://127.0.0.1:{server.port}"
        with stopped_process(1, "storefront.mail.sending.deliver_due", EMAIL_URL=address) as worker:
            let_leases_end(mail.STEPS_BEFORE * float(SHORT["EMAIL_TIMEOUT"]) + 0.2)
            assert mail.deliver_due() == {"sent": 1}
            assert resume(worker).strip() == "{'late': 1}"
        assert len(server.emails) == 1
    finally:
        server.shutdown()
        server.server_close()
    assert Email.objects.get().sent_at is not None


@pytest.mark.parametrize("skew", [-120, 120])
def test_machines_whose_clocks_differ_share_a_panels_limit(skew: int, start_panel: Callable[..., Panel]) -> None:
    """Two minutes of difference gave both a turn: twice as many calls at once as the panel allows."""
    panel = start_panel("v2", latency=0.3)
    provider = provider_at(panel, "v2")
    Provider.objects.update(parallel=4)
    buy_distinct(24, Service.objects.filter(service_type="default")[0])
    panel.peak_parallel = 0

    first = python("-m", "tests.journeys.stopping", "0", "run_due", "submit", "--now")
    wait_until(lambda: panel.received("add"))
    others = 0
    while first.poll() is None:
        other = python("-m", "tests.journeys.stopping", "0", "run_due", "submit", "--now", CLOCK_SKEW=str(skew))
        out, err = other.communicate(timeout=60)
        assert other.returncode == 0, out + err
        assert not json.loads(out.splitlines()[-1])["submit"].get("in_doubt"), "it ended a lease that still ran"
        others += 1
    first.communicate()

    assert others
    assert panel.peak_parallel <= 4
    assert len(panel.received("add")) == len(panel.orders) == 24
    assert set(Order.objects.values_list("status", flat=True)) == {"pending"}
    assert not Provider.objects.exclude(pk=provider.pk).exists()


def test_a_process_that_is_stopped_for_less_than_its_grace_goes_on(start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("v2")
    provider_at(panel, "v2")
    buy_distinct(8, Service.objects.filter(service_type="default")[0])
    with stopped_process(4, "run_due", "submit", LEASE_GRACE="30") as worker:
        time.sleep(0.5)
        assert '"accepted": 8' in resume(worker)
    assert len(panel.orders) == 8
