"""Ends what nobody paid. A gateway that can be asked is asked first, outside of any transaction."""

from __future__ import annotations

import logging

from django.utils import timezone

from storefront.topups import crediting, gateways
from storefront.topups.gateway import Gateway, GatewayError
from storefront.topups.models import TopUp

logger = logging.getLogger("vitrine.topups")
#: In one run; the rest is due in the next one.
BATCH = 200


def expire_due() -> int:
    """Looks at what has been open for longer than its gateway waits; returns how many ended unpaid."""
    return sum(_expire(gateway) for gateway in gateways.GATEWAYS.values())


def _expire(gateway: Gateway) -> int:
    before = timezone.now() - gateway.expires_after
    due = TopUp.objects.open().filter(gateway=gateway.name, created_at__lt=before, is_in_review=False)
    count = 0
    for topup in due.order_by("created_at")[:BATCH]:
        try:
            payment = gateway.query(topup) if gateway.is_ready() else None
        except GatewayError as problem:
            logger.warning("Top-up %s cannot be asked about at %s: %s", topup.pk, gateway.name, problem)
            continue
        if payment is not None:
            crediting.reported(gateway, payment=payment)
        count += crediting.expired(topup).status == "expired"
    return count
