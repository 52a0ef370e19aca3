"""The form of a new order: which fields a service asks for, what was written in them, and the price as one types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from orders.buying import checkout, scheduled_start
from orders.catalog.customer_pricing import CustomerPricing
from orders.errors import InvalidField, OrderInvalid
from orders.models import Order, Service
from orders.rules import amounts, charges, service_types
from orders.rules.service_types import Count, Details, Input
from storefront.shop import labels

ADDRESS_MAX = 1500
NUMBERS = {"quantity", "min", "max", "posts", "old_posts", "answer_number", "runs", "interval"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form, ready to be drawn. ``shape`` is text, number, link, lines, choice or moment."""

    name: str
    label: str
    hint: str
    example: str
    shape: str
    value: str
    error: str
    is_required: bool
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def is_optional(self) -> bool:
        """Whether it may always stay empty; some are needed with one choice of another field, as their hint says."""
        return not self.is_required and self.name not in ("google_keyword", "referring_url")

    @property
    def is_short(self) -> bool:
        return self.shape in ("number", "choice") or self.name in ("expiry", "country")

    @property
    def lines(self) -> int:
        return sum(bool(line.strip()) for line in self.value.splitlines())


@dataclass(frozen=True, slots=True)
class Price:
    """What the form's order would cost. Not ``is_asked``: the quantity is missing or wrong, this is the least.

    ``quantity`` is that of all ``runs`` together. Not ``is_sold``: it costs us more, so the purchase would be refused.
    """

    quantity: int
    charge: Decimal
    balance: Decimal
    is_asked: bool
    runs: int = 1
    is_sold: bool = True

    @property
    def each(self) -> int:
        return self.quantity // self.runs

    @property
    def left(self) -> Decimal:
        return self.balance - self.charge

    @property
    def missing(self) -> Decimal:
        return max(-self.left, Decimal(0))


def fields(service: Service, inputs: Mapping[str, Any], problems: Iterable[InvalidField] = ()) -> list[Field]:
    """The fields that ``service`` asks for, in form order, each with the first problem it has."""
    asked = [Input(name, _unread) for name in ("link",) if service.type.has_link]
    asked += service.type.inputs
    asked += [Input(name, _unread) for name in ("quantity",) if service.type.count is Count.GIVEN]
    return _drawn(service, asked, inputs, problems)


def run_fields(service: Service, inputs: Mapping[str, Any], problems: Iterable[InvalidField] = ()) -> list[Field]:
    """The fields of drip-feed; none where ``service`` has none."""
    asked = [Input(name, _unread, is_required=False) for name in ("runs", "interval") if service.has_runs]
    return _drawn(service, asked, inputs, problems)


def start_fields(service: Service, inputs: Mapping[str, Any], problems: Iterable[InvalidField] = ()) -> list[Field]:
    """The field of a later start; none where the shop has none."""
    asked = [Input(name, _unread, is_required=False) for name in (scheduled_start.NAME,) if settings.SCHEDULE_MAX_DAYS]
    return _drawn(service, asked, inputs, problems)


def _drawn(
    service: Service, asked: Iterable[Input], inputs: Mapping[str, Any], problems: Iterable[InvalidField]
) -> list[Field]:
    wrong: dict[str, InvalidField] = {}
    for found in problems:
        wrong.setdefault(found.field, found)
    return [_field(service, spec, inputs, wrong.get(spec.name)) for spec in asked]


def _unread(name: str, text: str) -> str:
    """Link and quantity are no ``Input`` of a kind; here they are drawn like one and read by ``kinds.read``."""
    return text


def _field(service: Service, spec: Input, inputs: Mapping[str, Any], wrong: InvalidField | None) -> Field:
    name = spec.name
    words = labels.INPUTS.get(name, labels.InputLabels(name))
    hint = str(words.hint)
    if name in counted(service):
        hint = f"{hint} {labels.limits(name, service.min_quantity, service.max_quantity)}".strip()
    shape = "number" if name in NUMBERS else "link" if name == "link" else "text"
    if spec.is_multiline:
        shape = "lines"
    elif spec.choices:
        shape = "choice"
    elif name == scheduled_start.NAME:
        shape = "moment"
    return Field(
        name=name,
        label=str(words.label),
        hint=hint,
        example=service.link_example if name == "link" else words.example,
        shape=shape,
        value=service_types.text_of(inputs, name),
        error=labels.problem(wrong) if wrong else "",
        is_required=spec.is_required,
        choices=tuple((str(value), labels.choice(name, value)) for value in spec.choices),
    )


