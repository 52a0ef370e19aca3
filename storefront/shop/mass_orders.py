"""Check and place mass orders. Each line is checked and bought on its own; checking charges nothing.

A line is identified by its content within one form: the same line of the same form buys once, even if the form is sent
twice, reloaded, reached with the back button, or if the line moves within the text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from orders.buying import checkout, idempotency
from orders.catalog import customer_pricing
from orders.catalog.customer_pricing import CustomerPricing
from orders.errors import (
    BalanceHeld,
    InsufficientFunds,
    InvalidAmount,
    LinkInUse,
    OrderInvalid,
    OrdersError,
    PriceChanged,
    ServiceNotSold,
)
from orders.models import Order, Service
from orders.models.order import Source
from orders.rules import amounts, same_link
from storefront.shop import input_texts, purchase
from storefront.shop.mass_order_parser import MassOrderLine
from storefront.web import formats, query_params


@dataclass(slots=True)
class MassOrderRow:
    """A checked line. ``occurrence`` is its number among identical lines, from 1; 0 for a line without a service."""

    line: MassOrderLine
    service: Service | None = None
    fingerprint: str = ""
    occurrence: int = 0
    link: str = ""
    quantity: int = 0
    charge: Decimal = Decimal(0)
    problem: str = ""
    order: Order | None = None

    @property
    def is_ready(self) -> bool:
        return not self.problem and self.order is None

    @property
    def confirmed(self) -> str:
        """The line with its price, posted back as what the customer saw and confirmed."""
        return f"{self.fingerprint}.{self.occurrence}:{amounts.plain(self.charge)}"


@dataclass(slots=True)
class MassOrder:
    """The checked lines in their order in the text, and what the balance covers."""

    rows: list[MassOrderRow]
    balance: Decimal
    #: How often each line was bought already, by fingerprint; the bought copies have left the text.
    offsets: Mapping[str, int] = field(default_factory=dict)
    pricing: CustomerPricing = customer_pricing.LIST_PRICES

    @property
    def invalid(self) -> list[MassOrderRow]:
        return [row for row in self.rows if row.problem]

    @property
    def ready(self) -> list[MassOrderRow]:
        return [row for row in self.rows if row.is_ready]

    @property
    def placed(self) -> list[MassOrderRow]:
        return [row for row in self.rows if row.order]

    @property
    def total(self) -> Decimal:
        return sum((row.charge for row in self.ready), Decimal(0))

    @property
    def balance_after(self) -> Decimal:
        return self.balance - self.total

    @property
    def shortfall(self) -> Decimal:
        return max(-self.balance_after, Decimal(0))

    @property
    def paid(self) -> Decimal:
        return sum((row.order.charge for row in self.rows if row.order), Decimal(0))

    @property
    def affordable(self) -> list[MassOrderRow]:
        """The first lines that the balance covers, up to the first one that it does not."""
        balance_after, affordable = self.balance, []
        for row in self.ready:
            balance_after -= row.charge
            if balance_after < 0:
                break
            affordable.append(row)
        return affordable

    @property
    def affordable_total(self) -> Decimal:
        return sum((row.charge for row in self.affordable), Decimal(0))

    @property
    def confirmed(self) -> str:
        return " ".join(row.confirmed for row in self.affordable)

    @property
    def purchase_counts(self) -> str:
        """How often the lines that are still in the text were bought already, to be posted back."""
        bought = Counter({**self.offsets})
        bought.update(row.fingerprint for row in self.rows if row.order)
        remaining = {row.fingerprint for row in self.rows if row.order is None}
        return " ".join(
            f"{fingerprint}:{count}" for fingerprint, count in bought.items() if count and fingerprint in remaining
        )


def check_lines(
    user: Any, lines: Iterable[MassOrderLine], *, balance: Decimal, form: str, offsets: Mapping[str, int] | None = None
) -> MassOrder:
    """Check every line, without writes and in at most five queries for any number of lines."""
    mass_order = MassOrder([MassOrderRow(line, problem=line.problem) for line in lines], balance, offsets or {})
    mass_order.pricing = _load_services(user, mass_order.rows)
    seen = Counter(mass_order.offsets)
    for row in mass_order.rows:
        if row.service is None:
            continue
        key = idempotency.fingerprint(row.service.pk, row.line.inputs)
        row.fingerprint = f"{key & (1 << 64) - 1:016x}"
        seen[row.fingerprint] += 1
        row.occurrence = seen[row.fingerprint]
        _quote(row, mass_order.pricing)
    _load_existing_orders(user, mass_order.rows, form)
    _reject_locked_links(mass_order.rows)
    return mass_order


def place_orders(user: Any, mass_order: MassOrder, *, form: str, confirmed: Mapping[str, Decimal]) -> MassOrder:
    """Buy the confirmed lines one after the other, each in its own transaction.

    A line whose text or price changed since the check is not bought. Buying stops when the balance is too low.

    Args:
        confirmed: The price in store currency that the customer saw, by line (``parse_confirmed``).
    """
    ready, affordable_ids = mass_order.ready, {id(row) for row in mass_order.affordable}
    is_out_of_funds = False
    for row in ready:
        price = confirmed.get(f"{row.fingerprint}.{row.occurrence}")
        if is_out_of_funds or (price is None and id(row) not in affordable_ids):
            row.problem = _low_balance_text()
        elif price is None:
            row.problem = _("Not placed because the line is new since the last check. Check the lines again.")
        else:
            is_out_of_funds = not _buy(
                user, row, f"{form}:{row.fingerprint}:{row.occurrence}", mass_order.pricing, price
            )
    return mass_order


def parse_confirmed(text: str) -> dict[str, Decimal]:
    """Return the confirmed prices by line; an unreadable price counts as not confirmed."""
    confirmed = {}
    for part in text.split():
        name, _colon, price = part.partition(":")
        try:
            confirmed[name] = amounts.parse(price)
        except InvalidAmount:
            continue
    return confirmed


def parse_offsets(text: str) -> dict[str, int]:
    """Return how often each line was bought already, as ``MassOrder.purchase_counts`` wrote it."""
    parts = (part.partition(":") for part in text.split())
    return {
        fingerprint: count
        for fingerprint, _colon, digits in parts
        if (count := query_params.number(digits)) is not None
    }


def _load_services(user: Any, rows: list[MassOrderRow]) -> CustomerPricing:
    """Assign each row its service and return the customer's pricing: one query, and two for the pricing."""
    service_ids = {}
    for row in rows:
        number = query_params.number(row.line.inputs.get("service", ""))
        if row.problem:
            continue
        if number is None:
            row.problem = _("Enter a service ID first, for example 12.")
        else:
            service_ids[row.line.number] = number
    on_sale = Service.objects.on_sale().in_language()
    services = {service.pk: service for service in on_sale.filter(pk__in={*service_ids.values()})}
    for row in rows:
        number = service_ids.get(row.line.number)
        row.service = services.get(number) if number is not None else None
        if number is not None and row.service is None:
            row.problem = _("No service on sale has the ID %s.") % number
    return customer_pricing.pricing_for(user, *services) if services else customer_pricing.LIST_PRICES


