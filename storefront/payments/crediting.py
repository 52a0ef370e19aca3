"""Store what gateways and staff decide about payments, and credit the wallet once. Nothing else writes payments.

The credit and the status are one transaction under the lock of the payment's row (then the wallet's), and the ledger
books a reference once. A replayed webhook, a double click or two operators at the same moment therefore make one
Transfer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string

from orders.errors import InvalidAmount, OrdersError, OwnMoney
from orders.ledger import bonus_money, transfers
from orders.models import Account
from orders.rules import amounts
from storefront.payments import differences, references
from storefront.payments.gateway import Details, Frame, GatewayReport, Next, Redirect, ReportedState
from storefront.payments.models import (
    COUNTED_REFUNDS,
    REPORTED,
    EntryKind,
    EventSource,
    Payment,
    PaymentEntry,
    PaymentEvent,
    PaymentMethod,
    PaymentRefund,
    PaymentStatus,
    Proof,
    RefundStatus,
    ReviewReason,
    TransactionNumber,
)
from storefront.payments.quotes import Quote
from storefront.payments.wire import reading
from storefront.web.plain_text import one_line

#: Maximum number of unpaid payments per customer, and of proofs per payment.
OPEN_MAX, PROOFS_MAX = 20, 5
_REMARKS_MAX = 8000
#: Maximum number of texts that are kept for a gateway.
_DATA_MAX = 50
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


class NotRefundable(PaymentError):
    """The amount is more than what is left of the payment, or than the customer's own money in the balance."""


class ReasonNeeded(PaymentError):
    """The decision needs a reason: a refusal, or a credit of another amount than the requested one."""


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
    _notify(settings.PAYMENT_START_LISTENERS, row, purpose=purpose)
    return row


@transaction.atomic
def mark_started(payment: Payment, *, step: Next, query_at: datetime | None = None) -> Payment:
    """Store the next step after the gateway has accepted the payment.

    A webhook may have been faster: the number and the status that it stored are kept.

    Args:
        query_at: When the gateway is asked for the state for the first time; None if it cannot be asked.
    """
    row = _locked(Q(pk=payment.pk))
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
    row = _locked(Q(pk=payment.pk))
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
    row = _locked(Q(pk=payment.pk))
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
    row = _locked(Q(pk=payment.pk))
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
            _remark(row, line)
            row.save(update_fields=["remark"])
            _notify(settings.PAYMENT_NOTICE_LISTENERS, row, reason=ReviewReason.NUMBER, amount=row.amount)
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
            _review(row, ReviewReason.TEST, f"test payment {one_line(report.entry_id or report.upstream_id, 200)}")
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
                _end(row, PaymentStatus.REFUSED)
        case ReportedState.DISPUTED:
            _disputed(row, report)
        case ReportedState.DISPUTE_WON:
            _dispute_won(row, report)
        case ReportedState.REFUNDED | ReportedState.CHARGED_BACK:
            _reversed(row, report)
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
    row = _locked_for(payment, actor)
    if row.status == PaymentStatus.CREDITED:
        raise AlreadyCredited(row.reference)
    if amount <= 0:
        raise InvalidAmount("the amount must be above zero")
    if not reason and (amount != row.amount or not row.is_in_review):
        raise ReasonNeeded("a different amount needs a reason")
    row.actor, row.note = actor, one_line(reason, 500)
    _close_review(row)
    row.paid_amount, row.paid_currency = row.paid_amount or amount, row.paid_currency or row.currency
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
    row.actor, row.note = actor, one_line(reason, 500)
    _close_review(row)
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
    _close_review(row)
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
def request_refund(payment: Payment, *, amount: Decimal, reason: str, actor: Any) -> PaymentRefund:
    """Take ``amount`` from the balance and store the refund, before the gateway is called.

    Args:
        amount: In the store currency. Bonus money is not paid out.

    Raises:
        NotRefundable: More than what is left of the credit, or the balance without bonus money does not cover it.
        ReasonNeeded, InvalidAmount, OwnMoney.
    """
    row = _locked_for(payment, actor)
    if not reason.strip():
        raise ReasonNeeded("a reason is required")
    smallest = Decimal(1).scaleb(-reading.places(row.currency))
    if amount <= 0 or amount != amounts.round_down(amount, smallest):
        raise InvalidAmount(f"the amount must be above zero and a multiple of {smallest}")
    wallet = transfers.open_wallet(row.user)
    Account.objects.select_for_update().get(pk=wallet.pk)
    if amount > row.kept_amount:
        raise NotRefundable("more than what is left of the payment")
    if amount > bonus_money.refundable(row.user):
        raise NotRefundable("the balance without bonus money does not cover it")
    received = row.paid_amount if row.paid_amount and row.paid_currency == row.pay_currency else row.pay_amount
    given_back = sum(row.refunds.filter(status__in=COUNTED_REFUNDS).values_list("pay_amount", flat=True), Decimal(0))
    if amount == row.kept_amount and given_back == 0 and not row.reversed_amount:
        pay_amount = received
    else:
        unit = Decimal(1).scaleb(-reading.places(row.pay_currency))
        share = amounts.divide(amounts.multiply(received, amount), row.credited_amount)
        pay_amount = min(amounts.round_down(share, unit), received - given_back)
    if pay_amount <= 0:
        raise InvalidAmount("the amount is too small")
    refund = PaymentRefund.objects.create(
        payment=row, amount=amount, pay_amount=pay_amount, reason=one_line(reason, 500), actor=actor
    )
    transfers.reverse_payment(
        wallet,
        amount=amount,
        gateway=row.gateway,
        reference=f"{row.reference}:refund:{refund.pk}",
        may_owe=False,
        actor=actor,
        note=row.label[:255],
    )
    row.reversed_amount += amount
    row.save(update_fields=["reversed_amount"])
    _notify(settings.PAYMENT_REVERSAL_LISTENERS, row, amount=amount)
    return refund


