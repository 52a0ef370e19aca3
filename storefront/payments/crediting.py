"""Store what gateways and staff decide about payments, and credit the wallet once. Nothing else writes payments.

The credit and the status are one transaction under the lock of the payment's row (then the wallet's), and the ledger
books a reference once. A replayed webhook, a double click or two operators at the same moment therefore make one
Transfer.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string

from orders.errors import InvalidAmount, OrdersError, OwnMoney
from orders.ledger import transfers
from orders.models import Account
from orders.rules import amounts
from storefront.payments.gateway import Gateway, GatewayReport, Next, ReportedState, Way
from storefront.payments.models import REPORTED, Payment, PaymentStatus, Proof
from storefront.web.plain_text import one_line

#: Characters of references. Those that are easily confused in print or speech are left out.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
#: Maximum number of unpaid payments per customer, and of proofs per payment.
OPEN_MAX, PROOFS_MAX = 20, 5
_REMARKS_MAX = 8000
#: For so long the same report credits once.
REPEATED_WITHIN = timedelta(minutes=10)


class PaymentError(OrdersError):
    """Base class of the errors of this module. Nothing was written when one is raised."""


class TooManyOpenPayments(PaymentError):
    """The customer has too many unpaid payments, or the payment has too many proofs."""


class AlreadyCredited(PaymentError):
    """The payment was credited before this decision."""


class AlreadyEnded(PaymentError):
    """The payment has ended, so this step is no longer possible."""


class ReasonNeeded(PaymentError):
    """The decision needs a reason: a refusal, or a credit of another amount than the requested one."""


def open_payment(user: Any, *, gateway: Gateway, way: Way, amount: Decimal, return_to: str = "") -> Payment:
    """Create the row of a payment, before the gateway is called.

    Args:
        return_to: A path of the shop to which the customer returns after paying.

    Raises:
        TooManyOpenPayments: The customer has ``OPEN_MAX`` unpaid payments.
    """
    if Payment.objects.of(user).open().filter(is_in_review=False)[:OPEN_MAX].count() >= OPEN_MAX:
        raise TooManyOpenPayments(f"there are already {OPEN_MAX} unpaid payments")
    return Payment.objects.create(
        user=user,
        gateway=gateway.name,
        method=way.method,
        label=str(way.label)[:100],
        amount=amount,
        currency=settings.STORE_CURRENCY,
        reference=new_reference(),
        return_to=return_to,
    )


def new_reference() -> str:
    """Return twelve random characters in groups of four.

    They carry 58 bits, so nobody can guess a reference, and they are short enough to copy by hand.
    """
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))


@transaction.atomic
def mark_started(payment: Payment, *, step: Next) -> Payment:
    """Store the next step after the gateway has accepted the payment.

    A webhook may have been faster: the number and the status that it stored are kept.
    """
    row = _locked(Q(pk=payment.pk))
    row.address = step.address
    row.upstream_id = row.upstream_id or one_line(step.upstream_id, 200)
    if row.status == PaymentStatus.STARTED and step.is_waiting:
        row.status = PaymentStatus.WAITING
    row.save(update_fields=["address", "upstream_id", "status"])
    return row


@transaction.atomic
def add_proof(payment: Payment, *, key: str, kind: str, size: int, comment: str = "") -> Proof:
    """Add a customer's proof, stored as ``key``, and put the payment up for review.

    Raises:
        AlreadyEnded: The payment has ended.
        TooManyOpenPayments: The payment has ``PROOFS_MAX`` proofs.
    """
    row = _locked(Q(pk=payment.pk))
    if not row.is_open:
        raise AlreadyEnded(f"it is {row.status}")
    if row.proofs.count() >= PROOFS_MAX:
        raise TooManyOpenPayments(f"there are {PROOFS_MAX} proofs already")
    row.status, row.is_in_review = PaymentStatus.WAITING, True
    row.save(update_fields=["status", "is_in_review"])
    return Proof.objects.create(payment=row, key=key, kind=kind, size=size, comment=one_line(comment, 1000))


@transaction.atomic
def report_paid(gateway: Gateway, *, report: GatewayReport) -> Payment | None:
    """Apply what ``gateway`` reports about a payment. A repeated report changes nothing.

    Returns:
        The payment after the report; None if there is no such payment.
    """
    wanted = Q(reference=report.reference) if report.reference else Q(upstream_id=report.upstream_id)
    if not (report.reference or report.upstream_id).isprintable() or not (report.reference or report.upstream_id):
        return None
    row = _locked_or_none(wanted & Q(gateway=gateway.name))
    if row is None or (report.said is ReportedState.PENDING and row.status != PaymentStatus.STARTED):
        return row
    if report.said is ReportedState.PAID:
        return _paid(row, report)
    if report.said is ReportedState.PENDING:
        row.status = PaymentStatus.WAITING
    elif row.is_open and not row.is_in_review:
        _end(row, PaymentStatus.REFUSED)
    row.save()
    return row


@transaction.atomic
def approve(payment: Payment, *, amount: Decimal, actor: Any, reason: str = "") -> Payment:
    """Credit ``amount``, which an operator has seen arrive.

    Args:
        reason: Shown to the customer. Required if the amount differs from the requested one, or if the payment was not
            up for review.

    Raises:
        AlreadyCredited, ReasonNeeded, InvalidAmount, OwnMoney.
    """
    row = _locked_for(payment, actor)
    if row.status == PaymentStatus.CREDITED:
        raise AlreadyCredited(row.reference)
    if amount <= 0:
        raise InvalidAmount("the amount must be above zero")
    if not reason and (amount != row.amount or not row.is_in_review):
        raise ReasonNeeded("a different amount needs a reason")
    row.actor, row.note, row.is_in_review = actor, one_line(reason, 500), False
    return _credit(row, amount)


@transaction.atomic
def refuse(payment: Payment, *, reason: str, actor: Any) -> Payment:
    """Refuse the payment. The customer sees ``reason``.

    Raises:
        AlreadyCredited, AlreadyEnded, ReasonNeeded, OwnMoney.
    """
    row = _locked_for(payment, actor)
    if row.status == PaymentStatus.CREDITED:
        raise AlreadyCredited(row.reference)
    if not row.is_open:
        raise AlreadyEnded(f"it is {row.status}")
    if not reason.strip():
        raise ReasonNeeded("a reason for the customer is required")
    row.actor, row.note, row.is_in_review = actor, one_line(reason, 500), False
    _end(row, PaymentStatus.REFUSED)
    row.save()
    return row


@transaction.atomic
def settle(payment: Payment, *, reason: str, actor: Any) -> Payment:
    """Close the review of a payment that has ended, for example after a second payment. No money is moved.

    Raises:
        AlreadyEnded: The payment is open or not up for review.
        OwnMoney: It is the operator's own payment.
    """
    row = _locked_for(payment, actor)
    if row.is_open or not row.is_in_review:
        raise AlreadyEnded("the payment is not in review")
    row.is_in_review = False
    _remark(row, f"review closed by {actor}: {one_line(reason, 500)}")
    row.save()
    return row


@transaction.atomic
def credit_reported(user: Any, *, amount: Decimal, method: str, memo: str, actor: Any) -> tuple[Payment, bool]:
    """Credit a payment that a program of the operator reports, for methods without a gateway in this shop.

    Such programs repeat a request whose answer was lost, and send nothing that identifies it. So the same amount with
    the same memo for the same customer is credited once in ``REPEATED_WITHIN``, also if both come at the same moment.

    Args:
        method: The name of the payment method that the customer sees.
        memo: For staff.

    Returns:
        The payment, and whether it is new.

    Raises:
        InvalidAmount: The amount is not above zero, or the wallet cannot hold it.
        OwnMoney: ``actor`` is the customer.
    """
    if actor.pk == user.pk:
        raise OwnMoney("nobody credits their own balance")
    if amount <= 0:
        raise InvalidAmount("the amount must be above zero")
    memo = one_line(memo, _REMARKS_MAX)
    # Of two requests at once, the second waits here and finds the payment of the first.
    Account.objects.select_for_update().get(pk=transfers.open_wallet(user).pk)
    since = timezone.now() - REPEATED_WITHIN
    of_program = Payment.objects.of(user).filter(gateway=REPORTED, amount=amount, remark=memo, created_at__gt=since)
    if earlier := of_program.order_by("pk").first():
        return earlier, False
    row = Payment.objects.create(
        user=user,
        gateway=REPORTED,
        label=one_line(method, 100),
        amount=amount,
        currency=settings.STORE_CURRENCY,
        reference=new_reference(),
        remark=memo,
        actor=actor,
    )
    return _credit(row, amount), True


@transaction.atomic
def expire(payment: Payment) -> Payment:
    """End a payment that was not paid in time. If it is paid later, the gateway's report credits it."""
    row = _locked(Q(pk=payment.pk))
    if row.is_open and not row.is_in_review:
        _end(row, PaymentStatus.EXPIRED)
        row.save()
    return row


