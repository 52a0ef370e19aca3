"""Wake-ups and schedules: the table is the queue, so a lost wake-up loses no delivery."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction
from django_q.models import OrmQ
from django_q.models import Schedule as Row

from orders.lifecycle import fulfillment
from orders.models import Order
from orders.rules.state_machine import Progress, Status
from providers.worker.schedules import declared, sync_schedules
from storefront.accounts.models import User
from storefront.webhooks import tasks
from storefront.webhooks.models import Delivery, Endpoint
from tests import factories
from tests.processes import python
from tests.storefront.webhooks.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)
Listen = Callable[..., Endpoint]
#: Says that it is ready, waits, changes an order, and dies after the commit, before anything that was to follow it.
DIES = """
import os, sys, time, django
django.setup()
from django.db import connection, transaction
from orders.lifecycle import fulfillment
from orders.rules.state_machine import Progress, Status
connection.ensure_connection()
print("ready", flush=True)
time.sleep(float(sys.argv[2]))
with transaction.atomic():
    transaction.on_commit(lambda: os._exit(9))
    fulfillment.apply_progress(int(sys.argv[1]), progress=Progress(status=Status.COMPLETED))
"""


def completed_order(user: User) -> Order:
    order = factories.order(user, status="pending")
    fulfillment.apply_progress(order.pk, progress=Progress(status=Status.COMPLETED))
    return order


def test_schedule_delivers_events_whose_wake_up_was_lost(nadia: User, listen: Listen, receiver: Receiver) -> None:
    listen(nadia, receiver.url)
    order = factories.order(nadia, status="pending")
    process = python("-c", DIES, str(order.pk), "0", DJANGO_SETTINGS_MODULE="storefront.settings")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 9, out + err
    assert Delivery.objects.get().delivered_at is None
    assert not OrmQ.objects.exists()
    (schedule,) = [found for found in declared() if found.name == "webhooks"]
    assert schedule.func == "storefront.webhooks.tasks.deliver"
    tasks.deliver()
    assert [event["data"]["order"] for event in receiver.events] == [order.pk]


def test_wake_ups_happen_after_commit_and_at_most_once_per_second(nadia: User, listen: Listen) -> None:
    listen(nadia)
    with transaction.atomic():
        completed_order(nadia)
        assert not OrmQ.objects.exists()
    completed_order(nadia)
    assert [queued.func() for queued in OrmQ.objects.all()] == ["storefront.webhooks.tasks.deliver"]


def test_change_without_endpoints_does_not_wake(nadia: User) -> None:
    completed_order(nadia)
    assert not OrmQ.objects.exists()


def test_event_within_a_second_of_a_wake_up_is_sent_by_the_same_pass(
    nadia: User, listen: Listen, receiver: Receiver
) -> None:
    """Such an event does not wake another pass, so the running pass lingers for longer than a second."""
    listen(nadia, receiver.url)
    completed_order(nadia)
    order = factories.order(nadia, status="pending")
    process = python("-c", DIES, str(order.pk), "0.6", DJANGO_SETTINGS_MODULE="storefront.settings")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    tasks.deliver()
    process.communicate(timeout=60)
    assert receiver.events[-1]["data"]["order"] == order.pk
    assert len(receiver.events) == 2


def test_schedules_of_all_applications_are_stored() -> None:
    sync_schedules(declared())
    names = set(Row.objects.values_list("name", flat=True))
    assert {"tick", "clean up", "webhooks", "webhooks clean up"} <= names