@transaction.atomic
def claim_refund(refund: PaymentRefund) -> PaymentRefund | None:
    """Mark a requested refund as being sent, before the gateway is called; None if another process has it."""
    locked = PaymentRefund.objects.select_for_update().get(pk=refund.pk)
    if locked.status != RefundStatus.REQUESTED:
        return None
    locked.status, locked.sent_at = RefundStatus.SENDING, timezone.now()
    locked.save(update_fields=["status", "sent_at"])
    return locked


@transaction.atomic
def end_refund(refund: PaymentRefund, *, status: RefundStatus, refund_id: str = "", problem: str = "") -> PaymentRefund:
    """Store the result of a refund. If it failed, what it took is added to the balance again.

    Raises:
        AlreadyEnded: The refund was done or refused before.
    """
    row = _locked(Q(pk=refund.payment_id))
    locked = PaymentRefund.objects.select_for_update().get(pk=refund.pk)
    if locked.status in (RefundStatus.DONE, RefundStatus.FAILED):
        raise AlreadyEnded(f"the refund is {locked.status}")
    locked.status = status
    locked.refund_id, locked.problem = one_line(refund_id, 200) or locked.refund_id, one_line(problem, 500)
    if status in (RefundStatus.DONE, RefundStatus.FAILED):
        locked.ended_at = timezone.now()
    locked.save()
    PaymentEvent.objects.create(
        payment=row, source=EventSource.REFUND, state=status, content=locked.problem or locked.refund_id
    )
    if status == RefundStatus.FAILED:
        # Not simply the amount: the gateway may have refused because the payment was charged back in the meantime.
        _book_reversals(row, reference=f"{row.reference}:refund:{locked.pk}", give_back_at_most=locked.amount)
    if status == RefundStatus.UNKNOWN:
        _notify(settings.PAYMENT_NOTICE_LISTENERS, row, reason=ReviewReason.REFUND, amount=locked.amount)
    return locked


@transaction.atomic
def expire(payment: Payment) -> Payment:
    """End a payment that was not paid in time. If it is paid later, the gateway's report credits it."""
    row = _locked(Q(pk=payment.pk))
    if row.is_open and not row.is_in_review:
        _end(row, PaymentStatus.EXPIRED)
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
    return next((row for row in (_locked_or_none(of_method & one) for one in tries) if row), None)


def _received(row: Payment, method: PaymentMethod, report: GatewayReport) -> None:
    """Book money that has arrived: credit what is due for it, or leave it to staff.

    A replayed report changes nothing. A payment that an operator has decided is left to staff again.
    """
    entries = list(row.entries.filter(kind=EntryKind.RECEIVED))
    entry, added = _entry(row, entries, EntryKind.RECEIVED, report)
    if not added:
        return
    _remark(row, f"payment {entry.entry_id}: {amounts.plain(entry.amount)} {entry.currency}")
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
                _close_review(row)
            missing = due - row.credited_amount
            entry.booked_amount += missing
            entry.save()
            if missing:
                _credit(row, missing)
            return
    entry.save()
    if row.status == PaymentStatus.CREDITED:
        _review(row, ReviewReason.ADDITIONAL)
        return
    if row.actor_id is not None:
        _review(row, ReviewReason.DECIDED)
    elif entry.currency != row.pay_currency:
        _review(row, ReviewReason.CURRENCY)
        row.paid_amount, row.paid_currency = entry.amount, entry.currency
    else:
        _review(row, ReviewReason.AMOUNT)
    row.status, row.ended_at = PaymentStatus.WAITING, None


