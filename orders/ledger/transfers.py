"""The only writer of money: wallets, charges, refunds, top-ups, adjustments.

Each movement is one conditional UPDATE of the wallet and one Transfer, in one transaction. The UPDATE judges and takes
in the same statement, so no two buyers can spend the same cent; the unique reference makes a second run harmless.
Lock order everywhere: the order's row, then the wallet's row; of a new order, which nobody else can lock, the wallet's
first.
"""

from __future__ import annotations

from contextlib import nullcontext
from decimal import Decimal
from functools import cache
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone

from orders import events
from orders.errors import InsufficientFunds, InvalidAmount, InvalidReference, OwnMoney, ReferenceReused
from orders.models import Account, Order, PriceLevel, Transfer
from orders.models.ledger import AccountKind, TransferKind
from orders.rules import amounts

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


def clearing_account(gateway: str) -> Account:
    """The house account through which a gateway's money comes in, made on first use."""
    account, _ = Account.objects.get_or_create(
        code=f"clearing:{gateway}", defaults={"kind": AccountKind.CLEARING, "currency": settings.STORE_CURRENCY}
    )
    return account


def credit_payment(
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
        house=clearing_account(gateway),
        amount=amount,
        kind=TransferKind.PAYMENT,
        reference=f"payment:{gateway}:{reference}",
        actor=actor,
        note=note,
    )


def adjust(wallet: Account, *, amount: Decimal, reference: str, actor: Any = None, note: str = "") -> Transfer:
    """An operator's correction: a positive ``amount`` is given, a negative one is taken. Once per ``reference``.

    Raises InsufficientFunds when the wallet holds less than what is to be taken, InvalidAmount for zero, OwnMoney when
    ``actor`` owns the wallet; otherwise as ``payment``.
    """
    if actor is not None and wallet.user_id == actor.pk:
        raise OwnMoney("nobody adjusts their own balance")
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


def sell(order: Order) -> Order:
    """Keeps the new ``order`` and takes its charge: both or neither.

    Raises InsufficientFunds, and IntegrityError where the order breaks a rule of its table, such as being there twice.
    """
    if order.charge and connection.vendor == "postgresql" and _sell_in_one_statement(order):
        return order
    with transaction.atomic():
        # The wallet first, as in the one statement: two of the same request could wait for each other otherwise.
        # Nothing moves for an order that costs nothing.
        taken = _withdraw("user_id", order.user_id, order.charge, is_spent=True) if order.charge else None
        order.save(force_insert=True)
        if taken:
            _insert_charge(order, *taken)
    return order


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
    wallet_id, after = _deposit("user_id", order.user_id, added, is_spent=True)
    Transfer.objects.create(
        kind=TransferKind.REFUND,
        reference=f"refund:{order.pk}:{amounts.to_units(target, amounts.AMOUNT_PLACES)}",
        source=Account.objects.get(code=SALES),
        target_id=wallet_id,
        amount=added,
        wallet_id=wallet_id,
        wallet_after=after,
        order=order,
    )
    return added


def set_low_balance_alert(wallet: Account, *, below: Decimal | None) -> Account:
    """From now on its customer's programs are told when the balance falls below ``below``; None: no more."""
    if below is not None and below <= 0:
        raise InvalidAmount("a balance is low below an amount above zero")
    Account.objects.filter(pk=wallet.pk, kind=AccountKind.WALLET).update(warn_below=below)
    wallet.warn_below = below
    return wallet


def set_price_level(wallet: Account, *, level: PriceLevel | None, is_pinned: bool) -> Account:
    """An operator's decision. Unless it is pinned, ``raise_levels`` may raise the level later on."""
    Account.objects.filter(pk=wallet.pk, kind=AccountKind.WALLET).update(level=level, is_level_pinned=is_pinned)
    wallet.level, wallet.is_level_pinned = level, is_pinned
    return wallet


def raise_price_levels() -> int:
    """Puts every customer whose level is not pinned at the highest one that what they spent has reached.

    Nobody sinks: a level given by hand or reached before stays. Returns how many rose. One statement.
    """
    reached = PriceLevel.objects.filter(from_spend__lte=OuterRef("spent")).order_by("-discount", "-from_spend", "pk")
    best, gain = Subquery(reached.values("pk")[:1]), Subquery(reached.values("discount")[:1])
    wallets = Account.objects.filter(kind=AccountKind.WALLET, is_level_pinned=False).annotate(best=best, gain=gain)
    rising = wallets.filter(Q(level=None, best__isnull=False) | Q(gain__gt=F("level__discount")))
    return Account.objects.filter(pk__in=rising.values("pk")).update(level=best)


def _book(
    wallet: Account, *, house: Account, amount: Decimal, kind: str, reference: str, actor: Any, note: str
) -> Transfer:
    """Moves ``amount`` from the house to the wallet, or back if it is negative, unless ``reference`` was booked."""
    if len(reference) > REFERENCE_MAX or not reference.isprintable():
        raise InvalidReference(f"a reference has at most {REFERENCE_MAX} printable characters")
    done = _find_transfer(reference, wallet, amount)
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
        done = _find_transfer(reference, wallet, amount)
        if done is None:
            raise
        return done


