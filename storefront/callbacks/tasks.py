"""django-q2 entry points of callbacks, and their schedules. The delivery table is the queue; these only look at it."""

from __future__ import annotations

from providers.schedules import Schedule
from providers.worker.queue import enqueue_once
from storefront.callbacks import history, outbox, sending

SCHEDULES = (
    Schedule("callbacks", "storefront.callbacks.tasks.deliver", minutes=1),
    Schedule("callbacks clean up", "storefront.callbacks.tasks.prune", minutes=1440),
)


def deliver() -> None:
    """What was committed within a second of the last wake-up call had none of its own: this looks a little longer."""
    if sending.deliver_due(linger=outbox.WAKE_SECONDS + 0.5) and sending.is_any_due():
        enqueue_once("storefront.callbacks.tasks.deliver")


def prune() -> None:
    history.prune()
