"""Charges, refunds, payments and their reversal, adjustments and bonuses; the only module that moves money.

Each movement is one conditional UPDATE of the wallet and one Transfer, in one transaction. The UPDATE checks and
changes the balance in the same statement, so the same money cannot be spent twice; the unique reference makes a second
call harmless. The lock order everywhere is the order's row, then the wallet's row. For a new order, which nobody else
can lock, the wallet comes first.
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
from orders.db.kept_cursor import fetch_rows
from orders.db.money_fields import MoneyField
from orders.errors import BalanceHeld, InsufficientFunds, InvalidAmount, InvalidReference, OwnMoney, ReferenceReused
from orders.models import Account, Order, PriceLevel, Transfer
from orders.models.ledger import AccountKind, TransferKind
from orders.rules import amounts

SALES = "sales"
ADJUSTMENTS = "adjustments"
BONUSES = "bonuses"
DEBTS = "debts"
#: The length of the column, in characters.
REFERENCE_MAX = 200


def open_wallet(user: Any) -> Account:
    """Return the customer's wallet; create it with a zero balance the first time."""
    wallet, _ = Account.objects.get_or_create(
        user=user,
        defaults={"kind": AccountKind.WALLET, "balance": Decimal(0), "currency": settings.STORE_CURRENCY},
    )
    return wallet


def clearing_account(gateway: str) -> Account:
    """Return the clearing account of a gateway's payments; create it on first use."""
    account, _ = Account.objects.get_or_create(
        code=f"clearing:{gateway}", defaults={"kind": AccountKind.CLEARING, "currency": settings.STORE_CURRENCY}
    )
    return account


def credit_payment(
    wallet: Account, *, amount: Decimal, gateway: str, reference: str, actor: Any = None, note: str = ""
) -> Transfer:
    """Credit a payment to the wallet, once per ``reference``.

    Returns:
        The Transfer, new or booked before.

    Raises:
        ReferenceReused: The reference was booked for another wallet or amount.
        InvalidAmount: The amount is not above zero, or the wallet cannot hold it.
        InvalidReference: The reference is too long or not printable.
    """
    if amount <= 0:
        raise InvalidAmount("the amount must be above zero")
    with transaction.atomic():
        transfer = _book(
            wallet,
            house=clearing_account(gateway),
            amount=amount,
            kind=TransferKind.PAYMENT,
            reference=f"payment:{gateway}:{reference}",
            actor=actor,
            note=note,
        )
        _settle_debt(wallet, because=transfer)
    return transfer


@transaction.atomic
def reverse_payment(
    wallet: Account,
    *,
    amount: Decimal,
    gateway: str,
    reference: str,
    may_owe: bool,
    actor: Any = None,
    note: str = "",
) -> tuple[Decimal, Decimal]:
    """Take back a payment, or a part of it, once per ``reference``: it was refunded or charged back.

    What the balance does not cover becomes a debt, which the customer's next payments settle.

    Args:
        may_owe: Whether a debt may be booked.

    Returns:
        What was taken from the balance, and what became a debt.

    Raises:
        InsufficientFunds: The balance does not cover the amount, and ``may_owe`` is false. Nothing was booked.
        InvalidAmount, InvalidReference, ReferenceReused: As for ``credit_payment``.
    """
    if amount <= 0:
        raise InvalidAmount("the amount must be above zero")
    locked = Account.objects.select_for_update().get(pk=wallet.pk, kind=AccountKind.WALLET)
    name = f"{gateway}:{reference}"
    booked = dict(
        Transfer.objects.filter(reference__in=[f"reversal:{name}", f"owed:{name}"]).values_list("kind", "amount")
    )
    if booked:
        if sum(booked.values(), Decimal(0)) != amount:
            raise ReferenceReused(f"the reference {name!r} was used before for another amount")
        return booked.get(TransferKind.REVERSAL, Decimal(0)), booked.get(TransferKind.DEBT, Decimal(0))
    taken = min(locked.balance or Decimal(0), amount)
    owed = amount - taken
    if owed and not may_owe:
        raise InsufficientFunds("the balance is too low")
    if taken:
        _book(
            wallet,
            house=clearing_account(gateway),
            amount=-taken,
            kind=TransferKind.REVERSAL,
            reference=f"reversal:{name}",
            actor=actor,
            note=note,
        )
    if owed:
        Account.objects.filter(pk=wallet.pk).update(debt=F("debt") + models.Value(owed, output_field=MoneyField()))
        Transfer.objects.create(
            kind=TransferKind.DEBT,
            reference=f"owed:{name}",
            source=Account.objects.get(code=DEBTS),
            target=clearing_account(gateway),
            amount=owed,
            actor=actor,
            note=note,
        )
    return taken, owed