def _disputed(row: Payment, report: GatewayReport) -> None:
    """Tell staff of a dispute. Nothing has moved yet."""
    line = f"disputed: {_entry_id(row, report)}"
    if line in row.remark.splitlines():
        return
    _review(row, ReviewReason.DISPUTED, line)
    _notify(settings.PAYMENT_NOTICE_LISTENERS, row, reason=ReviewReason.DISPUTED, amount=row.kept_amount)


def _reversed(row: Payment, report: GatewayReport) -> None:
    """Take back what the gateway gave back to the customer. What the balance does not cover becomes a debt.

    Refunds that staff requested here have left the balance before. A gateway that reports them as well reports all
    refunds, so the larger of both totals counts.
    """
    kind = EntryKind.REFUNDED if report.state is ReportedState.REFUNDED else EntryKind.CHARGED_BACK
    entry, added = _entry(row, list(row.entries.filter(kind=kind)), kind, report)
    if not added:
        return
    _remark(row, f"{kind.value} {entry.entry_id}: {amounts.plain(entry.amount)} {entry.currency}")
    entry.save()
    if not row.credited_amount:
        if row.is_open:
            _end(row, PaymentStatus.REFUSED)
        return
    if entry.currency != row.pay_currency:
        _review(row, ReviewReason.REVERSED)
        return
    before = row.reversed_amount
    part = f"{entry.pk}:{amounts.to_units(entry.amount, amounts.AMOUNT_PLACES)}"
    taken, owed = _book_reversals(row, reference=f"{row.reference}:{part}", give_back_at_most=Decimal(0))
    entry.booked_amount += taken
    entry.owed_amount += owed
    entry.save()
    if row.reversed_amount == before:
        return
    _review(row, ReviewReason.REVERSED)
    row.save()
    if kind == EntryKind.CHARGED_BACK:
        transfers.set_held(transfers.open_wallet(row.user), is_held=True)
    _notify(settings.PAYMENT_NOTICE_LISTENERS, row, reason=ReviewReason.REVERSED, amount=row.reversed_amount - before)


def _dispute_won(row: Payment, report: GatewayReport) -> None:
    """Give back what the chargeback of the dispute took. One that is reported after it is not a new one.

    Some gateways number the dispute and the chargeback differently; then all chargebacks of the payment are undone.
    """
    charged_back = row.entries.filter(kind=EntryKind.CHARGED_BACK)
    of_dispute = charged_back.filter(entry_id=_entry_id(row, report))
    undone = list((of_dispute if of_dispute.exists() else charged_back).filter(is_undone=False))
    line = f"dispute won: {_entry_id(row, report)}"
    if not undone and line in row.remark.splitlines():
        return
    _review(row, ReviewReason.DISPUTED, line)
    if undone:
        row.entries.filter(pk__in=[entry.pk for entry in undone]).update(is_undone=True)
        # A chargeback is undone once, so its number makes the reference unique.
        taken = sum((entry.booked_amount + entry.owed_amount for entry in undone), Decimal(0))
        _book_reversals(row, reference=f"{row.reference}:won:{undone[-1].pk}", give_back_at_most=taken)


def _book_reversals(row: Payment, *, reference: str, give_back_at_most: Decimal) -> tuple[Decimal, Decimal]:
    """Bring the balance in line with what the customer received back, and store it in ``row``.

    More than was taken before is taken from the balance; less, because a refund failed or a dispute was won, is given
    back.

    Args:
        reference: Unique for this change.
        give_back_at_most: What this change can give back. The share of a part in another currency is rounded, and the
            rest of the rounding is not given back.

    Returns:
        What was taken from the balance, and what became a debt.
    """
    change = max(_share(row, _total_reversed(row)) - row.reversed_amount, -give_back_at_most)
    if not change:
        return Decimal(0), Decimal(0)
    wallet, taken, owed = transfers.open_wallet(row.user), Decimal(0), Decimal(0)
    facts: dict[str, Any] = {"gateway": row.gateway, "reference": reference, "note": row.label[:255]}
    if change > 0:
        taken, owed = transfers.reverse_payment(wallet, amount=change, may_owe=True, **facts)
    else:
        transfers.restore_payment(wallet, amount=-change, **facts)
    row.reversed_amount += change
    row.save()
    _notify(settings.PAYMENT_REVERSAL_LISTENERS, row, amount=change)
    return taken, owed


