"""The task queue: put a task there unless the same one is waiting already.

Tasks of this project look at a table for what is due, so a second copy in the queue adds nothing but delay for the
tasks behind it. django-q2 cannot tell what is in its queue: messages are signed and differ in their ids. So the last
message of each task is remembered, and the broker is asked whether it still holds that message. A message that was
lost, by a killed worker or a flushed Redis, is not there any more and holds up nothing.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django_q.brokers import Broker, get_broker
from django_q.brokers.redis_broker import Redis
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.tasks import async_task

from providers.worker.models import QueuedTask


class _Recorder:
    """A broker that remembers what it was given: ``async_task`` does not return it."""

    def __init__(self, broker: Broker) -> None:
        self.broker, self.list_key, self.message = broker, broker.list_key, ""

    def enqueue(self, package: str) -> Any:
        number = self.broker.enqueue(package)
        self.message = package if isinstance(self.broker, Redis) else str(number)
        return number


def enqueue_once(task: str, *args: Any, broker: Broker | None = None) -> bool:
    """Put ``task`` (a dotted path) into the queue with ``args``, unless the same is waiting there; return whether.

    A task that is running already is put there again: it may have looked before the work came.
    """
    if Conf.SYNC:  # for tests: runs at once, in this process
        async_task(task, *args)
        return True
    broker = broker or get_broker()
    name = f"{broker.list_key} {task}{args!r}"
    if _waits(broker, QueuedTask.objects.filter(name=name).first()):  # without a lock: so it is nearly always
        return False
    with transaction.atomic():
        QueuedTask.objects.bulk_create([QueuedTask(name=name)], ignore_conflicts=True)
        row = QueuedTask.objects.select_for_update().get(name=name)
        if _waits(broker, row):
            return False
        recorder = _Recorder(broker)
        # Successes are not kept: nobody reads them, and a failure is kept in any case.
        async_task(task, *args, broker=recorder, save=False)
        row.message = recorder.message
        row.save(update_fields=["message"])
    return True


def _waits(broker: Broker, row: QueuedTask | None) -> bool:
    """Return whether the message of ``row`` is in the queue and no cluster has taken it."""
    if row is None or not row.message:
        return False
    if isinstance(broker, Redis):
        position: int | None = broker.connection.lpos(broker.list_key, row.message)
        return position is not None
    return bool(OrmQ.objects.filter(pk=row.message, lock__lte=timezone.now()).exists())
