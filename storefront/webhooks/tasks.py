"""Background tasks of webhooks for django-q2, and their schedules. The queue itself is the table of deliveries."""

from __future__ import annotations

from providers.worker.outbox import LINGER
from providers.worker.queue import enqueue_once
from providers.worker.schedules import Schedule
from storefront.webhooks import retention, sending

SCHEDULES = (
    Schedule("webhooks", "storefront.webhooks.tasks.deliver", minutes=1),
    Schedule("webhooks clean up", "storefront.webhooks.tasks.prune", minutes=1440),
)


def deliver() -> None:
    """Send due deliveries.

    A delivery committed within a second of the last wake-up does not cause one of its own, so the pass lingers a little
    longer than that.
    """
    if sending.deliver_due(linger=LINGER) and sending.is_any_due():
        enqueue_once("storefront.webhooks.tasks.deliver")


def prune() -> None:
    retention.prune()