def _total_reversed(row: Payment) -> Decimal:
    """Return what the customer received back in total, in the currency of the payment."""
    ours = sum(row.refunds.filter(status__in=COUNTED_REFUNDS).values_list("pay_amount", flat=True), Decimal(0))
    reported = {kind: Decimal(0) for kind in EntryKind}
    for entry in row.entries.filter(currency=row.pay_currency, is_undone=False):
        reported[EntryKind(entry.kind)] += entry.amount
    return max(ours, reported[EntryKind.REFUNDED]) + reported[EntryKind.CHARGED_BACK]


def _share(row: Payment, returned: Decimal) -> Decimal:
    """Return the part of the credit that belongs to ``returned`` of the payment's currency."""
    received = row.paid_amount if row.paid_amount and row.paid_currency == row.pay_currency else row.pay_amount
    if returned >= received:
        return row.credited_amount
    return amounts.round_up(amounts.divide(amounts.multiply(row.credited_amount, returned), received))


def _entry(
    row: Payment, entries: Iterable[PaymentEntry], kind: EntryKind, report: GatewayReport
) -> tuple[PaymentEntry, Decimal]:
    """Return the movement of money that ``report`` names, one of ``entries`` or a new one, to be saved by the caller.

    Returns:
        The entry, and the amount that is new in it: zero for a repeated report.
    """
    currency = one_line(report.currency, 12) or row.pay_currency
    amount = row.pay_amount if report.amount is None else report.amount
    if currency != row.pay_currency:
        amount = amounts.round_down(amount)  # coins may have more decimals than the column; staff look at it anyway
    if amount < 0:
        raise InvalidAmount("the amount is negative")
    amounts.to_units(amount, amounts.AMOUNT_PLACES)
    entry_id = _entry_id(row, report)
    entry = next((one for one in entries if one.entry_id == entry_id), None)
    if entry is None:
        fee_currency = one_line(report.fee_currency, 12)
        return PaymentEntry(
            payment=row,
            kind=kind,
            entry_id=entry_id,
            amount=amount,
            currency=currency,
            fee=_fee(report),
            fee_currency=fee_currency,
        ), amount
    if entry.currency != currency:
        raise InvalidAmount(f"{entry.entry_id} was reported before in {entry.currency}")
    added = max(amount - entry.amount, Decimal(0))
    entry.amount += added
    return entry, added


def _entry_id(row: Payment, report: GatewayReport) -> str:
    return one_line(report.entry_id or report.upstream_id or row.upstream_id, 200) or row.reference


def _fee(report: GatewayReport) -> Decimal | None:
    """Return the reported fee as far as the column can hold it; it is for the books only."""
    if report.fee is None or not 0 <= report.fee < 10**12:
        return None
    return amounts.round_up(report.fee)


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
        _end(row, PaymentStatus.CREDITED)
        row.credited_at = row.ended_at
    row.save()
    _notify(settings.PAYMENT_CREDIT_LISTENERS, row, amount=amount)
    return row


def _notify(listeners: Sequence[str], payment: Payment, **facts: Any) -> None:
    """Call each listener with ``payment`` in the transaction of the change, so that both are stored or neither.

    Args:
        listeners: The dotted paths of one of the settings PAYMENT_*_LISTENERS, which say what ``facts`` there are.
    """
    for path in listeners:
        import_string(path)(payment, **facts)


def _end(row: Payment, status: PaymentStatus) -> None:
    row.status, row.ended_at = status, timezone.now()


def _remark(row: Payment, line: str) -> None:
    row.remark = f"{row.remark}\n{line}".strip()[-_REMARKS_MAX:]


def _facts(row: Payment) -> list[Any]:
    return [getattr(row, field.attname) for field in Payment._meta.concrete_fields]


def _review(row: Payment, reason: ReviewReason, remark: str = "") -> None:
    row.is_in_review, row.review_reason = True, reason
    if remark:
        _remark(row, remark)


def _close_review(row: Payment) -> None:
    row.is_in_review, row.review_reason = False, ""


def _merged(new: Mapping[str, str], old: Mapping[str, str]) -> dict[str, str]:
    """Return the gateway's data with ``new`` added; bounded, because it comes from outside."""
    items: Iterable[tuple[str, str]] = [*old.items(), *((key, one_line(str(text), 500)) for key, text in new.items())]
    return dict(list(dict(items).items())[:_DATA_MAX])


def _action_json(action: Redirect | Frame | Details) -> dict[str, Any]:
    facts = {key: value for key, value in asdict(action).items() if value}
    if "rows" in facts:
        facts["rows"] = [[str(label), value] for label, value in facts["rows"]]
    return {"kind": type(action).__name__.lower(), **facts}


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