def restore_payment(
    wallet: Account, *, amount: Decimal, gateway: str, reference: str, actor: Any = None, note: str = ""
) -> Transfer:
    """Give back what ``reverse_payment`` took, once per ``reference``: a dispute was won or a refund failed.

    A debt of the customer is settled from it first.

    Raises:
        InvalidAmount, InvalidReference, ReferenceReused: As for ``credit_payment``.
    """
    if amount <= 0:
        raise InvalidAmount("the amount must be above zero")
    with transaction.atomic():
        transfer = _book(
            wallet,
            house=clearing_account(gateway),
            amount=amount,
            kind=TransferKind.REVERSAL,
            reference=f"restored:{gateway}:{reference}",
            actor=actor,
            note=note,
        )
        _settle_debt(wallet, because=transfer)
    return transfer


def set_held(wallet: Account, *, is_held: bool) -> Account:
    """Hold the balance, so that nothing can be bought with it, or release it."""
    Account.objects.filter(pk=wallet.pk, kind=AccountKind.WALLET).update(is_held=is_held)
    wallet.is_held = is_held
    return wallet


def adjust(wallet: Account, *, amount: Decimal, reference: str, actor: Any = None, note: str = "") -> Transfer:
    """Book an operator's adjustment, once per ``reference``.

    Args:
        amount: Positive to credit the wallet, negative to debit it.

    Raises:
        InsufficientFunds: The balance is below the amount to debit.
        InvalidAmount: The amount is zero, or the wallet cannot hold it.
        OwnMoney: ``actor`` owns the wallet.
        ReferenceReused: The reference was booked for another wallet or amount.
        InvalidReference: The reference is too long or not printable.
    """
    if actor is not None and wallet.user_id == actor.pk:
        raise OwnMoney("you cannot adjust your own balance")
    if not amount:
        raise InvalidAmount("the amount must not be zero")
    return _book(
        wallet,
        house=Account.objects.get(code=ADJUSTMENTS),
        amount=amount,
        kind=TransferKind.ADJUSTMENT,
        reference=f"adjust:{reference}",
        actor=actor,
        note=note,
    )


def book_bonus(wallet: Account, *, amount: Decimal, reference: str, note: str = "") -> Transfer:
    """Give a bonus of the shop, or take it back, once per ``reference``.

    Args:
        amount: Positive to give the bonus, negative to take it back.

    Raises:
        InsufficientFunds: The balance is below the amount to take back.
        InvalidAmount: The amount is zero, or the wallet cannot hold it.
        ReferenceReused: The reference was booked for another wallet or amount.
        InvalidReference: The reference is too long or not printable.
    """
    if not amount:
        raise InvalidAmount("the amount must not be zero")
    return _book(
        wallet,
        house=Account.objects.get(code=BONUSES),
        amount=amount,
        kind=TransferKind.BONUS,
        reference=f"bonus:{reference}",
        actor=None,
        note=note,
    )


def sell(order: Order) -> Order:
    """Insert the new ``order`` and charge the wallet for it, both or neither.

    Raises:
        InsufficientFunds: The balance is below the charge.
        IntegrityError: The order violates a constraint of its table, such as being a duplicate.
    """
    if order.charge and connection.vendor == "postgresql" and _sell_in_one_statement(order):
        return order
    with transaction.atomic():
        # Update the wallet first, as the single statement does: otherwise two identical requests could deadlock.
        # An order that costs nothing moves no money.
        taken = _withdraw("user_id", order.user_id, order.charge, is_spent=True) if order.charge else None
        order.save(force_insert=True)
        if taken:
            _insert_charge(order, *taken)
    return order


