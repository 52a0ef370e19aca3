"""The only writer of money: wallets, charges, refunds, top-ups, adjustments.

Each movement is one conditional UPDATE of the wallet and one Transfer, in one transaction. The UPDATE judges and takes
in the same statement, so no two buyers can spend the same cent; the unique reference makes a second run harmless.
Lock order everywhere: the order's row, then the wallet's row.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from orders import money
from orders.errors import InsufficientFunds, InvalidAmount, InvalidReference, ReferenceReused
from orders.models import Account, Order, Transfer
from orders.models.ledger import AccountKind, TransferKind

SALES = "sales"
ADJUSTMENTS = "adjustments"
#: As wide as the column.
REFERENCE_MAX = 200


def open_wallet(user: Any) -> Account:
    """The customer's wallet, made with nothing in it the first time."""
    wallet, _ = Account.objects.get_or_create(
        user=user,
        defaults={"kind": AccountKind.WALLET, "balance": Decimal(0), "currency": settings.STORE_CURRENCY},
    )
    return wallet


def clearing(gateway: str) -> Account:
    """The house account through which a gateway's money comes in, made on first use."""
    account, _ = Account.objects.get_or_create(
        code=f"clearing:{gateway}", defaults={"kind": AccountKind.CLEARING, "currency": settings.STORE_CURRENCY}
    )
    return account


def top_up(
    wallet: Account, *, amount: Decimal, gateway: str, reference: str, actor: Any = None, note: str = ""
) -> Transfer:
    """Brings a payment through ``gateway`` into the wallet, once per ``reference``; returns its Transfer, new or old.

    Raises ReferenceReused when the reference was booked for another wallet or amount, InvalidAmount unless above zero,
    InvalidReference.
    """
    if amount <= 0:
        raise InvalidAmount("the amount must be above zero")
    return _book(
        wallet,
        house=clearing(gateway),
        amount=amount,
        kind=TransferKind.TOP_UP,
        reference=f"topup:{gateway}:{reference}",
        actor=actor,
        note=note,
    )


def adjust(wallet: Account, *, amount: Decimal, reference: str, actor: Any = None, note: str = "") -> Transfer:
    """An operator's correction: a positive ``amount`` is given, a negative one is taken. Once per ``reference``.

    Raises InsufficientFunds when the wallet holds less than what is to be taken, InvalidAmount for zero; otherwise as
    ``top_up``.
    """
    if not amount:
        raise InvalidAmount("an adjustment of nothing changes nothing")
    return _book(
        wallet,
        house=Account.objects.get(code=ADJUSTMENTS),
        amount=amount,
        kind=TransferKind.ADJUSTMENT,
        reference=f"adjust:{reference}",
        actor=actor,
        note=note,
    )


def charge(order: Order) -> None:
    """Takes the order's charge from the customer's wallet. Call it in the transaction that made the order.

    Raises InsufficientFunds; the caller's transaction must not be committed then. Nothing moves for an order that
    costs nothing.
    """
    if not order.charge:
        return
    wallet_id, after = _withdraw("user_id", order.user_id, order.charge)
    _insert_charge(order, wallet_id, after)


def refund(order: Order, *, target: Decimal) -> Decimal:
    """Brings what was paid back for ``order`` up to ``target`` and returns what was added, zero if it is there already.

    ``order`` must be locked by the caller's transaction. The sum of refunds never passes the charge.
    """
    target = min(target, order.charge)
    added = target - order.refunded
    if added <= 0:
        return Decimal(0)
    if not Order.objects.filter(pk=order.pk, refunded=order.refunded).update(refunded=target):
        raise RuntimeError(f"order {order.pk} was paid back by another process: its row was not locked")
    order.refunded = target
    wallet_id, after = _deposit("user_id", order.user_id, added)
    Transfer.objects.create(
        kind=TransferKind.REFUND,
        reference=f"refund:{order.pk}:{money.to_units(target, money.AMOUNT_PLACES)}",
        source=Account.objects.get(code=SALES),
        target_id=wallet_id,
        amount=added,
        wallet_id=wallet_id,
        wallet_after=after,
        order=order,
    )
    return added


