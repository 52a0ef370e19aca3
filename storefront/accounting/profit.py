"""Profit in a period by day, service, provider, customer or payment method, in the store currency.

Revenue, refunds, fees and bonuses are the transfers of the ledger in the period: what they change in the accounts of
the shop other than those of the payment gateways. The cost is that of the orders sent to providers in the period, at
the exchange rate when each was sent. All sums are made by the database.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import CharField, Exists, F, IntegerField, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.db import bulk
from orders.models import Account, Service, Transfer
from orders.models.ledger import AccountKind, TransferKind
from orders.rules import amounts
from providers.models import BILLED, Placement, Provider
from providers.placing import costs
from storefront.accounting.periods import DayNumber, Period, day_of
from storefront.payments.models import Payment, PaymentEntry, PaymentStatus

#: The reports: name in addresses, label.
REPORTS: Mapping[str, Any] = {
    "day": gettext_lazy("Day"),
    "service": gettext_lazy("Service"),
    "provider": gettext_lazy("Provider"),
    "customer": gettext_lazy("Customer"),
    "method": gettext_lazy("Payment method"),
}
#: The column of a transfer, by its kind and otherwise by the kind of the shop's account. Bonuses and fees are named
#: here before anything books them; what is in neither table is shown as "Other".
BY_KIND: Mapping[str, str] = {
    TransferKind.CHARGE: "revenue",
    TransferKind.REFUND: "refunds",
    TransferKind.ADJUSTMENT: "adjustments",
    TransferKind.BONUS: "bonuses",
    "fee": "fees",
}
BY_ACCOUNT: Mapping[str, str] = {
    AccountKind.ADJUSTMENTS: "adjustments",
    AccountKind.BONUSES: "bonuses",
    "fees": "fees",
}
#: Columns that show what is taken from the revenue, as amounts above zero.
DEDUCTIONS = ("refunds", "cost", "fees", "bonuses")
#: Kinds of accounts whose transfers earn and spend nothing: the customers' money, and what gateways and customers owe.
_NO_RESULT = (AccountKind.WALLET, AccountKind.CLEARING, AccountKind.DEBTS)
_ZERO = Decimal(0)


@dataclass(slots=True)
class Figures:
    """The figures of one row, in the store currency.

    ``other`` and ``adjustments`` are signed: above zero they earn something. Adjustments are no part of the profit:
    they correct balances and say nothing about what was sold.
    """

    revenue: Decimal = _ZERO
    refunds: Decimal = _ZERO
    cost: Decimal = _ZERO
    fees: Decimal = _ZERO
    bonuses: Decimal = _ZERO
    other: Decimal = _ZERO
    adjustments: Decimal = _ZERO
    #: Credited payments; only in the report by payment method.
    received: Decimal = _ZERO

    @property
    def profit(self) -> Decimal:
        return self.revenue - self.refunds - self.cost - self.fees - self.bonuses + self.other

    @property
    def margin(self) -> Decimal | None:
        """The profit as a share of what customers paid after refunds; None if they paid nothing."""
        paid = self.revenue - self.refunds
        return amounts.divide(self.profit, paid) if paid > 0 else None

    @property
    def is_empty(self) -> bool:
        return not any(getattr(self, column.name) for column in fields(self))

    def add(self, other: Figures) -> None:
        for column in fields(self):
            setattr(self, column.name, getattr(self, column.name) + getattr(other, column.name))


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a report; ``key`` is the day or the id of what the row is about, None if there is none."""

    key: Any
    label: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Report:
    """The rows of a report and their total. Submissions with an unknown outcome may or may not cost something."""

    name: str
    period: Period
    rows: list[Row]
    total: Figures = field(default_factory=Figures)
    in_doubt: int = 0


def report(name: str, period: Period) -> Report:
    """Return the report ``name`` (a key of ``REPORTS``) for ``period``: days in their order, others by revenue."""
    if name == "method":
        rows = _by_method(_collect("customer", period), period)
    else:
        figures = _collect(name, period)
        for key, amount in _fees(name, period):
            figures[key].fees += amount
        rows = _labelled(name, figures, period)
    made = Report(name, period, rows, in_doubt=_in_doubt(period))
    for row in rows:
        made.total.add(row.figures)
    return made


