"""Take back payments: refunds by staff, what gateways gave back, disputes and chargebacks.

Each change is one transaction under the lock of the payment's row, as in ``crediting``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from orders.errors import InvalidAmount
from orders.ledger import bonus_money, transfers
from orders.models import Account
from orders.rules import amounts
from storefront.payments import payment_rows
from storefront.payments.errors import AlreadyEnded, NotRefundable, ReasonNeeded
from storefront.payments.gateway import GatewayReport, ReportedState
from storefront.payments.models import (
    COUNTED_REFUNDS,
    EntryKind,
    EventSource,
    Payment,
    PaymentEvent,
    PaymentRefund,
    PaymentStatus,
    RefundStatus,
    ReviewReason,
)
from storefront.payments.wire import reading
from storefront.web.plain_text import one_line


@transaction.atomic
def request_refund(payment: Payment, *, amount: Decimal, reason: str, actor: Any) -> PaymentRefund:
    """Take ``amount`` from the balance and store the refund, before the gateway is called.

    Args:
        amount: In the store currency. Bonus money is not paid out.

    Raises:
        NotRefundable: More than what is left of the credit, or the balance without bonus money does not cover it.
        ReasonNeeded, InvalidAmount, OwnMoney.
    """
    row = payment_rows.locked_for(payment, actor)
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
    payment_rows.notify(settings.PAYMENT_REVERSAL_LISTENERS, row, amount=amount)
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
    row = payment_rows.locked(Q(pk=refund.payment_id))
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
        payment_rows.notify(settings.PAYMENT_NOTICE_LISTENERS, row, reason=ReviewReason.REFUND, amount=locked.amount)
    return locked


def apply_dispute(row: Payment, report: GatewayReport) -> None:
    """Tell staff of a dispute. Nothing has moved yet."""
    line = f"disputed: {payment_rows.entry_id(row, report)}"
    if line in row.remark.splitlines():
        return
    payment_rows.put_in_review(row, ReviewReason.DISPUTED, line)
    payment_rows.notify(settings.PAYMENT_NOTICE_LISTENERS, row, reason=ReviewReason.DISPUTED, amount=row.kept_amount)


def apply_reversal(row: Payment, report: GatewayReport) -> None:
    """Take back what the gateway gave back to the customer. What the balance does not cover becomes a debt.

    Refunds that staff requested here have left the balance before. A gateway that reports them as well reports all
    refunds, so the larger of both totals counts.
    """
    kind = EntryKind.REFUNDED if report.state is ReportedState.REFUNDED else EntryKind.CHARGED_BACK
    entry, added = payment_rows.entry_of(row, list(row.entries.filter(kind=kind)), kind, report)
    if not added:
        return
    payment_rows.add_remark(row, f"{kind.value} {entry.entry_id}: {amounts.plain(entry.amount)} {entry.currency}")
    entry.save()
    if not row.credited_amount:
        if row.is_open:
            payment_rows.end(row, PaymentStatus.REFUSED)
        return
    if entry.currency != row.pay_currency:
        payment_rows.put_in_review(row, ReviewReason.REVERSED)
        return
    before = row.reversed_amount
    part = f"{entry.pk}:{amounts.to_units(entry.amount, amounts.AMOUNT_PLACES)}"
    taken, owed = _book_reversals(row, reference=f"{row.reference}:{part}", give_back_at_most=Decimal(0))
    entry.booked_amount += taken
    entry.owed_amount += owed
    entry.save()
    if row.reversed_amount == before:
        return
    payment_rows.put_in_review(row, ReviewReason.REVERSED)
    row.save()
    if kind == EntryKind.CHARGED_BACK:
        transfers.set_held(transfers.open_wallet(row.user), is_held=True)
    payment_rows.notify(
        settings.PAYMENT_NOTICE_LISTENERS, row, reason=ReviewReason.REVERSED, amount=row.reversed_amount - before
    )


def apply_won_dispute(row: Payment, report: GatewayReport) -> None:
    """Give back what the chargeback of the dispute took. One that is reported after it is not a new one.

    Some gateways number the dispute and the chargeback differently; then all chargebacks of the payment are undone.
    """
    charged_back = row.entries.filter(kind=EntryKind.CHARGED_BACK)
    of_dispute = charged_back.filter(entry_id=payment_rows.entry_id(row, report))
    undone = list((of_dispute if of_dispute.exists() else charged_back).filter(is_undone=False))
    line = f"dispute won: {payment_rows.entry_id(row, report)}"
    if not undone and line in row.remark.splitlines():
        return
    payment_rows.put_in_review(row, ReviewReason.DISPUTED, line)
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
    payment_rows.notify(settings.PAYMENT_REVERSAL_LISTENERS, row, amount=change)
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
