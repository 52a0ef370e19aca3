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

from orders import ledger, money
from orders.errors import InvalidAmount, OrdersError, OwnMoney
from storefront.topups.gateway import Gateway, Next, Payment, Said, Way
from storefront.topups.models import Proof, Status, TopUp

#: Without signs that are taken for one another, on paper or by ear.
_SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
#: So many unpaid top-ups and so many proofs of one are enough for anybody.
OPEN_MAX, PROOFS_MAX = 20, 5
_REMARKS_MAX = 8000


class TopUpError(OrdersError):
    """Base of what this room refuses. Nothing was written when one is raised."""


class TooMany(TopUpError):
    """The customer has too many open top-ups, or this one too many proofs."""


class AlreadyCredited(TopUpError):
    """The money is in the wallet: whoever decides comes too late."""


class AlreadyEnded(TopUpError):
    """The top-up has ended meanwhile: this step is no longer open."""


class ReasonNeeded(TopUpError):
    """A decision that must be explained: a refusal, or a credit of another amount than was asked for."""


def opened(user: Any, *, gateway: Gateway, way: Way, amount: Decimal, return_to: str = "") -> TopUp:
    """The row of a payment that is about to begin; it is there before anybody is told. Raises TooMany."""
    if TopUp.objects.of(user).open().filter(is_in_review=False)[:OPEN_MAX].count() >= OPEN_MAX:
        raise TooMany(f"there are {OPEN_MAX} unpaid top-ups already")
    return TopUp.objects.create(
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
def begun(topup: TopUp, *, step: Next) -> TopUp:
    """The gateway knows of it: ``step`` says where it is paid. What a faster webhook has written stays."""
    row = _locked(Q(pk=topup.pk))
    row.address = step.address
    row.upstream_id = row.upstream_id or _plain(step.upstream_id, 200)
    if row.status == Status.STARTED and step.is_waiting:
        row.status = Status.WAITING
    row.save(update_fields=["address", "upstream_id", "status"])
    return row


@transaction.atomic
def proven(topup: TopUp, *, key: str, kind: str, size: int, comment: str = "") -> Proof:
    """The customer has sent a proof, kept as ``key``: staff is to look. Raises AlreadyEnded, TooMany."""
    row = _locked(Q(pk=topup.pk))
    if not row.is_open:
        raise AlreadyEnded(f"it is {row.status}")
    if row.proofs.count() >= PROOFS_MAX:
        raise TooMany(f"there are {PROOFS_MAX} proofs already")
    row.status, row.is_in_review = Status.WAITING, True
    row.save(update_fields=["status", "is_in_review"])
    return Proof.objects.create(top_up=row, key=key, kind=kind, size=size, comment=_plain(comment, 1000))


@transaction.atomic
def reported(gateway: Gateway, *, payment: Payment) -> TopUp | None:
    """What ``gateway`` says of a payment, first or again: the top-up as it stands then, None where there is none."""
    wanted = Q(reference=payment.reference) if payment.reference else Q(upstream_id=payment.upstream_id)
    if not (payment.reference or payment.upstream_id).isprintable() or not (payment.reference or payment.upstream_id):
        return None
    row = _locked_or_none(wanted & Q(gateway=gateway.name))
    if row is None or (payment.said is Said.PENDING and row.status != Status.STARTED):
        return row
    if payment.said is Said.PAID:
        return _paid(row, payment)
    if payment.said is Said.PENDING:
        row.status = Status.WAITING
    elif row.is_open and not row.is_in_review:
        _end(row, Status.REFUSED)
    row.save()
    return row


@transaction.atomic
def approved(topup: TopUp, *, amount: Decimal, actor: Any, reason: str = "") -> TopUp:
    """Staff has seen ``amount`` arrive. Another amount than was asked for, or one that nobody was to look at, needs a
    ``reason``; the customer sees it. Raises AlreadyCredited, ReasonNeeded, InvalidAmount."""
    row = _locked_for(topup, actor)
    if row.status == Status.CREDITED:
        raise AlreadyCredited(row.reference)
    if amount <= 0:
        raise InvalidAmount("the amount must be above zero")
    if not reason and (amount != row.amount or not row.is_in_review):
        raise ReasonNeeded("an amount that differs needs a reason")
    row.actor, row.note, row.is_in_review = actor, _plain(reason, 500), False
    return _credit(row, amount)


@transaction.atomic
def refused(topup: TopUp, *, reason: str, actor: Any) -> TopUp:
    """Staff refuses; the customer sees ``reason``. Raises AlreadyCredited, AlreadyEnded, ReasonNeeded."""
    row = _locked_for(topup, actor)
    if row.status == Status.CREDITED:
        raise AlreadyCredited(row.reference)
    if not row.is_open:
        raise AlreadyEnded(f"it is {row.status}")
    if not reason.strip():
        raise ReasonNeeded("the customer is to know why")
    row.actor, row.note, row.is_in_review = actor, _plain(reason, 500), False
    _end(row, Status.REFUSED)
    row.save()
    return row


@transaction.atomic
def settled(topup: TopUp, *, reason: str, actor: Any) -> TopUp:
    """Staff has looked at what came after the end, such as a second payment. Moves no money. Raises AlreadyEnded."""
    row = _locked_for(topup, actor)
    if row.is_open or not row.is_in_review:
        raise AlreadyEnded("there is no open question")
    row.is_in_review = False
    _remark(row, f"settled by {actor}: {_plain(reason, 500)}")
    row.save()
    return row


@transaction.atomic
def expired(topup: TopUp) -> TopUp:
    """Nobody paid in time. What is paid after all is credited when the gateway says so."""
    row = _locked(Q(pk=topup.pk))
    if row.is_open and not row.is_in_review:
        _end(row, Status.EXPIRED)
        row.save()
    return row


# ------------------------------------------------------------------------------------------------ in the transaction


def _paid(row: TopUp, payment: Payment) -> TopUp:
    """A payment that is proven: credited if it is what was asked for, else left to staff. Its replay changes nothing.

    What staff has refused, staff decides again.
    """
    told, was_told = f"payment {_plain(payment.upstream_id, 200)}: {_words(payment)}", row.remark
    if told in was_told.splitlines() or (row.status == Status.CREDITED and row.upstream_id == payment.upstream_id):
        return row
    _remark(row, told)
    is_wanted = (payment.amount, payment.currency) == (row.amount, row.currency)
    if row.status == Status.CREDITED or not is_wanted or row.actor_id is not None:
        row.is_in_review = True
        if row.status != Status.CREDITED:
            row.paid_amount, row.paid_currency = payment.amount, _plain(payment.currency, 12)
            row.upstream_id = _plain(payment.upstream_id, 200)
            row.status, row.ended_at = Status.WAITING, None
        row.save()
        return row
    row.upstream_id = _plain(payment.upstream_id, 200) or row.upstream_id
    return _credit(row, payment.amount)


def _credit(row: TopUp, amount: Decimal) -> TopUp:
    wallet = ledger.open_wallet(row.user)
    ledger.top_up(
        wallet, amount=amount, gateway=row.gateway, reference=row.reference, actor=row.actor, note=row.label[:255]
    )
    row.paid_amount, row.paid_currency = amount, row.currency
    _end(row, Status.CREDITED)
    row.credited_at = row.ended_at
    row.save()
    if settings.TOPUP_CREDITED:
        import_string(settings.TOPUP_CREDITED)(row)
    return row


def _end(row: TopUp, status: Status) -> None:
    row.status, row.ended_at = status, timezone.now()


def _remark(row: TopUp, line: str) -> None:
    row.remark = f"{row.remark}\n{line}".strip()[-_REMARKS_MAX:]


def _words(payment: Payment) -> str:
    return f"{money.plain(payment.amount)} {_plain(payment.currency, 12)}"


def _plain(text: str, limit: int) -> str:
    """One line of printable text: what others send may hold anything."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:limit]


def _locked_for(topup: TopUp, actor: Any) -> TopUp:
    """The payment, locked for a decision of ``actor``. Raises OwnMoney: nobody decides about an own payment."""
    row = _locked(Q(pk=topup.pk))
    if actor is not None and row.user_id == actor.pk:
        raise OwnMoney("nobody decides about an own payment")
    return row


def _locked(which: Q) -> TopUp:
    return TopUp.objects.select_for_update(of=("self",)).select_related("user").get(which)


def _locked_or_none(which: Q) -> TopUp | None:
    return TopUp.objects.select_for_update(of=("self",)).select_related("user").filter(which).order_by("pk").first()
