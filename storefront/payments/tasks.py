"""Background tasks of payments for django-q2, and their schedules."""

from __future__ import annotations

from providers.worker.schedules import Schedule
from storefront.payments import expiry, refunding

SCHEDULES = (
    Schedule("unpaid payments", "storefront.payments.tasks.expire_due", minutes=60),
    Schedule("open payments", "storefront.payments.tasks.query_due", minutes=1),
    Schedule("refunds of payments", "storefront.payments.tasks.send_refunds", minutes=1),
)


def expire_due() -> None:
    expiry.expire_due()


def query_due() -> None:
    expiry.query_due()


def send_refunds() -> None:
    refunding.send_due()
