"""The only writer of top-ups. What gateways and staff say becomes a status here and, once, money in the wallet.

Credit and status are one transaction under the lock of the top-up's row (then the wallet's), and the ledger books a
reference once: a replayed webhook, a double click and two colleagues at the same moment make one Transfer.
"""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string

from orders.errors import InvalidAmount, OrdersError, OwnMoney
from orders.ledger import transfers
from orders.rules import amounts
from storefront.payments.gateway import Gateway, GatewayReport, Next, ReportedState, Way
from storefront.payments.models import Payment, PaymentStatus, Proof

#: Without signs that are taken for one another, on paper or by ear.
_SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
#: So many unpaid top-ups and so many proofs of one are enough for anybody.
OPEN_MAX, PROOFS_MAX = 20, 5
_REMARKS_MAX = 8000


class PaymentError(OrdersError):
    """Base of what this room refuses. Nothing was written when one is raised."""


class TooManyOpenPayments(PaymentError):
    """The customer has too many open top-ups, or this one too many proofs."""


class AlreadyCredited(PaymentError):
    """The money is in the wallet: whoever decides comes too late."""


class AlreadyEnded(PaymentError):
    """The top-up has ended meanwhile: this step is no longer open."""


class ReasonNeeded(PaymentError):
    """A decision that must be explained: a refusal, or a credit of another amount than was asked for."""


def open_payment(user: Any, *, gateway: Gateway, way: Way, amount: Decimal, return_to: str = "") -> Payment:
    """The row of a payment that is about to begin; it is there before anybody is told. Raises TooMany."""
    if Payment.objects.of(user).open().filter(is_in_review=False)[:OPEN_MAX].count() >= OPEN_MAX:
        raise TooManyOpenPayments(f"there are {OPEN_MAX} unpaid top-ups already")
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
    """Twelve random signs in groups of four, 58 bits: nobody guesses one, anybody can copy one by hand."""
    return "-".join("".join(secrets.choice(_SIGNS) for _ in range(4)) for _ in range(3))


@transaction.atomic
def mark_started(payment: Payment, *, step: Next) -> Payment:
    """The gateway knows of it: ``step`` says where it is paid. What a faster webhook has written stays."""
    row = _locked(Q(pk=payment.pk))
    row.address = step.address
    row.upstream_id = row.upstream_id or _plain(step.upstream_id, 200)
    if row.status == PaymentStatus.STARTED and step.is_waiting:
        row.status = PaymentStatus.WAITING
    row.save(update_fields=["address", "upstream_id", "status"])
    return row


@transaction.atomic
def credit_proven(payment: Payment, *, key: str, kind: str, size: int, comment: str = "") -> Proof:
    """The customer has sent a proof, kept as ``key``: staff is to look. Raises AlreadyEnded, TooMany."""
    row = _locked(Q(pk=payment.pk))
    if not row.is_open:
        raise AlreadyEnded(f"it is {row.status}")
    if row.proofs.count() >= PROOFS_MAX:
        raise TooManyOpenPayments(f"there are {PROOFS_MAX} proofs already")
    row.status, row.is_in_review = PaymentStatus.WAITING, True
    row.save(update_fields=["status", "is_in_review"])
    return Proof.objects.create(payment=row, key=key, kind=kind, size=size, comment=_plain(comment, 1000))


@transaction.atomic
def report_paid(gateway: Gateway, *, report: GatewayReport) -> Payment | None:
    """What ``gateway`` says of a payment, first or again: the top-up as it stands then, None where there is none."""
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
    """Staff has seen ``amount`` arrive. Another amount than was asked for, or one that nobody was to look at, needs a
    ``reason``; the customer sees it. Raises AlreadyCredited, ReasonNeeded, InvalidAmount."""
    row = _locked_for(payment, actor)
    if row.status == PaymentStatus.CREDITED:
        raise AlreadyCredited(row.reference)
    if amount <= 0:
        raise InvalidAmount("the amount must be above zero")
    if not reason and (amount != row.amount or not row.is_in_review):
        raise ReasonNeeded("an amount that differs needs a reason")
    row.actor, row.note, row.is_in_review = actor, _plain(reason, 500), False
    return _credit(row, amount)