def counted(service: Service) -> tuple[str, ...]:
    """The inputs that the service's limits hold for."""
    match service.type.count:
        case Count.GIVEN:
            return ("quantity",)
        case Count.LINES:
            return (service.type.counted,)
        case Count.POSTS:
            return ("min", "max")
    return ()


def price(service: Service, inputs: Mapping[str, Any], *, balance: Decimal, paid_by: CustomerPricing) -> Price:
    """The customer's price of what is written so far; the other fields may still be empty or wrong."""
    counted = _counted(service, inputs)
    sold, runs = (counted.quantity, counted.runs) if counted else (least(service), 1)
    charge = charges.charge(paid_by.rate(service), sold, is_flat=service.is_flat)
    cost = checkout.cost_of(service, quantity=sold)
    return Price(sold, charge, balance, counted is not None, runs, cost is None or cost <= charge)


def least_charge(service: Service, *, paid_by: CustomerPricing) -> Decimal:
    """What the smallest order costs the customer."""
    return charges.charge(paid_by.rate(service), least(service), is_flat=service.is_flat)


def least(service: Service) -> int:
    """The smallest quantity that can be bought."""
    return 1 if service.type.count is Count.ONE else service.min_quantity


def _counted(service: Service, inputs: Mapping[str, Any]) -> Details | None:
    """The quantity and runs by the rules of the kind. Inputs that do not count get stand-ins: only counting can fail.

    Where runs are written and the minutes between them not yet, these get one too: the price does not hang on them.
    """
    kind = service.type
    counting = {*counted(service), *(("posts", "old_posts") if kind.count is Count.POSTS else ())}
    stand_ins = {"link": "x"}
    for spec in kind.inputs:
        if spec.name not in counting:
            stand_ins[spec.name] = str(spec.choices[-1] if spec.choices else 1) if spec.is_required else ""
    if not service_types.text_of(inputs, "interval"):
        stand_ins["interval"] = "1" if service_types.text_of(inputs, "runs") else ""
    try:
        return service_types.read(
            kind,
            {**inputs, **stand_ins},
            minimum=service.min_quantity,
            maximum=service.max_quantity,
            has_dripfeed=service.has_runs,
        )
    except OrderInvalid:
        return None


def link_error(service: Service, inputs: Mapping[str, Any]) -> str:
    """What is wrong with the link as far as it is written, while one types; "" if nothing is, or nothing is there."""
    text = service_types.text_of(inputs, "link")
    if not text or not service.type.has_link:
        return ""
    try:
        checkout.check_link(service, service_types.read_link(text))
    except InvalidField as problem:
        return labels.problem(problem)
    return ""


def add_funds_query(service: Service, inputs: Mapping[str, Any], price: Price) -> str:
    """What the page for adding money is asked with: the missing amount, and the way back to this form as it is.

    Long lists do not fit an address: then the way back leads to the form with nothing in it.
    """
    names = {field.name for fields_of in (fields, run_fields, start_fields) for field in fields_of(service, inputs)}
    kept = {name: service_types.text_of(inputs, name) for name in sorted(names) if service_types.text_of(inputs, name)}
    back = reverse("shop:order_new")
    address = f"{back}?{urlencode({'service': service.pk, **kept})}"
    if len(address) > ADDRESS_MAX:
        address = f"{back}?{urlencode({'service': service.pk})}"
    return urlencode({"amount": amounts.plain(price.missing), "next": address})


def unit_price(service: Service, *, paid_by: CustomerPricing) -> str:
    """What the page says a piece costs this customer, to be posted back: the price shown must be the price taken."""
    return f"{amounts.plain(paid_by.rate(service))}/{1 if service.is_flat else charges.PER}"


def inputs_of(order: Order) -> dict[str, Any]:
    """An earlier order as the inputs of a new one."""
    again = dict(order.fields)
    if order.service.type.count is Count.GIVEN:
        again["quantity"] = order.quantity // order.runs
    if order.runs > 1:
        again |= {"runs": order.runs, "interval": order.interval}
    return {**again, "link": order.link}