# ------------------------------------------------------------------------------------------------ in the transaction


def _paid(row: Payment, report: GatewayReport) -> Payment:
    """Handle a proven payment: credit it if it is what was requested, otherwise leave it to staff.

    A replayed report changes nothing. A payment that an operator has decided is left to staff again.
    """
    line, notes_before = f"payment {one_line(report.upstream_id, 200)}: {_amount_text(report)}", row.remark
    if line in notes_before.splitlines() or (
        row.status == PaymentStatus.CREDITED and row.upstream_id == report.upstream_id
    ):
        return row
    _remark(row, line)
    is_as_requested = (report.amount, report.currency) == (row.amount, row.currency)
    if row.status == PaymentStatus.CREDITED or not is_as_requested or row.actor_id is not None:
        row.is_in_review = True
        if row.status != PaymentStatus.CREDITED:
            row.paid_amount, row.paid_currency = report.amount, one_line(report.currency, 12)
            row.upstream_id = one_line(report.upstream_id, 200)
            row.status, row.ended_at = PaymentStatus.WAITING, None
        row.save()
        return row
    row.upstream_id = one_line(report.upstream_id, 200) or row.upstream_id
    return _credit(row, report.amount)


def _credit(row: Payment, amount: Decimal) -> Payment:
    wallet = transfers.open_wallet(row.user)
    transfers.credit_payment(
        wallet, amount=amount, gateway=row.gateway, reference=row.reference, actor=row.actor, note=row.label[:255]
    )
    row.paid_amount, row.paid_currency = amount, row.currency
    _end(row, PaymentStatus.CREDITED)
    row.credited_at = row.ended_at
    row.save()
    _notify(settings.PAYMENT_CREDIT_LISTENERS, row)
    return row