def _quote(row: MassOrderRow, pricing: CustomerPricing) -> None:
    assert row.service is not None
    row.link = row.line.inputs.get("link", "") or row.line.inputs.get("username", "")
    try:
        quoted = checkout.quote(row.service, inputs=row.line.inputs, pricing=pricing)
    except OrdersError as problem:
        row.problem = problem_text(problem)
    else:
        row.quantity, row.charge = quoted.details.quantity, quoted.charge


def problem_text(problem: OrdersError) -> str:
    """Return why a line cannot be bought, in the words of the order form."""
    match problem:
        case OrderInvalid(problems=problems):
            return " ".join(f"{input_texts.label(error.field)}: {input_texts.error_text(error)}" for error in problems)
        case PriceChanged(charge=charge):
            return _("Not placed because the price changed to %s. Check the lines again.") % formats.money(charge)
        case LinkInUse():
            return input_texts.error_text(purchase.LINK_IN_USE)
        case ServiceNotSold():
            return _("This service is temporarily unavailable.")
    return _("This line can't be ordered.")


def _load_existing_orders(user: Any, rows: list[MassOrderRow], form: str) -> None:
    """Assign orders to the rows that this form has bought already: one query."""
    numbers = {f"{form}:{row.fingerprint}:{row.occurrence}": row for row in rows if row.fingerprint}
    for order in Order.objects.of(user).filter(request_id__in=numbers).with_service():
        row = numbers[order.request_id or ""]
        row.order, row.problem, row.quantity, row.charge = order, "", order.quantity, order.charge


def _reject_locked_links(rows: list[MassOrderRow]) -> None:
    """Reject lines whose link is locked by an open order or by an earlier line: at most one query."""
    rows_by_lock: dict[int, list[MassOrderRow]] = {}
    for row in rows:
        if row.is_ready and row.service and row.service.is_one_per_link and row.link:
            rows_by_lock.setdefault(same_link.lock(row.service.pk, row.line.inputs.get("link", "")), []).append(row)
    if not rows_by_lock:
        return
    locked = {*Order.objects.open().filter(link_lock__in=rows_by_lock).values_list("link_lock", flat=True)}
    for lock, lock_rows in rows_by_lock.items():
        for row in lock_rows if lock in locked else lock_rows[1:]:
            row.problem = problem_text(LinkInUse())


def _buy(user: Any, row: MassOrderRow, request_id: str, pricing: CustomerPricing, price: Decimal) -> bool:
    """Buy one line or store the reason in it. Return False if the balance is too low, so that buying stops."""
    assert row.service is not None
    try:
        row.order = checkout.place_order(
            user,
            service=row.service,
            inputs=row.line.inputs,
            source=Source.PAGE,
            request_id=request_id,
            pricing=pricing,
            shown_charge=price,
        )
    except BalanceHeld:
        row.problem = _("Not placed because your balance is on hold. Contact support.")
        return False
    except InsufficientFunds:
        row.problem = _low_balance_text()
        return False
    except OrdersError as problem:
        row.problem = problem_text(problem)
    return True


def _low_balance_text() -> str:
    return _("Not placed because your balance is too low.")
