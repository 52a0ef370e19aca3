"""The parameters of the panel API, with meanings and allowed values. Those of ``add`` come from the service types.

The reference page and the OpenAPI document are made from this; nothing here reads a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.buying import scheduled_start
from orders.buying.idempotency import REQUEST_ID_MAX
from orders.rules import order_inputs, service_types
from orders.rules.order_inputs import Input, Shape
from orders.rules.service_types import INPUTS, SERVICE_TYPES, Count, ServiceType
from storefront.api.panel.parameters import MAX_IDS

Schema: TypeAlias = dict[str, Any]

#: The largest id that the API reads: 18 digits.
ID_MAX = 10**18 - 1
ID: Schema = {"type": "integer", "minimum": 1, "maximum": ID_MAX}
IDS: Schema = {
    "oneOf": [
        {"type": "string", "pattern": r"^[0-9]{1,18}(,[0-9]{1,18})*$"},
        {"type": "array", "items": ID, "minItems": 1, "maxItems": MAX_IDS},
    ]
}
DATE = r"^(0[1-9]|[12][0-9]|3[01])/(0[1-9]|1[0-2])/[12][0-9]{3}$"

#: The meanings of parameters that are no inputs of one service type, or that mean more in the API than in a form.
MEANINGS: Mapping[str, Promise] = {
    "service": gettext_lazy("Service ID from the service list."),
    "link": gettext_lazy("Target of the order. It must stay public until the order is finished."),
    "quantity": gettext_lazy("Quantity between the service's min and max. With drip-feed, the quantity of each run."),
    "posts": gettext_lazy(
        "Number of future posts to include; 0 for existing posts only. All posts are charged in advance, at max each."
    ),
    "old_posts": gettext_lazy("Number of existing posts to include, newest first. They are charged like new posts."),
    "runs": gettext_lazy("Number of drip-feed runs. Only for services with drip-feed."),
    "interval": gettext_lazy("Minutes between the starts of two drip-feed runs. Required with runs."),
    "start_at": gettext_lazy("Start time in ISO 8601, or in seconds since 1970. Without it, the order starts at once."),
    "request_id": gettext_lazy(
        "Your own ID for this order. A repeated request with the same ID places no second order."
    ),
    "order": gettext_lazy("Order ID."),
    "orders": gettext_lazy("Order IDs, separated by commas or as a list."),
    "refill": gettext_lazy("Refill ID."),
    "refills": gettext_lazy("Refill IDs, separated by commas or as a list."),
}
EXAMPLES: Mapping[str, str | int] = {
    "service": 1042,
    "start_at": f"{scheduled_start.EXAMPLE}:00Z",
    "request_id": "shop-two-7781",
    "order": 23501,
    "orders": "23501,23502,23503",
    "refill": 81,
    "refills": "81,82,83",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an action. ``schema`` is JSON schema; ``is_multiline`` texts hold one entry per line."""

    name: str
    schema: Schema
    is_required: bool = True
    is_multiline: bool = False

    @property
    def meaning(self) -> str:
        if self.name in MEANINGS:
            return str(MEANINGS[self.name])
        spec = INPUTS[self.name]
        choices = ", ".join(f"{value}: {_(label)}" for value, label in spec.choices.items() if label)
        texts = (_(spec.label), _(spec.hint) if spec.hint else "", choices)
        return " ".join(f"{text.removesuffix('.')}." for text in texts if text)

    @property
    def example(self) -> str | int:
        if self.name in EXAMPLES:
            return EXAMPLES[self.name]
        spec = INPUTS[self.name]
        return int(spec.example) if spec.shape in (Shape.NUMBER, Shape.CHOICE) else spec.example

    @property
    def allowed(self) -> str:
        """Return the allowed values in words."""
        if self.name.endswith("s") and "oneOf" in self.schema:
            return _("up to %d IDs") % MAX_IDS
        if "enum" in self.schema:
            return _("one of %s") % ", ".join(map(str, self.schema["enum"]))
        if self.schema["type"] == "integer":
            bounds = {"least": self.schema["minimum"], "most": self.schema["maximum"]}
            if bounds["most"] > order_inputs.LINES_MAX:
                return _("whole number from %(least)d") % bounds
            return _("whole number from %(least)d to %(most)d") % bounds
        if self.is_multiline:
            return _("lines of text")
        most = self.schema.get("maxLength", order_inputs.LINK_MAX)
        return _("text") if most >= order_inputs.LINK_MAX else _("text, up to %d characters") % most


ORDER = Parameter("order", ID)
ORDERS = Parameter("orders", IDS)
REFILL = Parameter("refill", ID)
REFILLS = Parameter("refills", IDS)
SERVICE = Parameter("service", ID)
LINK = Parameter("link", {"type": "string", "minLength": 1, "maxLength": order_inputs.LINK_MAX, "pattern": r"^\S+$"})
QUANTITY = Parameter("quantity", {"type": "integer", "minimum": 1, "maximum": order_inputs.QUANTITY_MAX})
RUNS = Parameter(
    "runs", {"type": "integer", "minimum": order_inputs.RUNS_MIN, "maximum": order_inputs.RUNS_MAX}, is_required=False
)
INTERVAL = Parameter(
    "interval", {"type": "integer", "minimum": 1, "maximum": order_inputs.INTERVAL_MAX}, is_required=False
)
START_AT = Parameter("start_at", {"type": "string", "format": "date-time"}, is_required=False)
REQUEST_ID = Parameter("request_id", {"type": "string", "maxLength": REQUEST_ID_MAX}, is_required=False)


def of_type(service_type: ServiceType) -> tuple[Parameter, ...]:
    """Return the parameters of ``add`` for a service type, required ones first."""
    found = [SERVICE, *([LINK] if service_type.has_link else []), *map(_of_input, service_type.inputs)]
    if service_type.count is Count.GIVEN:
        found.append(QUANTITY)
    return (
        *(one for one in found if one.is_required),
        *(one for one in found if not one.is_required),
        *extras(service_type),
    )


def extras(service_type: ServiceType) -> tuple[Parameter, ...]:
    """Return the optional parameters that any order of the type accepts."""
    later = (START_AT,) if settings.SCHEDULE_MAX_DAYS else ()
    return (*((RUNS, INTERVAL) if service_types.has_runs(service_type) else ()), *later, REQUEST_ID)


def inputs() -> tuple[Parameter, ...]:
    """Return every parameter of ``add`` once: those of all types first, then the others in the order of the types."""
    found: dict[str, Parameter] = {}
    for service_type in SERVICE_TYPES.values():
        for one in of_type(service_type):
            found.setdefault(one.name, one)
    return tuple(found.values())


def _of_input(spec: Input) -> Parameter:
    return Parameter(spec.name, _schema(spec), is_required=spec.is_required, is_multiline=spec.shape is Shape.LINES)


def _schema(spec: Input) -> Schema:
    if spec.choices:
        return {"type": "integer", "enum": list(spec.choices)}
    if spec.shape is Shape.LINES:
        return {"type": "string", "minLength": 1, "maxLength": order_inputs.TEXT_MAX, "pattern": r"\S"}
    if spec.shape is Shape.NUMBER:
        least, most = order_inputs.number_limits(spec)
        return {"type": "integer", "minimum": least, "maximum": most}
    if spec.read is order_inputs.read_date:
        return {"type": "string", "pattern": DATE}
    return {"type": "string", "minLength": 1, "maxLength": order_inputs.LINK_MAX, "pattern": r"\S"}
