"""What all changes of a payment share: its lock, its notes, its review, its entries, and who is notified."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string

from orders.errors import InvalidAmount, OwnMoney
from orders.rules import amounts
from storefront.payments.gateway import GatewayReport
from storefront.payments.models import (
    EntryKind,
    Payment,
    PaymentEntry,
    PaymentStatus,
    ReviewReason,
)
from storefront.web.plain_text import one_line

#: Maximum number of characters of the internal notes.
REMARKS_MAX = 8000


def locked_for(payment: Payment, actor: Any) -> Payment:
    """Return the locked payment for a decision of ``actor``.

    Raises:
        OwnMoney: Nobody may decide about their own payment.
    """
    row = locked(Q(pk=payment.pk))
    if actor is not None and row.user_id == actor.pk:
        raise OwnMoney("nobody may decide about their own payment")
    return row


def locked(which: Q) -> Payment:
    return Payment.objects.select_for_update(of=("self",)).select_related("user").get(which)


def locked_or_none(which: Q) -> Payment | None:
    return Payment.objects.select_for_update(of=("self",)).select_related("user").filter(which).order_by("pk").first()


def end(row: Payment, status: PaymentStatus) -> None:
    row.status, row.ended_at = status, timezone.now()


def add_remark(row: Payment, line: str) -> None:
    row.remark = f"{row.remark}\n{line}".strip()[-REMARKS_MAX:]


def put_in_review(row: Payment, reason: ReviewReason, remark: str = "") -> None:
    row.is_in_review, row.review_reason = True, reason
    if remark:
        add_remark(row, remark)


def close_review(row: Payment) -> None:
    row.is_in_review, row.review_reason = False, ""


def entry_of(
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
    number = entry_id(row, report)
    entry = next((one for one in entries if one.entry_id == number), None)
    if entry is None:
        fee_currency = one_line(report.fee_currency, 12)
        return PaymentEntry(
            payment=row,
            kind=kind,
            entry_id=number,
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


def entry_id(row: Payment, report: GatewayReport) -> str:
    return one_line(report.entry_id or report.upstream_id or row.upstream_id, 200) or row.reference


def _fee(report: GatewayReport) -> Decimal | None:
    """Return the reported fee as far as the column can hold it; it is for the books only."""
    if report.fee is None or not 0 <= report.fee < 10**12:
        return None
    return amounts.round_up(report.fee)


def notify(listeners: Sequence[str], payment: Payment, **facts: Any) -> None:
    """Call each listener with ``payment`` in the transaction of the change, so that both are stored or neither.

    Args:
        listeners: The dotted paths of one of the settings PAYMENT_*_LISTENERS, which say what ``facts`` there are.
    """
    for path in listeners:
        import_string(path)(payment, **facts)
