"""django-q2 entry points of the letters, and their schedules. The outbox is the queue; these only look at it."""

from __future__ import annotations

from providers.worker.queue import enqueue_once
from providers.worker.schedules import Schedule
from storefront.mail import notifications, outbox, retention, sending

SCHEDULES = (
    Schedule("mail", "storefront.mail.tasks.deliver", minutes=1),
    Schedule("mail clean up", "storefront.mail.tasks.prune", minutes=1440),
)


def deliver() -> None:
    """What was committed within a second of the last wake-up call had none of its own: this looks a little longer."""
    notifications.gather()
    if sending.deliver_due(linger=outbox.WAKE_SECONDS + 0.5)["sent"] and sending.is_any_due():
        enqueue_once("storefront.mail.tasks.deliver")


def prune() -> None:
    retention.prune()
