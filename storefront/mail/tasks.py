"""django-q2 entry points of the letters, and their schedules. The outbox is the queue; these only look at it."""

from __future__ import annotations

from providers.schedules import Schedule
from providers.worker.queue import enqueue_once
from storefront.mail import history, news, outbox, sending

SCHEDULES = (
    Schedule("mail", "storefront.mail.tasks.deliver", minutes=1),
    Schedule("mail clean up", "storefront.mail.tasks.prune", minutes=1440),
)


def deliver() -> None:
    """What was committed within a second of the last wake-up call had none of its own: this looks a little longer."""
    news.gather()
    if sending.deliver_due(linger=outbox.WAKE_SECONDS + 0.5)["sent"] and sending.is_any_due():
        enqueue_once("storefront.mail.tasks.deliver")


def prune() -> None:
    history.prune()
