"""Background tasks of emails for django-q2, and their schedules. The queue itself is the outbox table."""

from __future__ import annotations

from providers.worker.outbox import LINGER
from providers.worker.queue import enqueue_once
from providers.worker.schedules import Schedule
from storefront.mail import notifications, retention, sending

SCHEDULES = (
    Schedule("mail", "storefront.mail.tasks.deliver", minutes=1),
    Schedule("mail clean up", "storefront.mail.tasks.prune", minutes=1440),
)


def deliver() -> None:
    """Write due notifications and send due emails.

    An email committed within a second of the last wake-up does not cause one of its own, so the pass lingers a little
    longer than that.
    """
    notifications.gather()
    if sending.deliver_due(linger=LINGER)["sent"] and sending.is_any_due():
        enqueue_once("storefront.mail.tasks.deliver")


def prune() -> None:
    retention.prune()
