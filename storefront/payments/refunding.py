"""Send the refunds that staff requested to the gateways, in three steps: claim, call, record.

A refund whose outcome is unknown is never sent again by itself: some gateways refund once more if they are asked again.
Staff find out at the gateway what happened and say so.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.utils import timezone

from storefront.payments import gateways, reversing, starting
from storefront.payments.gateway import GatewayError, GatewayRejected, RefundResult, RefundState
from storefront.payments.models import PaymentRefund, RefundStatus

logger = logging.getLogger("vitrine.payments")
#: Seconds after which a run sends no further refund.
BUDGET = 40.0
#: A refund that is being sent for longer was interrupted, so its outcome is unknown.
INTERRUPTED_AFTER = timedelta(minutes=5)


def send_due(*, budget: float = BUDGET) -> int:
    """Send the requested refunds, the oldest first.

    Returns:
        The number of refunds that the gateways accepted.
    """
    for stuck in PaymentRefund.objects.filter(
        status=RefundStatus.SENDING, sent_at__lt=timezone.now() - INTERRUPTED_AFTER
    ):
        reversing.end_refund(stuck, status=RefundStatus.UNKNOWN, problem="interrupted")
    until, accepted = time.monotonic() + budget, 0
    for refund in PaymentRefund.objects.filter(status=RefundStatus.REQUESTED).order_by("pk")[:200]:
        if time.monotonic() > until:
            break
        claimed = reversing.claim_refund(refund)
        accepted += claimed is not None and _send(claimed)
    return accepted


def _send(refund: PaymentRefund) -> bool:
    payment = refund.payment
    try:
        result = _call(refund)
    except GatewayRejected as problem:
        reversing.end_refund(refund, status=RefundStatus.FAILED, problem=str(problem))
        return False
    except Exception as problem:
        # Whatever went wrong, the gateway may have refunded.
        logger.warning("The outcome of refund %s of payment %s is unknown: %s", refund.pk, payment.pk, problem)
        text = str(problem) if isinstance(problem, GatewayError) else type(problem).__name__
        reversing.end_refund(refund, status=RefundStatus.UNKNOWN, problem=text)
        return False
    status = RefundStatus.DONE if result.state is RefundState.DONE else RefundStatus.PENDING
    reversing.end_refund(refund, status=status, refund_id=result.refund_id)
    return True


def _call(refund: PaymentRefund) -> RefundResult:
    payment = refund.payment
    if payment.method is None or not gateways.is_usable(payment.method):
        raise GatewayRejected("the payment method no longer exists")
    gateway = gateways.of(payment.method)
    key = f"{payment.reference}-refund-{refund.pk}"
    return gateway.refund(starting.details(payment), amount=refund.pay_amount, key=key)
