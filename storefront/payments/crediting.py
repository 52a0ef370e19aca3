"""Store what gateways and staff decide about payments, and credit the wallet once.

The credit and the status are one transaction under the lock of the payment's row (then the wallet's), and the ledger
books a reference once. A replayed webhook, a double click or two operators at the same moment therefore make one
Transfer. Refunds and chargebacks are in ``reversing``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from orders.errors import InvalidAmount, OwnMoney
from orders.ledger import transfers
from orders.models import Account
from orders.rules import amounts
from storefront.payments import differences, payment_rows, references, reversing
from storefront.payments.errors import AlreadyCredited, AlreadyEnded, ReasonNeeded, TooManyOpenPayments
from storefront.payments.gateway import Details, Frame, GatewayReport, Next, Redirect, ReportedState
from storefront.payments.models import (
    REPORTED,
    EntryKind,
    Payment,
    PaymentMethod,
    PaymentStatus,
    Proof,
    ReviewReason,
    TransactionNumber,
)
from storefront.payments.quotes import Quote
from storefront.web.plain_text import one_line

#: Maximum number of unpaid payments per customer, and of proofs per payment.
OPEN_MAX, PROOFS_MAX = 20, 5
#: Maximum number of texts that are kept for a gateway.
_DATA_MAX = 50
#: For so long the same report credits once.
REPEATED_WITHIN = timedelta(minutes=10)


@transaction.atomic
def open_payment(
    user: Any,
    *,
    method: PaymentMethod,
    quote: Quote,
    return_to: str = "",
    coupon_code: str = "",
    purpose: str = "",
    expires_after: timedelta | None = None,
) -> Payment:
    """Create the row of a payment, before the gateway is called.

    Args:
        quote: What the customer pays, and what the wallet receives for it.
        coupon_code: The coupon that the customer entered, for the listeners of the credit.
        purpose: What the payment is for, for PAYMENT_START_LISTENERS.
        return_to: A path of the shop to which the customer returns after paying.

    Raises:
        TooManyOpenPayments: The customer has ``OPEN_MAX`` unpaid payments.
    """
    if Payment.objects.of(user).open().filter(is_in_review=False)[:OPEN_MAX].count() >= OPEN_MAX:
        raise TooManyOpenPayments(f"there are already {OPEN_MAX} unpaid payments")
    row = Payment.objects.create(
        user=user,
        gateway=method.gateway,
        method=method,
        label=method.name[:100],
        amount=quote.amount,
        currency=settings.STORE_CURRENCY,
        fee=quote.fee,
        pay_amount=quote.pay_amount,
        pay_currency=quote.pay_currency,
        exchange_rate=quote.exchange_rate,
        reference=references.new(),
        return_to=return_to,
        expires_at=timezone.now() + expires_after if expires_after else None,
        coupon_code=coupon_code,
    )
    payment_rows.notify(settings.PAYMENT_START_LISTENERS, row, purpose=purpose)
    return row


@transaction.atomic
def mark_started(payment: Payment, *, step: Next, query_at: datetime | None = None) -> Payment:
    """Store the next step after the gateway has accepted the payment.

    A webhook may have been faster: the number and the status that it stored are kept.

    Args:
        query_at: When the gateway is asked for the state for the first time; None if it cannot be asked.
    """
    row = payment_rows.locked(Q(pk=payment.pk))
    row.action = _action_json(step.action)
    row.upstream_id = row.upstream_id or one_line(step.upstream_id, 200)
    row.data = _merged(step.data, row.data)
    row.expires_at = step.expires_at or row.expires_at
    row.query_at = query_at if row.is_open else None
    if row.status == PaymentStatus.STARTED and step.is_waiting:
        row.status = PaymentStatus.WAITING
    row.save(update_fields=["action", "upstream_id", "data", "expires_at", "query_at", "status"])
    return row


@transaction.atomic
def postpone_query(payment: Payment, *, until: datetime | None) -> Payment:
    """Set when the gateway is asked next; None for never."""
    row = payment_rows.locked(Q(pk=payment.pk))
    row.query_at = until if row.is_open else None
    row.save(update_fields=["query_at"])
    return row


@transaction.atomic
def add_proof(payment: Payment, *, key: str, kind: str, size: int, comment: str = "") -> Proof:
    """Add a customer's proof, stored as ``key``, and put the payment up for review.

    Raises:
        AlreadyEnded: The payment has ended.
        TooManyOpenPayments: The payment has ``PROOFS_MAX`` proofs.
    """
    row = payment_rows.locked(Q(pk=payment.pk))
    if not row.is_open:
        raise AlreadyEnded(f"it is {row.status}")
    if row.proofs.count() >= PROOFS_MAX:
        raise TooManyOpenPayments(f"there are {PROOFS_MAX} proofs already")
    row.status, row.is_in_review, row.review_reason = PaymentStatus.WAITING, True, ReviewReason.PROOF
    row.save(update_fields=["status", "is_in_review", "review_reason"])
    return Proof.objects.create(payment=row, key=key, kind=kind, size=size, comment=one_line(comment, 1000))


@transaction.atomic
def claim_number(payment: Payment, *, number: str) -> bool:
    """Record the transaction number that a customer entered, and put the payment up for review.

    The first payment that names a number keeps it for ever. For any later one, staff are notified: the customer may be
    showing another customer's receipt.

    Args:
        number: Without spaces and dashes, as ``Gateway.transaction_number_pattern`` demands.

    Returns:
        Whether the number is this payment's; False if another payment named it before.

    Raises:
        AlreadyEnded: The payment has ended.
        TooManyOpenPayments: The payment has ``PROOFS_MAX`` numbers.
    """
    row = payment_rows.locked(Q(pk=payment.pk))
    if not row.is_open or row.method_id is None:
        raise AlreadyEnded(f"it is {row.status}")
    if row.numbers.filter(number=number).exists():
        return True
    if row.numbers.count() >= PROOFS_MAX:
        raise TooManyOpenPayments(f"there are {PROOFS_MAX} numbers already")
    try:
        with transaction.atomic():
            TransactionNumber.objects.create(method_id=row.method_id, payment=row, number=number)
    except IntegrityError:
        first = TransactionNumber.objects.select_related("payment").get(method_id=row.method_id, number=number)
        line = f"transaction number {number} was named by payment {first.payment.reference} before"
        if line not in row.remark:  # one notice for each number, however often it is sent
            payment_rows.add_remark(row, line)
            row.save(update_fields=["remark"])
            payment_rows.notify(settings.PAYMENT_NOTICE_LISTENERS, row, reason=ReviewReason.NUMBER, amount=row.amount)
        return False
    row.status, row.is_in_review, row.review_reason = PaymentStatus.WAITING, True, ReviewReason.PROOF
    row.save(update_fields=["status", "is_in_review", "review_reason"])
    return True


@transaction.atomic
def apply_report(method: PaymentMethod, report: GatewayReport) -> Payment | None:
    """Apply what the gateway of ``method`` reports about a payment. A repeated report changes nothing.

    Returns:
        The payment after the report; None if the method has no such payment.

    Raises:
        InvalidAmount: The reported amount cannot be stored. Nothing was written.
    """
    row = _find(method, report)
    if row is None:
        return None
    if report.is_test and not method.is_test:
        # A test payment costs nothing, so it must never become money.
        if report.state is ReportedState.PAID:
            payment_rows.put_in_review(
                row, ReviewReason.TEST, f"test payment {one_line(report.entry_id or report.upstream_id, 200)}"
            )
            row.save()
        return row
    before = _facts(row)
    row.upstream_id = row.upstream_id or one_line(report.upstream_id, 200)
    row.data = _merged(report.data, row.data)
    match report.state:
        case ReportedState.PAID:
            _received(row, method, report)
        case ReportedState.PENDING:
            if row.status == PaymentStatus.STARTED:
                row.status = PaymentStatus.WAITING
        case ReportedState.DECLINED:
            if row.is_open and not row.is_in_review:
                payment_rows.end(row, PaymentStatus.REFUSED)
        case ReportedState.DISPUTED:
            reversing.apply_dispute(row, report)
        case ReportedState.DISPUTE_WON:
            reversing.apply_won_dispute(row, report)
        case ReportedState.REFUNDED | ReportedState.CHARGED_BACK:
            reversing.apply_reversal(row, report)
    if _facts(row) != before:
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
    row = payment_rows.locked_for(payment, actor)
    if row.status == PaymentStatus.CREDITED:
        raise AlreadyCredited(row.reference)
    if amount <= 0:
        raise InvalidAmount("the amount must be above zero")
    if not reason and (amount != row.amount or not row.is_in_review):
        raise ReasonNeeded("a different amount needs a reason")
    row.actor, row.note = actor, one_line(reason, 500)
    payment_rows.close_review(row)
    row.paid_amount, row.paid_currency = row.paid_amount or amount, row.paid_currency or row.currency
    return _credit(row, amount)


@transaction.atomic
def refuse(payment: Payment, *, reason: str, actor: Any) -> Payment:
    """Refuse the payment. The customer sees ``reason``.

    Raises:
        AlreadyCredited, AlreadyEnded, ReasonNeeded, OwnMoney.
    """
    row = payment_rows.locked_for(payment, actor)
    if row.status == PaymentStatus.CREDITED:
        raise AlreadyCredited(row.reference)
    if not row.is_open:
        raise AlreadyEnded(f"it is {row.status}")
    if not reason.strip():
        raise ReasonNeeded("a reason for the customer is required")
    row.actor, row.note = actor, one_line(reason, 500)
    payment_rows.close_review(row)
    payment_rows.end(row, PaymentStatus.REFUSED)
    row.save()
    return row


@transaction.atomic
def settle(payment: Payment, *, reason: str, actor: Any) -> Payment:
    """Close the review of a payment that has ended, for example after a second payment. No money is moved.

    Raises:
        AlreadyEnded: The payment is open or not up for review.
        OwnMoney: It is the operator's own payment.
    """
    row = payment_rows.locked_for(payment, actor)
    if row.is_open or not row.is_in_review:
        raise AlreadyEnded("the payment is not in review")
    payment_rows.close_review(row)
    payment_rows.add_remark(row, f"review closed by {actor}: {one_line(reason, 500)}")
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
    memo = one_line(memo, payment_rows.REMARKS_MAX)
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
        pay_amount=amount,
        pay_currency=settings.STORE_CURRENCY,
        paid_amount=amount,
        paid_currency=settings.STORE_CURRENCY,
        reference=references.new(),
        remark=memo,
        actor=actor,
    )
    return _credit(row, amount), True


@transaction.atomic
def expire(payment: Payment) -> Payment:
    """End a payment that was not paid in time. If it is paid later, the gateway's report credits it."""
    row = payment_rows.locked(Q(pk=payment.pk))
    if row.is_open and not row.is_in_review:
        payment_rows.end(row, PaymentStatus.EXPIRED)
        row.save()
    return row


