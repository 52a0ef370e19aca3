"""What payments tell promotions, through PAYMENT_CREDIT_LISTENERS and PAYMENT_REVERSAL_LISTENERS.

A mistake in a promotion must not keep a customer's payment from being credited, so each part runs in a savepoint and
its errors are logged. An error of the connection is raised: the gateway then repeats its webhook, and nothing is lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import InterfaceError, OperationalError, transaction

from storefront.promotions import coupons, granting, payment_bonuses

logger = logging.getLogger("vitrine.promotions")


def payment_credited(payment: Any, *, amount: Decimal) -> None:
    """Give the bonuses of a payment of which ``amount`` was just credited.

    A payment that arrives in parts gets each bonus once, as soon as the sum of its parts is large enough.
    """
    if amount < payment.credited_amount:
        _carry_out(granting.note_later_part, payment, amount=amount)
    _carry_out(payment_bonuses.give, payment)
    if payment.coupon_code:
        _carry_out(coupons.use, payment)


def payment_reversed(payment: Any, *, amount: Decimal) -> None:
    """Take back bonuses after ``amount`` of a credited payment was refunded or charged back."""
    _carry_out(granting.take_back, payment, amount=amount)


def _carry_out(act: Callable[..., Any], payment: Any, **facts: Any) -> None:
    try:
        with transaction.atomic():
            act(payment, **facts)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("%s failed for payment %s", act.__module__, payment.reference)
