"""The form of a new order: its fields, entries, and live price."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from orders.buying import checkout
from orders.catalog.customer_pricing import CustomerPricing
from orders.errors import InvalidField, OrderInvalid
from orders.models import Order, Service
from orders.rules import amounts, charges, order_inputs, service_types
from orders.rules.order_inputs import Input, Shape
from orders.rules.service_types import Count, Details
from storefront.shop import input_texts

ADDRESS_MAX = 1500


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form, ready to render."""

    name: str
    label: str
    hint: str
    example: str
    shape: Shape
    value: str
    error: str
    is_required: bool
    #: Whether the field can always stay empty; some are required by a choice in another field.
    is_optional: bool
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def is_short(self) -> bool:
        return self.shape in (Shape.NUMBER, Shape.CHOICE) or self.name in ("expiry", "country")

    @property
    def lines(self) -> int:
        return sum(bool(line.strip()) for line in self.value.splitlines())


@dataclass(frozen=True, slots=True)
class Price:
    """The price of the form's order, in store currency.

    ``quantity`` is the total of all ``runs``; it is the minimum quantity unless ``is_quantity_valid``. Without
    ``is_sold``, our cost is above the price, so the purchase would be refused.
    """

    quantity: int
    charge: Decimal
    balance: Decimal
    is_quantity_valid: bool
    runs: int = 1
    is_sold: bool = True

    @property
    def each(self) -> int:
        return self.quantity // self.runs

    @property
    def balance_after(self) -> Decimal:
        return self.balance - self.charge

    @property
    def shortfall(self) -> Decimal:
        return max(-self.balance_after, Decimal(0))


def fields(service: Service, inputs: Mapping[str, Any], problems: Iterable[InvalidField] = ()) -> list[Field]:
    """Return the fields of ``service`` in form order, each with its first problem."""
    specs = (
        *((order_inputs.LINK,) if service.type.has_link else ()),
        *service.type.inputs,
        *((order_inputs.QUANTITY,) if service.type.count is Count.GIVEN else ()),
    )
    return _build_fields(service, specs, inputs, problems)


def run_fields(service: Service, inputs: Mapping[str, Any], problems: Iterable[InvalidField] = ()) -> list[Field]:
    """Return the drip-feed fields; none if ``service`` has no drip-feed."""
    specs = (order_inputs.RUNS, order_inputs.INTERVAL) if service.has_runs else ()
    return _build_fields(service, specs, inputs, problems)


def start_fields(service: Service, inputs: Mapping[str, Any], problems: Iterable[InvalidField] = ()) -> list[Field]:
    """Return the field of a scheduled start; none if the shop does not offer it."""
    specs = (order_inputs.START_AT,) if settings.SCHEDULE_MAX_DAYS else ()
    return _build_fields(service, specs, inputs, problems)


def _build_fields(
    service: Service, specs: Iterable[Input], inputs: Mapping[str, Any], problems: Iterable[InvalidField]
) -> list[Field]:
    errors: dict[str, InvalidField] = {}
    for problem in problems:
        errors.setdefault(problem.field, problem)
    return [_field(service, spec, inputs, errors.get(spec.name)) for spec in specs]


def _field(service: Service, spec: Input, inputs: Mapping[str, Any], error: InvalidField | None) -> Field:
    name = spec.name
    hint = _(spec.hint) if spec.hint else ""
    if name in counted(service):
        hint = f"{hint} {input_texts.limits_hint(name, service.min_quantity, service.max_quantity)}".strip()
    return Field(
        name=name,
        label=_(spec.label),
        hint=hint,
        example=service.link_example if spec is order_inputs.LINK else _example(spec),
        shape=spec.shape,
        value=order_inputs.text_of(inputs, name),
        error=input_texts.error_text(error) if error else "",
        is_required=spec.is_required,
        is_optional=not spec.is_required and spec.required_if is None,
        choices=tuple((str(value), input_texts.choice(spec, value)) for value in spec.choices),
    )


def _example(spec: Input) -> str:
    """Return the example to show beside a field; none where the limits of the service or a list say what fits."""
    return "" if spec.is_quantity or spec.shape in (Shape.LINES, Shape.CHOICE) else spec.example


