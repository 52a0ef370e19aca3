"""The shapes of the panel API's requests and answers as JSON schema, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise

from orders.rules.service_types import SERVICE_TYPES, ServiceType
from storefront.api.reference import parameters, vocabulary
from storefront.api.reference.actions import Action, all_actions
from storefront.api.reference.parameters import Parameter, Schema

#: An amount: digits, optionally with a point and decimals.
AMOUNT = r"^[0-9]+(\.[0-9]+)?$"
COUNT = r"^[0-9]+$"
TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def types_with_parameters() -> list[tuple[ServiceType, tuple[Parameter, ...]]]:
    return [(service_type, parameters.of_type(service_type)) for service_type in SERVICE_TYPES.values()]


def components() -> dict[str, Schema]:
    calls = {_name(action.name): _call(action) for action in all_actions()}
    orders = {
        f"Add{_name(service_type.code)}": {
            "title": service_type.wire,
            "description": f"A service of the type {service_type.wire}.",
            **_object(*of_type),
        }
        for service_type, of_type in types_with_parameters()
    }
    mapping = {action.name: ref(_name(action.name))["$ref"] for action in all_actions()}
    call = {"oneOf": [ref(name) for name in calls], "discriminator": {"propertyName": "action", "mapping": mapping}}
    return {"Call": call, **calls, **orders, **_answers()}


def settled(value: Any) -> Any:
    """Return ``value`` with every lazy text resolved."""
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, dict):
        return {name: settled(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [settled(inner) for inner in value]
    return value


# ------------------------------------------------------------------------------------------------ requests
def _name(code: str) -> str:
    return "".join(part.capitalize() for part in code.split("_"))


def _call(action: Action) -> Schema:
    """Return the schema of a call: the action's name, the key unless a header has it, and the action's parameters."""
    envelope: Schema = {
        "type": "object",
        "description": f"{action.title}. {action.description}",
        "required": ["action"],
        "properties": {
            "key": {"type": "string", "minLength": 1, "description": "The API key, unless it is in a header."},
            "action": {"type": "string", "enum": [action.name]},
        },
    }
    if action.costs_money:
        return {"allOf": [envelope, {"anyOf": [ref(f"Add{_name(code)}") for code in SERVICE_TYPES]}]}
    if not action.parameters:
        return envelope
    envelope["properties"] |= {one.name: _property(one) for one in action.parameters}
    if len(action.parameters) == 1:
        return {**envelope, "required": ["action", action.parameters[0].name]}
    return {**envelope, "oneOf": [{"required": [one.name]} for one in action.parameters]}


def _object(*of_type: Parameter) -> Schema:
    return {
        "type": "object",
        "required": [one.name for one in of_type if one.is_required],
        "properties": {one.name: _property(one) for one in of_type},
    }


def _property(one: Parameter) -> Schema:
    return {**one.schema, "description": one.meaning, "example": one.example}


# ------------------------------------------------------------------------------------------------ answers
def _exact(**properties: Schema) -> Schema:
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}


def _word(known: Any) -> Schema:
    return {"type": "string", "enum": list(known)}


def _rows(**properties: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": _exact(**properties)}


def _answers() -> dict[str, Schema]:
    # A client gets its own text back if it sent something that is not a number.
    asked: Schema = {"anyOf": [{"type": "integer"}, TEXT]}
    amount: Schema = {"type": "string", "pattern": AMOUNT}
    count: Schema = {"type": "string", "pattern": COUNT}
    error = ref("Error")
    service = _exact(
        service=parameters.ID,
        name=TEXT,
        type=_word(service_type.wire for service_type in SERVICE_TYPES.values()),
        category=TEXT,
        rate=amount,
        min=count,
        max=count,
        dripfeed=FLAG,
        refill=FLAG,
        cancel=FLAG,
        desc=TEXT,
    )
    order = _exact(charge=amount, start_count=count, status=_word(vocabulary.STATUSES), remains=count, currency=TEXT)
    several = {"type": "object", "minProperties": 1, "additionalProperties": {"oneOf": [ref("Order"), error]}}
    refill_word = _word(vocabulary.REFILLS)
    found = {
        "Error": _exact(error={"type": "string", "minLength": 1}),
        "Nothing": {"type": "object", "additionalProperties": False},
        "Service": service,
        "ServiceList": {"type": "array", "items": ref("Service")},
        "Placed": _exact(order=parameters.ID),
        "Order": order,
        "Orders": several,
        "Refilled": _exact(refill={"type": "string", "pattern": r"^[0-9]+$"}),
        "RefilledList": _rows(order=asked, refill={"oneOf": [{"type": "integer"}, error]}),
        "RefillWord": _exact(status=refill_word),
        "RefillWords": _rows(refill=asked, status={"oneOf": [refill_word, error]}),
        "CanceledList": _rows(order=asked, cancel={"oneOf": [{"type": "integer", "enum": [1]}, error]}),
        "Wallet": _exact(balance=amount, currency=TEXT),
    }
    ways = [name for name in found if name not in ("Nothing", "Service")]
    return {**found, "Answer": {"oneOf": [ref(name) for name in ways]}}