def _collect(name: str, period: Period) -> dict[Any, Figures]:
    """Return the figures by the key of a row; None is the key of what belongs to no row."""
    figures: dict[Any, Figures] = defaultdict(Figures)
    for key, column, amount in (*_transfers(name, period), *_costs(name, period)):
        found = figures[key]
        setattr(found, column, getattr(found, column) + amount)
    return figures


def _transfers(name: str, period: Period) -> Iterator[tuple[Any, str, Decimal]]:
    """Yield the key, the column and the amount of all transfers that change an account of the shop."""
    rows = Transfer.objects.filter(period.rows(Transfer)).order_by()
    if name != "provider":
        key = {"day": period.day_number(), "service": F("order__service"), "customer": F("wallet__user")}[name]
        yield from _sums(rows, key)
        return
    # An order's provider is the last one that took it. What no provider took is the rest: joining only the
    # submissions there are takes the database a fifth of the time of looking one up for each transfer.
    later = Placement.objects.filter(
        state__in=BILLED, order=OuterRef("order"), pk__gt=OuterRef("order__placements__pk")
    )
    is_billed = Q(order__placements__state__in=BILLED)
    rest: dict[str, Decimal] = defaultdict(Decimal)
    for _key, column, amount in _sums(rows, Value(None, output_field=IntegerField())):
        rest[column] += amount
    for key, column, amount in _sums(rows.filter(is_billed, ~Exists(later)), F("order__placements__provider")):
        rest[column] -= amount
        yield key, column, amount
    for column, amount in rest.items():
        yield None, column, amount


def _sums(rows: QuerySet[Transfer], key: Any) -> Iterator[tuple[Any, str, Decimal]]:
    house = dict(Account.objects.exclude(kind__in=_NO_RESULT).values_list("pk", "kind"))
    for side, sign in (("target", 1), ("source", -1)):
        found = rows.filter(**{f"{side}__in": house}).annotate(key=key).values("key", "kind", side)
        for value, kind, account, amount in found.annotate(sum=Sum("amount")).values_list("key", "kind", side, "sum"):
            column = BY_KIND.get(kind) or BY_ACCOUNT.get(house[account], "other")
            yield value, column, -sign * amount if column in DEDUCTIONS else sign * amount


def _costs(name: str, period: Period) -> Iterator[tuple[Any, str, Decimal]]:
    rows = Placement.objects.filter(period.rows(Placement), state__in=BILLED).order_by()
    key = {
        "day": period.day_number(),
        "service": F("order__service"),
        "provider": F("provider"),
        "customer": F("order__user"),
    }[name]
    sums = rows.annotate(key=key).values("key").annotate(sum=Sum(costs.StoreCost()))
    for value, amount in sums.values_list("key", "sum"):
        yield value, "cost", amount


def _fees(name: str, period: Period) -> Iterator[tuple[Any, Decimal]]:
    """Yield the key and the amount of what gateways kept, less what customers paid for it on top of their payments.

    Neither is in the ledger, because it never reaches a balance. A fee in the currency that was paid is converted at
    the exchange rate of the payment; one in any other currency, which has no rate, is counted as it is.
    """
    keys = {"day": period.day_number(), "customer": F("payment__user"), "method": _way("payment__")}
    key = keys.get(name, Value(None, output_field=IntegerField()))
    kept = PaymentEntry.objects.filter(period.rows(PaymentEntry), fee__gt=0).order_by().annotate(key=key)
    groups = ("key", "fee_currency", "payment__pay_currency", "payment__exchange_rate")
    for value, currency, paid_in, rate, fee in (
        kept.values(*groups).annotate(sum=Sum("fee")).values_list(*groups, "sum")
    ):
        is_foreign = currency == paid_in != settings.STORE_CURRENCY
        yield value, amounts.round_up(amounts.divide(fee, rate)) if is_foreign else fee
    keys = {"day": DayNumber(period, "credited_at"), "customer": F("user"), "method": _way()}
    key = keys.get(name, Value(None, output_field=IntegerField()))
    credited = Payment.objects.filter(credited_at__gte=period.start, credited_at__lt=period.end, fee__gt=0).order_by()
    for value, fee in credited.annotate(key=key).values("key").annotate(sum=Sum("fee")).values_list("key", "sum"):
        yield value, -(fee or _ZERO)  # grouped by a constant, the sum of no rows is a row