@transaction.atomic
def refuse(payment: Payment, *, reason: str, actor: Any) -> Payment:
    """Staff refuses; the customer sees ``reason``. Raises AlreadyCredited, AlreadyEnded, ReasonNeeded."""
    row = _locked_for(payment, actor)
    if row.status == PaymentStatus.CREDITED:
        raise AlreadyCredited(row.reference)
    if not row.is_open:
        raise AlreadyEnded(f"it is {row.status}")
    if not reason.strip():
        raise ReasonNeeded("the customer is to know why")
    row.actor, row.note, row.is_in_review = actor, _plain(reason, 500), False
    _end(row, PaymentStatus.REFUSED)
    row.save()
    return row


@transaction.atomic
def settle(payment: Payment, *, reason: str, actor: Any) -> Payment:
    """Staff has looked at what came after the end, such as a second payment. Moves no money. Raises AlreadyEnded."""
    row = _locked_for(payment, actor)
    if row.is_open or not row.is_in_review:
        raise AlreadyEnded("there is no open question")
    row.is_in_review = False
    _remark(row, f"settled by {actor}: {_plain(reason, 500)}")
    row.save()
    return row


@transaction.atomic
def expire(payment: Payment) -> Payment:
    """Nobody paid in time. What is paid after all is credited when the gateway says so."""
    row = _locked(Q(pk=payment.pk))
    if row.is_open and not row.is_in_review:
        _end(row, PaymentStatus.EXPIRED)
        row.save()
    return row


# ------------------------------------------------------------------------------------------------ in the transaction


def _paid(row: Payment, report: GatewayReport) -> Payment:
    """A payment that is proven: credited if it is what was asked for, else left to staff. Its replay changes nothing.

    What staff has refused, staff decides again.
    """
    told, was_told = f"payment {_plain(report.upstream_id, 200)}: {_words(report)}", row.remark
    if told in was_told.splitlines() or (
        row.status == PaymentStatus.CREDITED and row.upstream_id == report.upstream_id
    ):
        return row
    _remark(row, told)
    is_wanted = (report.amount, report.currency) == (row.amount, row.currency)
    if row.status == PaymentStatus.CREDITED or not is_wanted or row.actor_id is not None:
        row.is_in_review = True
        if row.status != PaymentStatus.CREDITED:
            row.paid_amount, row.paid_currency = report.amount, _plain(report.currency, 12)
            row.upstream_id = _plain(report.upstream_id, 200)
            row.status, row.ended_at = PaymentStatus.WAITING, None
        row.save()
        return row
    row.upstream_id = _plain(report.upstream_id, 200) or row.upstream_id
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
    if settings.PAYMENT_CREDITED:
        import_string(settings.PAYMENT_CREDITED)(row)
    return row


def _end(row: Payment, status: PaymentStatus) -> None:
    row.status, row.ended_at = status, timezone.now()


def _remark(row: Payment, line: str) -> None:
    row.remark = f"{row.remark}\n{line}".strip()[-_REMARKS_MAX:]


def _words(report: GatewayReport) -> str:
    return f"{amounts.plain(report.amount)} {_plain(report.currency, 12)}"


def _plain(text: str, limit: int) -> str:
    """One line of printable text: what others send may hold anything."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:limit]


def _locked_for(payment: Payment, actor: Any) -> Payment:
    """The payment, locked for a decision of ``actor``. Raises OwnMoney: nobody decides about an own payment."""
    row = _locked(Q(pk=payment.pk))
    if actor is not None and row.user_id == actor.pk:
        raise OwnMoney("nobody decides about an own payment")
    return row


def _locked(which: Q) -> Payment:
    return Payment.objects.select_for_update(of=("self",)).select_related("user").get(which)


def _locked_or_none(which: Q) -> Payment | None:
    return Payment.objects.select_for_update(of=("self",)).select_related("user").filter(which).order_by("pk").first()