# ------------------------------------------------------------------------------------------------ in the transaction


def _find(method: PaymentMethod, report: GatewayReport) -> Payment | None:
    """Return the locked payment that ``report`` names: by our reference, our number, or the gateway's number."""
    of_method = Q(method=method)
    tries: list[Q] = []
    if report.reference.isprintable() and (reference := references.normalized(report.reference)):
        tries.append(Q(reference=reference))
    if report.number is not None and 0 < report.number < 2**63:
        tries.append(Q(pk=report.number))
    if report.upstream_id and report.upstream_id.isprintable():
        tries.append(Q(upstream_id=report.upstream_id[:200]))
    return next((row for row in (payment_rows.locked_or_none(of_method & one) for one in tries) if row), None)


def _received(row: Payment, method: PaymentMethod, report: GatewayReport) -> None:
    """Book money that has arrived: credit what is due for it, or leave it to staff.

    A replayed report changes nothing. A payment that an operator has decided is left to staff again.
    """
    entries = list(row.entries.filter(kind=EntryKind.RECEIVED))
    entry, added = payment_rows.entry_of(row, entries, EntryKind.RECEIVED, report)
    if not added:
        return
    payment_rows.add_remark(row, f"payment {entry.entry_id}: {amounts.plain(entry.amount)} {entry.currency}")
    if entry.currency == row.pay_currency:
        in_currency = [one for one in entries if one.currency == row.pay_currency and one.pk != entry.pk]
        row.paid_amount = sum((one.amount for one in in_currency), entry.amount)
        row.paid_currency = row.pay_currency
        due = differences.amount_due(
            row.amount,
            expected=row.pay_amount,
            received=row.paid_amount,
            policy=method.difference_policy,
            tolerance_percent=method.tolerance_percent,
        )
        if due is not None and row.actor_id is None and due >= row.credited_amount:
            if row.review_reason in (ReviewReason.AMOUNT, ReviewReason.PROOF):
                payment_rows.close_review(row)
            missing = due - row.credited_amount
            entry.booked_amount += missing
            entry.save()
            if missing:
                _credit(row, missing)
            return
    entry.save()
    if row.status == PaymentStatus.CREDITED:
        payment_rows.put_in_review(row, ReviewReason.ADDITIONAL)
        return
    if row.actor_id is not None:
        payment_rows.put_in_review(row, ReviewReason.DECIDED)
    elif entry.currency != row.pay_currency:
        payment_rows.put_in_review(row, ReviewReason.CURRENCY)
        row.paid_amount, row.paid_currency = entry.amount, entry.currency
    else:
        payment_rows.put_in_review(row, ReviewReason.AMOUNT)
    row.status, row.ended_at = PaymentStatus.WAITING, None


