"""The data of the reference page: its parts, and an example order of a service that this shop sells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Case, When
from django.urls import NoReverseMatch, reverse

from orders.models import Order, Service
from orders.rules import amounts
from orders.rules.service_types import SERVICE_TYPES, Count, ServiceType
from storefront.api.panel.parameters import MAX_IDS
from storefront.api.reference import errors, parameters, samples, vocabulary
from storefront.api.reference.actions import Action, all_actions
from storefront.api.reference.parameters import Parameter
from storefront.api.reference.samples import Sample

#: Maximum number of lines in an example. A service that needs more refuses the example with an error that says so.
_LINES_MAX = 20


@dataclass(frozen=True, slots=True)
class PagePart:
    """An action with the code samples that call it."""

    action: Action
    samples: list[Sample]


@dataclass(frozen=True, slots=True)
class Form:
    """The parameters that ``add`` requires for one service type, and those that it accepts in addition."""

    service_type: ServiceType
    needs: list[Parameter]
    takes: list[Parameter]


@dataclass(frozen=True, slots=True)
class PageInput:
    """One field of the try-it form. ``types`` are the service types that have it; "" means all of them.

    ``is_apart`` means that the example's type does not have it, so that it is hidden until a type that has it is
    chosen.
    """

    parameter: Parameter
    types: str
    is_apart: bool
    value: str = ""


def context(user: Any, *, address: str) -> dict[str, Any]:
    """Return the template's context, with one query and one more for a signed-in user."""
    service, own = _service(), _own_order(user)
    service_type, example = service.service_type if service else "default", _order(service)
    return {
        "address": address,
        "service": service,
        "parts": [PagePart(action, samples.calls(address, _fields(action, example, own))) for action in all_actions()],
        "forms": [_form(service_type) for service_type in SERVICE_TYPES.values()],
        "inputs": parameters.inputs(),
        "trial": _trial(service_type, example),
        "trial_type": service_type,
        "error_groups": errors.GROUPS,
        "statuses": [(word, word.lower().replace(" ", "-"), means) for word, means in vocabulary.STATUSES.items()],
        "refills": vocabulary.REFILLS.items(),
        "events": [(topic.value, means) for topic, means in vocabulary.EVENTS.items()],
        "play_money": amounts.parse(settings.SANDBOX_BALANCE),
        "sandbox_seconds": settings.SANDBOX_SECONDS,
        "outcomes": vocabulary.OUTCOMES.items(),
        "checks": samples.CHECKS,
        "calls_per_minute": settings.API_CALLS_PER_MINUTE,
        "address_calls_per_minute": settings.API_ADDRESS_CALLS_PER_MINUTE,
        "has_later_start": bool(settings.SCHEDULE_MAX_DAYS),
        "repeat_seconds": settings.IDEMPOTENCY_SECONDS,
        "ids_max": MAX_IDS,
        "webhooks_url": _address_of("webhooks:endpoints"),
    }


def _address_of(name: str) -> str:
    """Return the URL of a page, or "" if this shop does not have it."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _service() -> Service | None:
    """Return a service on sale, preferably the oldest of the default type that accepts any link."""
    is_plain = Case(When(service_type="default", link_pattern="", then=0), default=1)
    return Service.objects.on_sale().order_by(is_plain, "pk").first()


def _order(service: Service | None) -> dict[str, str]:
    """Return example parameters of an order that ``service`` accepts, or made-up ones without a service."""
    service_type = service.type if service else SERVICE_TYPES["default"]
    asked = {one.name: str(one.example) for one in parameters.of_type(service_type) if one.is_required}
    if service is None:
        return asked
    asked["service"] = str(service.pk)
    if service.link_example and "link" in asked:
        asked["link"] = service.link_example
    match service_type.count:
        case Count.GIVEN:
            asked["quantity"] = str(service.min_quantity)
        case Count.POSTS:
            asked |= {"min": str(service.min_quantity), "max": str(service.min_quantity)}
        case Count.LINES:
            entries = asked[service_type.counted].split("\n")
            wanted = min(max(service.min_quantity, len(entries)), service.max_quantity, _LINES_MAX)
            asked[service_type.counted] = "\n".join(entries[place % len(entries)] for place in range(wanted))
    return asked


def _fields(action: Action, order: dict[str, str], own: int | None) -> dict[str, str]:
    """Return the parameters of an example call, without the key."""
    if action.name == "add":
        return {"action": "add", **order}
    # Use the last parameter: if there are two, it takes several numbers.
    asked = {one.name: str(one.example) for one in action.parameters[-1:]}
    if own and "orders" in asked:
        asked["orders"] = str(own)
    return {"action": action.name, **asked}


def _own_order(user: Any) -> int | None:
    """Return the number of the customer's latest order."""
    if not user.is_authenticated:
        return None
    return Order.objects.filter(user=user).order_by("-pk").values_list("pk", flat=True).first()


def _form(service_type: ServiceType) -> Form:
    extras = {one.name for one in parameters.extras(service_type)}
    of_type = parameters.of_type(service_type)
    return Form(
        service_type,
        [one for one in of_type if one.is_required and one.name != "service"],
        [one for one in of_type if not one.is_required and one.name not in extras],
    )


def _trial(service_type: str, order: dict[str, str]) -> list[PageInput]:
    """Return the order's fields in the try-it form.

    The link is empty, so that an accidental submission places no order.
    """
    having: dict[str, list[str]] = {}
    for one in SERVICE_TYPES.values():
        for parameter in parameters.of_type(one):
            having.setdefault(parameter.name, []).append(one.code)
    return [
        PageInput(
            one,
            "" if len(having[one.name]) == len(SERVICE_TYPES) else " ".join(having[one.name]),
            is_apart=service_type not in having[one.name],
            value=order.get(one.name, "") if one.name in ("service", "quantity") else "",
        )
        for one in parameters.inputs()
    ]
