"""django-q2 entry points of callbacks, and their schedules. The delivery table is the queue; these only look at it."""

from __future__ import annotations

from providers.worker.queue import enqueue_once
from providers.worker.schedules import Schedule
from storefront.webhooks import outbox, retention, sending

SCHEDULES = (
    Schedule("webhooks", "storefront.webhooks.tasks.deliver", minutes=1),
    Schedule("webhooks clean up", "storefront.webhooks.tasks.prune", minutes=1440),
)


def deliver() -> None:
    """What was committed within a second of the last wake-up call had none of its own: this looks a little longer."""
    if sending.deliver_due(linger=outbox.WAKE_SECONDS + 0.5) and sending.is_any_due():
        enqueue_once("storefront.webhooks.tasks.deliver")


def prune() -> None:
    retention.prune()
