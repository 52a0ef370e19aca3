"""Background tasks of accounting for django-q2, and their schedules."""

from __future__ import annotations

from providers.worker.schedules import Schedule
from storefront.accounting import nightly_audit

SCHEDULES = (Schedule("ledger audit", "storefront.accounting.tasks.audit_ledger", minutes=1440),)


def audit_ledger() -> None:
    nightly_audit.run()