def _credit(row: Payment, amount: Decimal) -> Payment:
    """Add ``amount`` to the wallet. A second credit of the same payment has a reference of its own in the ledger."""
    wallet = transfers.open_wallet(row.user)
    total = row.credited_amount + amount
    part = f":{amounts.to_units(total, amounts.AMOUNT_PLACES)}" if row.credited_amount else ""
    transfers.credit_payment(
        wallet,
        amount=amount,
        gateway=row.gateway,
        reference=row.reference + part,
        actor=row.actor,
        note=row.label[:255],
    )
    row.credited_amount = total
    if row.status != PaymentStatus.CREDITED:
        payment_rows.end(row, PaymentStatus.CREDITED)
        row.credited_at = row.ended_at
    row.save()
    payment_rows.notify(settings.PAYMENT_CREDIT_LISTENERS, row, amount=amount)
    return row


def _facts(row: Payment) -> list[Any]:
    return [getattr(row, field.attname) for field in Payment._meta.concrete_fields]


def _merged(new: Mapping[str, str], old: Mapping[str, str]) -> dict[str, str]:
    """Return the gateway's data with ``new`` added; bounded, because it comes from outside."""
    items: Iterable[tuple[str, str]] = [*old.items(), *((key, one_line(str(text), 500)) for key, text in new.items())]
    return dict(list(dict(items).items())[:_DATA_MAX])


def _action_json(action: Redirect | Frame | Details) -> dict[str, Any]:
    facts = {key: value for key, value in asdict(action).items() if value}
    if "rows" in facts:
        facts["rows"] = [[str(label), value] for label, value in facts["rows"]]
    return {"kind": type(action).__name__.lower(), **facts}
