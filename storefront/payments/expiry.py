"""Ask gateways about open payments, and end payments that were not paid in time."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.utils import timezone

from storefront.payments import crediting, gateways, receiving
from storefront.payments.gateway import GatewayError
from storefront.payments.models import Payment, PaymentStatus

logger = logging.getLogger("vitrine.payments")
#: Maximum number of payments that one run asks about, and the number read at once.
BATCH = 200
#: How long a payment outlives its time because its gateway does not answer.
PATIENCE = timedelta(days=7)
#: Seconds after which a run starts no further query.
BUDGET = 40.0


def query_due(*, budget: float = BUDGET) -> int:
    """Ask the gateways about open payments that are due, the longest overdue first.

    A gateway that does not answer is asked about one payment in a run, so that it does not hold up the others.

    Returns:
        The number of payments whose gateway answered.
    """
    until = time.monotonic() + budget
    due = Payment.objects.open().filter(query_at__lte=timezone.now(), method__isnull=False).select_related("method")
    answered, silent = 0, set[int | None]()
    for payment in due.order_by("query_at")[:BATCH]:
        if time.monotonic() > until:
            break
        # The next query is set first: a crash must not ask about the same payment again and again.
        crediting.postpone_query(payment, until=timezone.now() + receiving.query_interval(payment))
        if payment.method_id in silent:
            continue
        if _is_answered(payment):
            answered += 1
        else:
            silent.add(payment.method_id)
    return answered


def expire_due(*, budget: float = BUDGET) -> int:
    """End payments that have been open for longer than their gateway allows. A gateway is asked before.

    A payment whose gateway does not answer stays open for ``PATIENCE`` longer.

    Returns:
        The number of payments that ended unpaid.
    """
    until, now = time.monotonic() + budget, timezone.now()
    due = Payment.objects.open().filter(is_in_review=False, expires_at__lt=now).select_related("method")
    count, silent = 0, set[int | None]()
    for payment in due.order_by("expires_at").iterator(BATCH):
        if time.monotonic() > until:
            break
        if _can_query(payment) and payment.expires_at and payment.expires_at > now - PATIENCE:
            if payment.method_id in silent:
                continue
            if not _is_answered(payment):
                silent.add(payment.method_id)
                continue
        count += crediting.expire(payment).status == PaymentStatus.EXPIRED
    return count


def _can_query(payment: Payment) -> bool:
    method = payment.method
    return method is not None and gateways.is_usable(method) and gateways.of(method).can_query


def _is_answered(payment: Payment) -> bool:
    """Ask the gateway and apply its answer. Returns whether it answered."""
    try:
        receiving.query(payment)
    except GatewayError as problem:
        logger.warning("The state of payment %s could not be queried at %s: %s", payment.pk, payment.gateway, problem)
        return False
    return True
