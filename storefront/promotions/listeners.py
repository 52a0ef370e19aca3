"""Listeners for payments and new accounts, named in the settings that end in LISTENERS.

A mistake in a promotion must not keep a payment from being credited or an account from opening, so each
part runs in a savepoint and its errors are logged. An error of the connection is raised: the request is then
repeated, and nothing is lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import InterfaceError, OperationalError, transaction

from storefront.promotions import affiliates, coupons, granting, payment_bonuses, referral_links, welcome

logger = logging.getLogger("vitrine.promotions")


def payment_credited(payment: Any, *, amount: Decimal) -> None:
    """Give the bonuses of a payment of which ``amount`` was just credited.

    A payment that arrives in parts gets each bonus once, as soon as the sum of its parts is large enough.
    """
    if amount < payment.credited_amount:
        _carry_out(granting.note_later_part, payment, amount=amount)
    # Most payments get nothing: one query each finds that out without a savepoint.
    if payment_bonuses.reachable(payment).exists():
        _carry_out(payment_bonuses.give, payment)
    if payment.coupon_code:
        _carry_out(coupons.use, payment)
    if affiliates.is_referred(payment.user_id):
        _carry_out(affiliates.earn, payment)


def payment_reversed(payment: Any, *, amount: Decimal) -> None:
    """Take back bonuses after ``amount`` of a credited payment was refunded or charged back.

    A negative amount undoes that: a dispute was won, or a refund failed.
    """
    _carry_out(granting.follow_reversal, payment, amount=amount)
    _carry_out(affiliates.follow_reversal, payment, amount=amount)


def signed_up(user: Any, *, request: Any) -> None:
    """Note which affiliate's link brought a customer who is signing up."""
    if code := referral_links.code_of(request):
        _carry_out(affiliates.refer, user, code=code, request=request)


def email_confirmed(user: Any) -> None:
    """Give the welcome credit to a customer who has confirmed an email address for the first time."""
    _carry_out(welcome.give, user)


def _carry_out(act: Callable[..., Any], subject: Any, **facts: Any) -> None:
    """Call ``act`` for a payment or a customer in a savepoint."""
    try:
        with transaction.atomic():
            act(subject, **facts)
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # whatever is wrong with a promotion, the payment has to be credited
        logger.exception("%s failed for %s %s", act.__module__, subject._meta.label_lower, subject.pk)
