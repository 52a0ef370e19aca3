"""Many orders at once: each line judged on its own, then bought on its own. Checking charges nothing.

A line is known by what it says, in a form with a number: the same line of the same form buys once, whatever was sent
twice, reloaded, reached by "back" or moved to another place in the text.
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
from storefront.shop import labels, purchase
from storefront.shop.mass_order_parser import MassOrderLine
from storefront.web import formats, query_params


@dataclass(slots=True)
class MassOrderRow:
    """A line of the table. ``mark`` is what it says, ``nth`` the how manieth of its kind; 0 where it says nothing."""

    line: MassOrderLine
    service: Service | None = None
    mark: str = ""
    nth: int = 0
    link: str = ""
    quantity: int = 0
    charge: Decimal = Decimal(0)
    problem: str = ""
    order: Order | None = None

    @property
    def is_ready(self) -> bool:
        return not self.problem and self.order is None

    @property
    def agreed(self) -> str:
        """The line at its price, to be posted back as what the customer saw."""
        return f"{self.mark}.{self.nth}:{amounts.plain(self.charge)}"


@dataclass(slots=True)
class MassOrder:
    """The lines as judged, in the order they are written in, and how far the wallet reaches."""

    rows: list[MassOrderRow]
    balance: Decimal
    #: How often lines of the text were bought before their copies left it.
    offsets: Mapping[str, int] = field(default_factory=dict)
    paid_by: CustomerPricing = customer_pricing.LIST_PRICES

    @property
    def wrong(self) -> list[MassOrderRow]:
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
    def left(self) -> Decimal:
        return self.balance - self.total

    @property
    def missing(self) -> Decimal:
        return max(-self.left, Decimal(0))

    @property
    def paid(self) -> Decimal:
        return sum((row.order.charge for row in self.rows if row.order), Decimal(0))

    @property
    def fitting(self) -> list[MassOrderRow]:
        """The first lines that the wallet holds enough for; those after the first one that does not fit wait."""
        left, fitting = self.balance, []
        for row in self.ready:
            left -= row.charge
            if left < 0:
                break
            fitting.append(row)
        return fitting

    @property
    def fitting_total(self) -> Decimal:
        return sum((row.charge for row in self.fitting), Decimal(0))

    @property
    def agreed(self) -> str:
        return " ".join(row.agreed for row in self.fitting)

    @property
    def bought_before(self) -> str:
        """How often lines that are still in the text were bought already, to be posted back."""
        bought = Counter({**self.offsets})
        bought.update(row.mark for row in self.rows if row.order)
        staying = {row.mark for row in self.rows if row.order is None}
        return " ".join(f"{mark}:{count}" for mark, count in bought.items() if count and mark in staying)


def check_lines(
    user: Any, lines: Iterable[MassOrderLine], *, balance: Decimal, form: str, offsets: Mapping[str, int] | None = None
) -> MassOrder:
    """Judges every line; writes nothing. The same five queries at most for any number of lines."""
    sheet = MassOrder([MassOrderRow(line, problem=line.problem) for line in lines], balance, offsets or {})
    sheet.paid_by = _find_services(user, sheet.rows)
    seen = Counter(sheet.offsets)
    for row in sheet.rows:
        if row.service is None:
            continue
        key = idempotency.fingerprint(row.service.pk, row.line.inputs)
        row.mark = f"{key & (1 << 64) - 1:016x}"
        seen[row.mark] += 1
        row.nth = seen[row.mark]
        _judge(row, sheet.paid_by)
    _find_bought(user, sheet.rows, form)
    _find_held_links(sheet.rows)
    return sheet


def place_orders(user: Any, sheet: MassOrder, *, form: str, agreed: Mapping[str, Decimal]) -> MassOrder:
    """Buys the lines of ``sheet`` that were ``agreed`` to, one after the other, each in a transaction of its own.

    A line whose price has changed, or that reads otherwise now, is not bought. Stops where the wallet is empty.
    """
    ready, within_reach = sheet.ready, {id(row) for row in sheet.fitting}
    is_short = False
    for row in ready:
        price = agreed.get(f"{row.mark}.{row.nth}")
        if is_short or (price is None and id(row) not in within_reach):
            row.problem = _too_little()
        elif price is None:
            row.problem = _("Not placed because the line is new since the last check. Check the lines again.")
        else:
            is_short = not _buy(user, row, f"{form}:{row.mark}:{row.nth}", sheet.paid_by, price)
    return sheet


def read_agreed(text: str) -> dict[str, Decimal]:
    """The prices that were agreed to, by line. What cannot be read was not agreed to."""
    agreed = {}
    for part in text.split():
        name, _colon, price = part.partition(":")
        try:
            agreed[name] = amounts.parse(price)
        except InvalidAmount:
            continue
    return agreed


def read_offsets(text: str) -> dict[str, int]:
    found = (part.partition(":") for part in text.split())
    return {mark: count for mark, _colon, digits in found if (count := query_params.number(digits)) is not None}


# ------------------------------------------------------------------------------------------------ pieces
def _find_services(user: Any, rows: list[MassOrderRow]) -> CustomerPricing:
    """Gives each row its service, and returns what the customer pays for them: one query, and two for the terms."""
    asked = {}
    for row in rows:
        number = query_params.number(row.line.inputs.get("service", ""))
        if row.problem:
            continue
        if number is None:
            row.problem = _("Enter a service ID first, for example 12.")
        else:
            asked[row.line.number] = number
    on_sale = Service.objects.on_sale().in_language()
    services = {found.pk: found for found in on_sale.filter(pk__in={*asked.values()})}
    for row in rows:
        number = asked.get(row.line.number)
        row.service = services.get(number) if number is not None else None
        if number is not None and row.service is None:
            row.problem = _("No service on sale has the ID %s.") % number
    return customer_pricing.pricing_for(user, *services) if services else customer_pricing.LIST_PRICES


def _judge(row: MassOrderRow, paid_by: CustomerPricing) -> None:
    assert row.service is not None
    row.link = row.line.inputs.get("link", "") or row.line.inputs.get("username", "")
    try:
        offer = checkout.quote(row.service, inputs=row.line.inputs, paid_by=paid_by)
    except OrdersError as problem:
        row.problem = why_not(problem)
    else:
        row.quantity, row.charge = offer.details.quantity, offer.charge


def why_not(problem: OrdersError) -> str:
    """Why a line is not bought, in the words of the order form."""
    match problem:
        case OrderInvalid(problems=problems):
            return " ".join(f"{labels.label(wrong.field)}: {labels.problem(wrong)}" for wrong in problems)
        case PriceChanged(charge=charge):
            return _("Not placed because the price changed to %s. Check the lines again.") % formats.money(charge)
        case LinkInUse():
            return labels.problem(purchase.LINK_IN_USE)
        case ServiceNotSold():
            return _("This service is temporarily unavailable.")
    return _("This line can't be ordered.")


def _find_bought(user: Any, rows: list[MassOrderRow], form: str) -> None:
    """Gives the rows that this form has bought already their orders: one query."""
    numbers = {f"{form}:{row.mark}:{row.nth}": row for row in rows if row.mark}
    for order in Order.objects.of(user).filter(request_id__in=numbers).with_service():
        row = numbers[order.request_id or ""]
        row.order, row.problem, row.quantity, row.charge = order, "", order.quantity, order.charge


def _find_held_links(rows: list[MassOrderRow]) -> None:
    """Of services that take one order a link: an open order, or a line above, holds the link. One query, or none."""
    held: dict[int, list[MassOrderRow]] = {}
    for row in rows:
        if row.is_ready and row.service and row.service.is_one_per_link and row.link:
            held.setdefault(same_link.lock(row.service.pk, row.line.inputs.get("link", "")), []).append(row)
    if not held:
        return
    taken = {*Order.objects.open().filter(link_lock__in=held).values_list("link_lock", flat=True)}
    for lock, claims in held.items():
        for row in claims if lock in taken else claims[1:]:
            row.problem = why_not(LinkInUse())


def _buy(user: Any, row: MassOrderRow, request_id: str, paid_by: CustomerPricing, price: Decimal) -> bool:
    """Buys one line, or says in it why not. False where the wallet holds too little: no later line is tried then."""
    assert row.service is not None
    try:
        row.order = checkout.place_order(
            user,
            service=row.service,
            inputs=row.line.inputs,
            source=Source.PAGE,
            request_id=request_id,
            paid_by=paid_by,
            shown_charge=price,
        )
    except InsufficientFunds:
        row.problem = _too_little()
        return False
    except OrdersError as problem:
        row.problem = why_not(problem)
    return True


def _too_little() -> str:
    return _("Not placed because your balance is too low.")