def _find_transfer(reference: str, wallet: Account, amount: Decimal) -> Transfer | None:
    done = Transfer.objects.filter(reference=reference).first()
    if done and (done.wallet_id, done.amount, done.target_id == wallet.pk) != (wallet.pk, abs(amount), amount > 0):
        raise ReferenceReused(f"the reference {reference!r} was booked before for another customer or amount")
    return done


def _withdraw(column: str, key: int, amount: Decimal, *, is_spent: bool = False) -> tuple[int, Decimal]:
    """Takes ``amount`` from the wallet if it holds that much: judged and taken in one statement.

    Whoever asked to be told of a low balance is told when this is what makes it low.
    """
    units = amounts.to_units(amount, amounts.AMOUNT_PLACES)
    row = _update(-units, column, "balance >= %s", [key, units], is_spent=is_spent)
    if row is None:
        raise InsufficientFunds("the wallet holds less than this costs")
    wallet_id, user_id, after, warn_below = row
    if warn_below is not None and after < warn_below <= after + units:
        held, line = (amounts.plain(amounts.from_units(value, amounts.AMOUNT_PLACES)) for value in (after, warn_below))
        low = events.ShopEvent(topic=events.Topic.LOW_BALANCE, user_id=user_id, data={"balance": held, "below": line})
        events.publish([low])
    return wallet_id, amounts.from_units(after, amounts.AMOUNT_PLACES)


def _deposit(column: str, key: int, amount: Decimal, *, is_spent: bool = False) -> tuple[int, Decimal]:
    """Puts ``amount`` into the wallet, unless the sum would leave 64 bits: SQLite would go on with a float then."""
    units = amounts.to_units(amount, amounts.AMOUNT_PLACES)
    row = _update(units, column, "balance <= %s", [key, amounts.LARGEST - units], is_spent=is_spent)
    if row:
        return row[0], amounts.from_units(row[2], amounts.AMOUNT_PLACES)
    if Account.objects.filter(**{column: key}, kind=AccountKind.WALLET).exists():
        raise InvalidAmount("no wallet can hold that much")
    raise Account.DoesNotExist("this customer has no wallet")


def _update(
    change: int, column: str, condition: str, values: list[int], *, is_spent: bool
) -> tuple[int, int, int, int | None] | None:
    """The wallet's id, its customer's, its new balance, and when that is low; None where ``condition`` does not hold.

    What orders take and bring back counts as spent. All amounts are in millionths.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            # Only ``values`` come from outside, the words are constants of this module.
            f"UPDATE orders_account SET balance = balance + %s, spent = spent - %s WHERE {column} = %s"  # noqa: S608
            f" AND kind = 'wallet' AND {condition} RETURNING id, user_id, balance, warn_below",
            [change, change if is_spent else 0, *values],
        )
        row: tuple[int, int, int, int | None] | None = cursor.fetchone()
    return row


def _sell_in_one_statement(order: Order) -> bool:
    """What ``sell`` does, in one statement; PostgreSQL only. False, and nothing is done, unless it is that plain.

    Not plain: the wallet holds too little, or the charge makes its balance low and somebody wants to be told.
    """
    sale, fields = _sale_statement()
    charged = amounts.to_units(order.charge, amounts.AMOUNT_PLACES)
    row = [field.get_db_prep_save(field.pre_save(order, add=True), connection) for field in fields]
    values = [charged, charged, order.user_id, charged, charged, *row, charged]
    # Autocommit makes one statement a transaction; inside another transaction, a savepoint keeps its error from it.
    with transaction.atomic() if connection.in_atomic_block else nullcontext(), connection.cursor() as cursor:
        cursor.execute(sale, values)
        found = cursor.fetchone()
    if found is None:
        return False
    order.pk = found[0]
    order._state.adding, order._state.db = False, connection.alias
    return True


@cache
def _sale_statement() -> tuple[str, list[models.Field[Any, Any]]]:
    """The statement of ``_sold_at_once``, and the order's columns in the order of its values."""
    fields = [field for field in Order._meta.concrete_fields if not field.primary_key]
    names = ", ".join(str(field.column) for field in fields)
    # A value that is selected has no column to take its type from.
    values = ", ".join(f"%s::{(field.db_type(connection) or '').partition('(')[0]}" for field in fields)
    return (
        f"""
WITH paid AS (
    UPDATE orders_account SET balance = balance - %s, spent = spent + %s
    WHERE user_id = %s AND kind = 'wallet' AND balance >= %s
        AND (warn_below IS NULL OR balance < warn_below OR balance - %s >= warn_below)
    RETURNING id, balance
), placed AS (
    INSERT INTO orders_order ({names}) SELECT {values} FROM paid RETURNING id, created_at
), booked AS (
    INSERT INTO orders_transfer
        (kind, reference, source_id, target_id, amount, wallet_id, wallet_after, order_id, note, created_at)
    SELECT '{TransferKind.CHARGE.value}', 'charge:' || placed.id, paid.id,
        (SELECT id FROM orders_account WHERE code = '{SALES}'), %s, paid.id, paid.balance, placed.id, '',
        placed.created_at
    FROM paid, placed
)
SELECT id FROM placed""",  # noqa: S608  # the names are those of our own columns
        fields,
    )


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
                amounts.to_units(order.charge, amounts.AMOUNT_PLACES),
                wallet_id,
                amounts.to_units(after, amounts.AMOUNT_PLACES),
                order.pk,
                connection.ops.adapt_datetimefield_value(timezone.now()),
            ],
        )
