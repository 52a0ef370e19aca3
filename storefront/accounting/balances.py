"""Balances of the ledger's accounts at the end of any day, from the transfers alone.

A balance is all incoming transfers less all outgoing ones. It is a credit if it is above zero (money of customers,
sales) and a debit below (money that payment gateways owe us, bonuses given). The sum of all accounts is zero, at
every moment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from orders.models import Account, Transfer
from orders.models.ledger import AccountKind
from storefront.accounting import periods
from storefront.accounting.periods import Period
from storefront.web import query_params
from storefront.web.id_ranges import first_since

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a trial balance; ``account`` is None for the line of all customers together."""

    account: Account | None
    balance: Decimal

    @property
    def debit(self) -> Decimal:
        return max(-self.balance, _ZERO)

    @property
    def credit(self) -> Decimal:
        return max(self.balance, _ZERO)


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """The balances of all accounts at the end of ``day``."""

    day: date
    lines: Sequence[Line]
    customers: int

    @property
    def debit(self) -> Decimal:
        return sum((line.debit for line in self.lines), _ZERO)

    @property
    def credit(self) -> Decimal:
        return sum((line.credit for line in self.lines), _ZERO)

    @property
    def is_balanced(self) -> bool:
        return self.debit == self.credit


@dataclass(frozen=True, slots=True)
class Movement:
    """The incoming and outgoing amounts of an account in a period, by kind of transfer."""

    kind: str
    count: int
    incoming: Decimal
    outgoing: Decimal


@dataclass(frozen=True, slots=True)
class AccountStatement:
    account: Account
    opening: Decimal
    movements: Sequence[Movement]

    @property
    def closing(self) -> Decimal:
        return self.opening + sum((one.incoming - one.outgoing for one in self.movements), _ZERO)


def trial_balance(day: date) -> TrialBalance:
    """Return the trial balance at the end of ``day``: a line for each account of the shop, one for all customers."""
    totals: dict[Any, Decimal] = defaultdict(Decimal)
    for side, sign in (("target", 1), ("source", -1)):
        house = _until(day).exclude(**{f"{side}__kind": AccountKind.WALLET}).values(side)
        for account, amount in house.annotate(sum=Sum("amount")).values_list(side, "sum"):
            totals[account] += sign * amount
        wallets = _until(day).filter(**{f"{side}__kind": AccountKind.WALLET}).aggregate(sum=Sum("amount"))["sum"]
        totals[None] += sign * (wallets or _ZERO)
    accounts = Account.objects.exclude(kind=AccountKind.WALLET).order_by("kind", "code")
    lines = [Line(account, totals[account.pk]) for account in accounts]
    customers = Account.objects.filter(kind=AccountKind.WALLET).count()
    return TrialBalance(day, [Line(None, totals[None]), *lines], customers)


def every_balance(day: date) -> Iterator[Line]:
    """Yield a line for every account, each customer's included, at the end of ``day``."""
    totals: dict[int, Decimal] = defaultdict(Decimal)
    for side, sign in (("target", 1), ("source", -1)):
        sums = _until(day).values(side).annotate(sum=Sum("amount")).values_list(side, "sum")
        for account, amount in sums.iterator(chunk_size=2000):
            totals[account] += sign * amount
    for account in Account.objects.select_related("user").order_by("kind", "code", "pk").iterator(chunk_size=2000):
        yield Line(account, totals[account.pk])


def balance_at(account: Account, day: date) -> Decimal:
    """Return the balance of ``account`` at the end of ``day``."""
    return _sum(_until(day).filter(target=account)) - _sum(_until(day).filter(source=account))


def statement(account: Account, period: Period) -> AccountStatement:
    """Return the balance before ``period`` and what moved in it."""
    opening = balance_at(account, period.first - periods.DAY)
    rows = transfers(account, period).order_by().values("kind")
    sums = rows.annotate(
        count=Count("pk"), came=Sum("amount", filter=Q(target=account)), went=Sum("amount", filter=Q(source=account))
    )
    movements = [
        Movement(row["kind"], row["count"], row["came"] or _ZERO, row["went"] or _ZERO) for row in sums.order_by("kind")
    ]
    return AccountStatement(account, opening, movements)


def transfers(account: Account, period: Period) -> QuerySet[Transfer]:
    """Return the transfers of ``account`` in ``period``, oldest first."""
    return Transfer.objects.filter(Q(source=account) | Q(target=account), period.rows(Transfer)).order_by("pk")


def find_account(text: str) -> Account | None:
    """Return the account with this id, code, or customer's email address; None if there is none."""
    text = query_params.without_nul(text).strip()
    if not text:
        return None
    accounts = Account.objects.select_related("user")
    if (key := query_params.number(text)) is not None:
        return accounts.filter(pk=key).first()
    return accounts.filter(Q(code=text) | Q(user__email=text.lower())).first()


def day_from(query: Mapping[str, str]) -> date:
    """Return the day that a page was asked for; today if it cannot be read or is in the future."""
    return periods.parse({"from": query.get("date", ""), "to": query.get("date", "")}).last


def _until(day: date) -> QuerySet[Transfer]:
    end = periods.midnight(day + periods.DAY)
    return Transfer.objects.filter(pk__lt=first_since(Transfer, end + periods.DISORDER), created_at__lt=end).order_by()


def _sum(rows: QuerySet[Transfer]) -> Decimal:
    return rows.aggregate(sum=Sum("amount"))["sum"] or _ZERO