def _book(
    wallet: Account, *, house: Account, amount: Decimal, kind: str, reference: str, actor: Any, note: str
) -> Transfer:
    """Moves ``amount`` from the house to the wallet, or back if it is negative, unless ``reference`` was booked."""
    if len(reference) > REFERENCE_MAX or not reference.isprintable():
        raise InvalidReference(f"a reference has at most {REFERENCE_MAX} printable characters")
    done = _booked(reference, wallet, amount)
    if done:
        return done
    try:
        with transaction.atomic():
            wallet_id, after = (_deposit if amount > 0 else _withdraw)("id", wallet.pk, abs(amount))
            source, target = (house.pk, wallet_id) if amount > 0 else (wallet_id, house.pk)
            return Transfer.objects.create(
                kind=kind,
                reference=reference,
                source_id=source,
                target_id=target,
                amount=abs(amount),
                wallet_id=wallet_id,
                wallet_after=after,
                actor=actor,
                note=note,
            )
    except (IntegrityError, InsufficientFunds):
        # Perhaps another process booked the same reference between our look and our write: its booking stands.
        done = _booked(reference, wallet, amount)
        if done is None:
            raise
        return done


def _booked(reference: str, wallet: Account, amount: Decimal) -> Transfer | None:
    done = Transfer.objects.filter(reference=reference).first()
    if done and (done.wallet_id, done.amount, done.target_id == wallet.pk) != (wallet.pk, abs(amount), amount > 0):
        raise ReferenceReused(f"the reference {reference!r} was booked before for another customer or amount")
    return done


def _withdraw(column: str, key: int, amount: Decimal) -> tuple[int, Decimal]:
    """Takes ``amount`` from the wallet if it holds that much: judged and taken in one statement."""
    units = money.to_units(amount, money.AMOUNT_PLACES)
    row = _update("balance = balance - %s", column, "balance >= %s", [units, key, units])
    if row is None:
        raise InsufficientFunds("the wallet holds less than this costs")
    return row


def _deposit(column: str, key: int, amount: Decimal) -> tuple[int, Decimal]:
    """Puts ``amount`` into the wallet, unless the sum would leave 64 bits: SQLite would go on with a float then."""
    units = money.to_units(amount, money.AMOUNT_PLACES)
    row = _update("balance = balance + %s", column, "balance <= %s", [units, key, money.LARGEST - units])
    if row:
        return row
    if Account.objects.filter(**{column: key}, kind=AccountKind.WALLET).exists():
        raise InvalidAmount("no wallet can hold that much")
    raise Account.DoesNotExist("this customer has no wallet")


def _update(change: str, column: str, condition: str, values: list[int]) -> tuple[int, Decimal] | None:
    """The wallet's id and its new balance; None where ``condition`` does not hold."""
    with connection.cursor() as cursor:
        cursor.execute(
            # Only ``values`` come from outside, the words are constants of this module.
            f"UPDATE orders_account SET {change} WHERE {column} = %s AND kind = 'wallet' AND {condition}"  # noqa: S608
            " RETURNING id, balance",
            values,
        )
        row = cursor.fetchone()
    return (row[0], money.from_units(row[1], money.AMOUNT_PLACES)) if row else None


def _insert_charge(order: Order, wallet_id: int, after: Decimal) -> None:
    """One statement, as every purchase passes here: the sales account is named by its code, not looked up first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orders_transfer (kind, reference, source_id, target_id, amount, wallet_id, wallet_after,"
            " order_id, note, created_at)"
            " VALUES (%s, %s, %s, (SELECT id FROM orders_account WHERE code = %s), %s, %s, %s, %s, '', %s)",
            [
                TransferKind.CHARGE.value,
                f"charge:{order.pk}",
                wallet_id,
                SALES,
                money.to_units(order.charge, money.AMOUNT_PLACES),
                wallet_id,
                money.to_units(after, money.AMOUNT_PLACES),
                order.pk,
                connection.ops.adapt_datetimefield_value(timezone.now()),
            ],
        )