def refund(order: Order, *, target: Decimal) -> Decimal:
    """Raise the total refund of ``order`` to ``target``.

    ``order`` must be locked by the caller's transaction. The sum of refunds never exceeds the charge.

    Returns:
        The amount added now; zero if that much was refunded before.
    """
    target = min(target, order.charge)
    added = target - order.refunded
    if added <= 0:
        return Decimal(0)
    if not Order.objects.filter(pk=order.pk, refunded=order.refunded).update(refunded=target):
        raise RuntimeError(f"order {order.pk} was refunded by another process: its row was not locked")
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
    """Set the balance below which the customer is notified; None turns the alert off."""
    if below is not None and below <= 0:
        raise InvalidAmount("the limit must be above zero")
    Account.objects.filter(pk=wallet.pk, kind=AccountKind.WALLET).update(warn_below=below)
    wallet.warn_below = below
    return wallet


def set_price_level(wallet: Account, *, level: PriceLevel | None, is_pinned: bool) -> Account:
    """Set the wallet's price level; unless it is pinned, ``raise_price_levels`` may raise it later."""
    Account.objects.filter(pk=wallet.pk, kind=AccountKind.WALLET).update(level=level, is_level_pinned=is_pinned)
    wallet.level, wallet.is_level_pinned = level, is_pinned
    return wallet


def raise_price_levels() -> int:
    """Give every customer without a pinned level the highest level that their spending has reached.

    No level is lowered: one that was set by hand or reached before stays. One statement.

    Returns:
        The number of customers whose level rose.
    """
    reached = PriceLevel.objects.filter(from_spend__lte=OuterRef("spent")).order_by("-discount", "-from_spend", "pk")
    best, gain = Subquery(reached.values("pk")[:1]), Subquery(reached.values("discount")[:1])
    wallets = Account.objects.filter(kind=AccountKind.WALLET, is_level_pinned=False).annotate(best=best, gain=gain)
    rising = wallets.filter(Q(level=None, best__isnull=False) | Q(gain__gt=F("level__discount")))
    return Account.objects.filter(pk__in=rising.values("pk")).update(level=best)


def _book(
    wallet: Account, *, house: Account, amount: Decimal, kind: str, reference: str, actor: Any, note: str
) -> Transfer:
    """Move ``amount`` from the house account to the wallet, or back if negative, unless ``reference`` was booked."""
    if len(reference) > REFERENCE_MAX or not reference.isprintable():
        raise InvalidReference(f"a reference can have at most {REFERENCE_MAX} printable characters")
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
        # Another process may have booked the same reference between our query and our write: return its transfer.
        done = _find_transfer(reference, wallet, amount)
        if done is None:
            raise
        return done


def _settle_debt(wallet: Account, *, because: Transfer) -> None:
    """Pay the customer's debt from the balance, as far as both go. Call it in the transaction of the credit."""
    debt = Account.objects.filter(pk=wallet.pk, debt__gt=0).values_list("debt", flat=True).first()
    if not debt:
        return
    locked = Account.objects.select_for_update().get(pk=wallet.pk)
    part = min(locked.debt, locked.balance or Decimal(0))
    reference = f"settled:{because.pk}"
    if part <= 0 or Transfer.objects.filter(reference=reference).exists():
        return
    Account.objects.filter(pk=wallet.pk).update(debt=F("debt") - models.Value(part, output_field=MoneyField()))
    _book(
        wallet,
        house=Account.objects.get(code=DEBTS),
        amount=-part,
        kind=TransferKind.DEBT,
        reference=reference,
        actor=None,
        note=because.note,
    )


def _find_transfer(reference: str, wallet: Account, amount: Decimal) -> Transfer | None:
    done = Transfer.objects.filter(reference=reference).first()
    if done and (done.wallet_id, done.amount, done.target_id == wallet.pk) != (wallet.pk, abs(amount), amount > 0):
        raise ReferenceReused(f"the reference {reference!r} was used before for another customer or amount")
    return done


