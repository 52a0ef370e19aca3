"""End payments that were not paid in time.

A gateway that supports queries is asked first, outside of any transaction.
"""

from __future__ import annotations

import logging

from django.utils import timezone

from storefront.payments import crediting, gateways
from storefront.payments.gateway import Gateway, GatewayError
from storefront.payments.models import Payment

logger = logging.getLogger("vitrine.payments")
#: Maximum number of payments per gateway in one run; the next run handles the rest.
BATCH = 200


def expire_due() -> int:
    """End payments that have been open for longer than their gateway allows.

    Returns:
        The number of payments that ended unpaid.
    """
    return sum(_expire(gateway) for gateway in gateways.GATEWAYS.values())


def _expire(gateway: Gateway) -> int:
    before = timezone.now() - gateway.expires_after
    due = Payment.objects.open().filter(gateway=gateway.name, created_at__lt=before, is_in_review=False)
    count = 0
    for payment in due.order_by("created_at")[:BATCH]:
        try:
            report = gateway.query(payment) if gateway.is_ready() else None
        except GatewayError as problem:
            logger.warning("The status of payment %s could not be queried at %s: %s", payment.pk, gateway.name, problem)
            continue
        if report is not None:
            crediting.report_paid(gateway, report=report)
        count += crediting.expire(payment).status == "expired"
    return count
