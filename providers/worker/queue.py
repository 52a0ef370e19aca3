"""The task queue: add a task unless the same one is already waiting.

The tasks of this project read from a table what is due, so a second copy in the queue only delays the tasks behind it.
django-q2 cannot say what is in its queue, because messages are signed and have different ids. So the last message of
each task is stored, and the broker is asked whether it still has that message. A message that was lost with a killed
worker or a flushed Redis is no longer there and blocks nothing.
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
    """A broker that stores the message it was given, because ``async_task`` does not return it."""

    def __init__(self, broker: Broker) -> None:
        self.broker, self.list_key, self.message = broker, broker.list_key, ""

    def enqueue(self, package: str) -> Any:
        number = self.broker.enqueue(package)
        self.message = package if isinstance(self.broker, Redis) else str(number)
        return number


def enqueue_once(task: str, *args: Any, broker: Broker | None = None) -> bool:
    """Add ``task`` (a dotted path) with ``args`` to the queue, unless the same task is waiting there.

    A task that is already running is added again, because it may have looked before the new work came.

    Returns:
        Whether the task was added.
    """
    if Conf.SYNC:  # tests run tasks at once, in this process
        async_task(task, *args)
        return True
    broker = broker or get_broker()
    name = f"{broker.list_key} {task}{args!r}"
    if _waits(broker, QueuedTask.objects.filter(name=name).first()):  # usually true, and needs no lock
        return False
    with transaction.atomic():
        QueuedTask.objects.bulk_create([QueuedTask(name=name)], ignore_conflicts=True)
        row = QueuedTask.objects.select_for_update().get(name=name)
        if _waits(broker, row):
            return False
        recorder = _Recorder(broker)
        # Successful results are not stored, because nobody reads them; failures are stored in any case.
        async_task(task, *args, broker=recorder, save=False)
        row.message = recorder.message
        row.save(update_fields=["message"])
    return True


def _waits(broker: Broker, row: QueuedTask | None) -> bool:
    """Return whether the message of ``row`` is in the queue and no cluster has taken it yet."""
    if row is None or not row.message:
        return False
    if isinstance(broker, Redis):
        position: int | None = broker.connection.lpos(broker.list_key, row.message)
        return position is not None
    return bool(OrmQ.objects.filter(pk=row.message, lock__lte=timezone.now()).exists())