def counted(service: Service) -> tuple[str, ...]:
    """Return the names of the inputs that the limits of the service apply to."""
    match service.type.count:
        case Count.GIVEN:
            return ("quantity",)
        case Count.LINES:
            return (service.type.counted,)
        case Count.POSTS:
            return ("min", "max")
    return ()


def price(service: Service, inputs: Mapping[str, Any], *, balance: Decimal, pricing: CustomerPricing) -> Price:
    """Return the customer's price for the current entries; the other fields may still be empty or invalid."""
    details = _read_quantity(service, inputs)
    quantity, runs = (details.quantity, details.runs) if details else (minimum_quantity(service), 1)
    charge = charges.charge(pricing.rate(service), quantity, is_flat=service.is_flat)
    cost = checkout.cost_of(service, quantity=quantity)
    return Price(quantity, charge, balance, details is not None, runs, cost is None or cost <= charge)


def minimum_charge(service: Service, *, pricing: CustomerPricing) -> Decimal:
    """Return the customer's price of the smallest order."""
    return charges.charge(pricing.rate(service), minimum_quantity(service), is_flat=service.is_flat)


def minimum_quantity(service: Service) -> int:
    """Return the smallest quantity that can be ordered."""
    return 1 if service.type.count is Count.ONE else service.min_quantity


def _read_quantity(service: Service, inputs: Mapping[str, Any]) -> Details | None:
    """Return the quantity and runs by the rules of the service type, or None if they are missing or invalid.

    Inputs that do not affect the quantity get placeholders, so that only the quantity can fail. So does the interval
    between runs while it is empty, as the price does not depend on it.
    """
    service_type = service.type
    counting = {*counted(service), *(("posts", "old_posts") if service_type.count is Count.POSTS else ())}
    placeholders = {"link": "x"}
    for spec in service_type.inputs:
        if spec.name not in counting:
            placeholders[spec.name] = str(list(spec.choices)[-1] if spec.choices else 1) if spec.is_required else ""
    if not order_inputs.text_of(inputs, "interval"):
        placeholders["interval"] = "1" if order_inputs.text_of(inputs, "runs") else ""
    try:
        return service_types.read(
            service_type,
            {**inputs, **placeholders},
            minimum=service.min_quantity,
            maximum=service.max_quantity,
            has_dripfeed=service.has_runs,
        )
    except OrderInvalid:
        return None


def link_error(service: Service, inputs: Mapping[str, Any]) -> str:
    """Return the problem with the link while the customer types, or "" if it is empty or valid."""
    text = order_inputs.text_of(inputs, "link")
    if not text or not service.type.has_link:
        return ""
    try:
        checkout.check_link(service, order_inputs.read_link(text))
    except InvalidField as problem:
        return input_texts.error_text(problem)
    return ""


def add_funds_query(service: Service, inputs: Mapping[str, Any], price: Price) -> str:
    """Return the query string of the "Add funds" page: the shortfall, and the URL that leads back to this form.

    Long lists do not fit in a URL; then the link leads back to an empty form.
    """
    names = {field.name for fields_of in (fields, run_fields, start_fields) for field in fields_of(service, inputs)}
    entered = {name: order_inputs.text_of(inputs, name) for name in sorted(names) if order_inputs.text_of(inputs, name)}
    form_url = reverse("shop:order_new")
    address = f"{form_url}?{urlencode({'service': service.pk, **entered})}"
    if len(address) > ADDRESS_MAX:
        address = f"{form_url}?{urlencode({'service': service.pk})}"
    return urlencode({"amount": amounts.plain(price.shortfall), "next": address})


def unit_price(service: Service, *, pricing: CustomerPricing) -> str:
    """Return the rate on the page, to be posted back: the price shown must be the price charged."""
    return f"{amounts.plain(pricing.rate(service))}/{1 if service.is_flat else charges.PER}"


def inputs_of(order: Order) -> dict[str, Any]:
    """Return the inputs of a new order that repeats an earlier one."""
    inputs = dict(order.fields)
    if order.service.type.count is Count.GIVEN:
        inputs["quantity"] = order.quantity // order.runs
    if order.runs > 1:
        inputs |= {"runs": order.runs, "interval": order.interval}
    return {**inputs, "link": order.link}
