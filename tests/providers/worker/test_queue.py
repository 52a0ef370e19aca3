"""A task that waits in the queue is not queued again, and a lost one blocks nothing, with both brokers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from django.db import connection, transaction
from django.utils import timezone
from django_q.brokers import Broker
from django_q.brokers.orm import ORM
from django_q.brokers.redis_broker import Redis
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from providers import tasks
from providers.models import Provider
from providers.worker import queue
from providers.worker.models import QueuedTask
from providers.worker.queue import enqueue_once
from tests.redis_server import redis_url

pytestmark = pytest.mark.django_db(transaction=True)
TASK = "providers.tasks.submit_due"


@pytest.fixture(scope="module")
def redis_address() -> Iterator[str]:
    with redis_url() as url:
        yield url


@pytest.fixture(params=["orm", "redis"])
def broker(request: pytest.FixtureRequest, redis_address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """An empty queue of this test's own; the default of the process as well."""
    key = f"vitrine-test-{os.getpid()}"
    if request.param == "orm":
        made: Broker = ORM(list_key=key)
    else:
        monkeypatch.setattr(Redis, "get_connection", staticmethod(lambda list_key=None: redis.from_url(redis_address)))
        made = Redis(list_key=key)
    monkeypatch.setattr(queue, "get_broker", lambda: made)
    made.delete_queue()
    yield made
    made.delete_queue()


def waiting(broker: Broker) -> list[tuple[str, tuple[Any, ...]]]:
    if isinstance(broker, Redis):
        packages = broker.connection.lrange(broker.list_key, 0, -1)
    else:
        packages = OrmQ.objects.filter(key=broker.list_key, lock__lte=timezone.now()).values_list("payload", flat=True)
    return [(task["func"], task["args"]) for task in map(SignedPackage.loads, packages)]


def test_task_that_waits_is_not_put_into_the_queue_again(broker: Broker) -> None:
    assert [enqueue_once(TASK, 1) for _ in range(3)] == [True, False, False]
    assert enqueue_once(TASK, 2)
    assert enqueue_once("providers.tasks.tick")
    assert waiting(broker) == [(TASK, (1,)), (TASK, (2,)), ("providers.tasks.tick", ())]


def test_task_that_a_cluster_has_taken_is_put_into_the_queue_again(broker: Broker) -> None:
    """It may have looked at the table before the new work was there."""
    enqueue_once(TASK, 1)
    assert broker.dequeue()
    assert waiting(broker) == []
    assert enqueue_once(TASK, 1)
    assert not enqueue_once(TASK, 1)
    assert waiting(broker) == [(TASK, (1,))]


def test_task_that_was_done_is_put_into_the_queue_again(broker: Broker) -> None:
    for _ in range(3):
        assert enqueue_once(TASK, 1)
        ((number, _package),) = broker.dequeue()
        broker.acknowledge(number)


def test_lost_message_blocks_nothing(broker: Broker) -> None:
    """A flushed Redis, a purged queue."""
    enqueue_once(TASK, 1)
    broker.purge_queue()
    assert enqueue_once(TASK, 1)
    assert waiting(broker) == [(TASK, (1,))]


def test_broker_that_fails_leaves_no_trace(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(package: str) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(broker, "enqueue", fail)
        with pytest.raises(ConnectionError):
            enqueue_once(TASK, 1)
    assert enqueue_once(TASK, 1)


def test_rolled_back_transaction_does_not_swallow_the_next_call(broker: Broker) -> None:
    with transaction.atomic():
        enqueue_once(TASK, 1)
        transaction.set_rollback(True)
    enqueue_once(TASK, 1)
    assert (TASK, (1,)) in waiting(broker)


def test_many_processes_put_one_task_into_the_queue(broker: Broker) -> None:
    def enqueue(_: int) -> bool:
        try:
            return enqueue_once(TASK, 1)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(enqueue, range(24)))
    assert results.count(True) == 1
    assert waiting(broker) == [(TASK, (1,))]


def test_ticks_of_a_standstill_leave_one_task_for_each_provider(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten minutes of ticks while the cluster did nothing once left 767 tasks, with search and email behind them."""
    found = [1, 2, 3]
    monkeypatch.setattr("providers.placing.routing.providers_to_submit", lambda: found)
    monkeypatch.setattr("providers.tracking.status_sync.providers_to_sync", lambda: found)
    monkeypatch.setattr("providers.reconciling.id_search.providers_to_search", lambda: found[:1])
    monkeypatch.setattr("providers.tracking.upstream_requests.triage", lambda: found)
    for _ in range(120):
        tasks.tick()
    kinds = [("submit_due", 3), ("sync_statuses", 3), ("search", 1), ("run_requests", 3)]
    expected = [(f"providers.tasks.{kind}", (number,)) for kind, count in kinds for number in found[:count]]
    assert waiting(broker) == expected
    assert QueuedTask.objects.count() == len(expected)


def test_price_lists_are_read_once_however_often_it_is_asked(broker: Broker) -> None:
    provider = Provider.objects.create(
        name="p", url="https://p.example/api/v2", dialect_name="v2", is_search_allowed=True
    )
    for _ in range(3):
        tasks.import_due()
        tasks.check_search_due()
        tasks.recheck_not_placed_due()
    names = ["import_offers", "check_search", "recheck_not_placed"]
    assert waiting(broker) == [(f"providers.tasks.{name}", (provider.pk,)) for name in names]