def _withdraw(column: str, key: int, amount: Decimal, *, is_spent: bool = False) -> tuple[int, Decimal]:
    """Debit ``amount`` if the balance covers it, checked and changed in one statement.

    Publishes a low balance event if this debit takes the balance below the customer's limit.
    """
    units = amounts.to_units(amount, amounts.AMOUNT_PLACES)
    # A balance on hold buys nothing, but payments that are taken back and adjustments may still lower it.
    condition = "balance >= %s AND NOT is_held" if is_spent else "balance >= %s"
    row = _update(-units, column, condition, [key, units], is_spent=is_spent)
    if row is None:
        if is_spent and Account.objects.filter(**{column: key}, kind=AccountKind.WALLET, is_held=True).exists():
            raise BalanceHeld("the balance is on hold")
        raise InsufficientFunds("the balance is too low")
    wallet_id, user_id, after, warn_below = row
    if warn_below is not None and after < warn_below <= after + units:
        held, line = (amounts.plain(amounts.from_units(value, amounts.AMOUNT_PLACES)) for value in (after, warn_below))
        low = events.ShopEvent(topic=events.Topic.LOW_BALANCE, user_id=user_id, data={"balance": held, "below": line})
        events.publish([low])
    return wallet_id, amounts.from_units(after, amounts.AMOUNT_PLACES)


def _deposit(column: str, key: int, amount: Decimal, *, is_spent: bool = False) -> tuple[int, Decimal]:
    """Credit ``amount``, unless the sum exceeds 64 bits: SQLite would continue with an inexact float."""
    units = amounts.to_units(amount, amounts.AMOUNT_PLACES)
    row = _update(units, column, "balance <= %s", [key, amounts.LARGEST - units], is_spent=is_spent)
    if row:
        return row[0], amounts.from_units(row[2], amounts.AMOUNT_PLACES)
    if Account.objects.filter(**{column: key}, kind=AccountKind.WALLET).exists():
        raise InvalidAmount("the balance would exceed the maximum")
    raise Account.DoesNotExist("this customer has no account")


def _update(
    change: int, column: str, condition: str, values: list[int], *, is_spent: bool
) -> tuple[int, int, int, int | None] | None:
    """Add ``change`` to the balance of a wallet if ``condition`` holds.

    Args:
        change: Millionths of the store currency.
        column: The column that identifies the wallet; the first of ``values`` is its value.
        is_spent: Whether the change also counts in ``spent``, as charges and refunds of orders do.

    Returns:
        The ids of the wallet and its customer, the new balance and the low balance limit (both in millionths); None
        if there is no such wallet or ``condition`` does not hold.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            # Only ``values`` come from outside; ``column`` and ``condition`` are constants of this module.
            f"UPDATE orders_account SET balance = balance + %s, spent = spent - %s WHERE {column} = %s"  # noqa: S608
            f" AND kind = 'wallet' AND {condition} RETURNING id, user_id, balance, warn_below",
            [change, change if is_spent else 0, *values],
        )
        row: tuple[int, int, int, int | None] | None = cursor.fetchone()
    return row


def _sell_in_one_statement(order: Order) -> bool:
    """Do what ``sell`` does in one statement; PostgreSQL only.

    Returns:
        False, with nothing written, if the balance is too low or on hold, or the charge takes it below the low balance
        limit.
    """
    sale, fields = _sale_statement()
    charged = amounts.to_units(order.charge, amounts.AMOUNT_PLACES)
    row = [field.get_db_prep_save(field.pre_save(order, add=True), connection) for field in fields]
    values = [charged, charged, order.user_id, charged, charged, *row, charged]
    # With autocommit a single statement is a transaction; inside a transaction, a savepoint contains its error.
    with transaction.atomic() if connection.in_atomic_block else nullcontext():
        found = fetch_rows(sale, values)
    if not found:
        return False
    order.pk = found[0][0]
    order._state.adding, order._state.db = False, connection.alias
    return True


@cache
def _sale_statement() -> tuple[str, list[models.Field[Any, Any]]]:
    """Return the statement of ``_sell_in_one_statement``, and the order's fields in the order of its values."""
    fields = [field for field in Order._meta.concrete_fields if not field.primary_key]
    names = ", ".join(str(field.column) for field in fields)
    # PostgreSQL cannot infer the type of a value in a SELECT from the column it is inserted into.
    values = ", ".join(f"%s::{(field.db_type(connection) or '').partition('(')[0]}" for field in fields)
    return (
        f"""
WITH paid AS (
    UPDATE orders_account SET balance = balance - %s, spent = spent + %s
    WHERE user_id = %s AND kind = 'wallet' AND balance >= %s AND NOT is_held
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
    """Insert the Transfer of a charge in one statement.

    Every purchase comes through here, so the sales account is found by its code in the same statement.
    """
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