def _way(prefix: str = "") -> Any:
    """Return the expression for the gateway and the label of a payment."""
    return Concat(f"{prefix}gateway", Value(":"), f"{prefix}label", output_field=CharField())


def _in_doubt(period: Period) -> int:
    return Placement.objects.filter(period.rows(Placement), state="in_doubt").count()


# ------------------------------------------------------------------------------------------------ labels, order of rows


def _labelled(name: str, figures: Mapping[Any, Figures], period: Period) -> list[Row]:
    if name == "day":
        by_day = {day_of(number): found for number, found in figures.items()}
        return [Row(day, day.isoformat(), by_day.get(day, Figures())) for day in period.days]
    labels = _labels(name, [key for key in figures if key is not None])
    nothing = {"service": _("Not for an order"), "provider": _("No provider"), "customer": _("No customer")}[name]
    rows = [
        Row(key, nothing if key is None else labels.get(key, f"#{key}"), found)
        for key, found in figures.items()
        if not found.is_empty
    ]
    return sorted(rows, key=_by_revenue)


def _by_revenue(row: Row) -> tuple[bool, Decimal, Decimal, str]:
    return row.key is None, -row.figures.revenue, row.figures.cost, row.label


def _labels(name: str, keys: Iterable[Any]) -> dict[Any, str]:
    model: Any
    model, column = {
        "service": (Service, "name"),
        "provider": (Provider, "name"),
        "customer": (get_user_model(), "email"),
    }[name]
    return dict(model._default_manager.filter(pk__in=bulk.keys(keys)).values_list("pk", column))


# ------------------------------------------------------------------------------------------------ payment methods


def _by_method(by_customer: Mapping[Any, Figures], period: Period) -> list[Row]:
    """Share out each customer's figures by what the customer paid in with each method until the end of the period.

    Money in a balance has no name: which payment an order was bought with cannot be told. Shares are rounded so that
    their sum is exact.
    """
    credited = Payment.objects.filter(status=PaymentStatus.CREDITED, credited_at__lt=period.end).order_by()
    method = _way()
    paid: dict[Any, dict[str, int]] = defaultdict(dict)
    sums = credited.annotate(way=method).values("user", "way").annotate(sum=Sum("credited_amount"))
    for user, way, amount in sums.values_list("user", "way", "sum"):
        paid[user][way] = amounts.to_units(amount, amounts.AMOUNT_PLACES)
    figures: dict[str | None, Figures] = defaultdict(Figures)
    for user, found in by_customer.items():
        for way, share in _shares(found, paid.get(user, {})):
            figures[way].add(share)
    received = credited.filter(credited_at__gte=period.start).annotate(way=method).values("way")
    for way, amount in received.annotate(sum=Sum("credited_amount")).values_list("way", "sum"):
        figures[way].received += amount
    for way, amount in _fees("method", period):
        figures[way].fees += amount
    names = _method_names(way for way in figures if way is not None)
    rows = [
        Row(way, _("No payment") if way is None else names[way], found)
        for way, found in figures.items()
        if not found.is_empty
    ]
    return sorted(rows, key=_by_revenue)


def _method_names(ways: Iterable[str]) -> dict[str, str]:
    """Return the labels of the methods; two gateways with the same label are distinguished by their names."""
    labels = {way: way.partition(":")[2] or way.partition(":")[0] for way in ways}
    repeated = {label for label in labels.values() if list(labels.values()).count(label) > 1}
    return {way: f"{label} ({way.partition(':')[0]})" if label in repeated else label for way, label in labels.items()}


def _shares(figures: Figures, paid: Mapping[str, int]) -> Iterator[tuple[str | None, Figures]]:
    whole = sum(paid.values())
    if not whole:
        yield None, figures
        return
    shares = {way: Figures() for way in paid}
    for column in fields(figures):
        value = getattr(figures, column.name)
        units = amounts.to_units(value, amounts.AMOUNT_PLACES)
        given = 0
        *others, last = paid
        for way in others:
            part = units * paid[way] // whole
            given += part
            setattr(shares[way], column.name, amounts.from_units(part, amounts.AMOUNT_PLACES))
        setattr(shares[last], column.name, amounts.from_units(units - given, amounts.AMOUNT_PLACES))
    yield from shares.items()