def _notify(listeners: Sequence[str], payment: Payment, **facts: Any) -> None:
    """Call each listener with ``payment`` in the transaction of the change, so that both are stored or neither.

    Args:
        listeners: Dotted paths: the setting PAYMENT_CREDIT_LISTENERS, or PAYMENT_REVERSAL_LISTENERS with the fact
            ``amount``, the reversed part of the credited amount in the store currency. Call those after the reversal
            was booked and stored.
    """
    for path in listeners:
        import_string(path)(payment, **facts)


def _end(row: Payment, status: PaymentStatus) -> None:
    row.status, row.ended_at = status, timezone.now()


def _remark(row: Payment, line: str) -> None:
    row.remark = f"{row.remark}\n{line}".strip()[-_REMARKS_MAX:]


def _amount_text(report: GatewayReport) -> str:
    return f"{amounts.plain(report.amount)} {one_line(report.currency, 12)}"


def _locked_for(payment: Payment, actor: Any) -> Payment:
    """Return the locked payment for a decision of ``actor``.

    Raises:
        OwnMoney: Nobody may decide about their own payment.
    """
    row = _locked(Q(pk=payment.pk))
    if actor is not None and row.user_id == actor.pk:
        raise OwnMoney("nobody may decide about their own payment")
    return row


def _locked(which: Q) -> Payment:
    return Payment.objects.select_for_update(of=("self",)).select_related("user").get(which)


def _locked_or_none(which: Q) -> Payment | None:
    return Payment.objects.select_for_update(of=("self",)).select_related("user").filter(which).order_by("pk").first()
