"""The data of the reference page of the REST API, from its OpenAPI document."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.conf import settings

from storefront.api.reference import vocabulary
from storefront.api.reference.samples import CHECKS, KEY, Sample
from storefront.api.rest import openapi
from storefront.api.rest.problems import Code

Schema = dict[str, Any]
#: Values of examples, by the name of the field.
_EXAMPLES: dict[str, Any] = {
    "id": 23501, "service": 1042, "order": 23501, "link": "https://photos.example.com/nadia", "quantity": 500,
    "charge": "0.45", "rate": "0.90", "balance": "99.55", "rate_per": 1000, "name": "Profile followers",
    "url": "https://shop.example/webhooks", "start_count": None, "remains": None, "pause_reason": None, "step": None,
    "amount": "-0.45", "next_cursor": None, "problem": None, "reference": "P-7KQ2", "method": "Bank transfer",
    "refunded": "0.00", "currency": "USD", "inputs": {}, "runs": 1, "interval": 0, "paid_amount": None,
    "fee": "0.00", "pay_amount": "25.00", "pay_currency": "USD", "credited_amount": "0.00", "reversed_amount": "0.00",
    "note": "", "description": "", "link_example": "", "index": 0, "secret": "6f2c…", "endpoint": 7,
    "required_inputs": ["link", "quantity"], "optional_inputs": ["start_at"], "balance_after": "99.55",
    "old_rate": "0.90", "new_rate": "0.95", "min_quantity": 100, "max_quantity": 100000, "last_status": 200,
}  # fmt: skip
#: Fields that a request of the example has; it needs no others.
_SENT = {
    "OrderRequest": ("service", "link", "quantity"), "BulkOrderRequest": ("orders",), "OrderReference": ("order",),
    "EndpointRequest": ("url", "events"), "PatchedEndpointChange": ("is_active",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field or parameter: its type in words, and what it means."""

    name: str
    kind: str
    about: str
    is_required: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the page shows it. ``sample`` calls it with curl; ``answer`` is an example as JSON."""

    name: str
    method: str
    path: str
    title: str
    about: str
    parameters: list[FieldRow]
    body: list[FieldRow]
    fields: list[FieldRow]
    answer: str
    sample: Sample


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    about: str
    operations: list[Operation] = field(default_factory=list)

    @property
    def mark(self) -> str:
        return f"{self.name.lower()}-resources"


def context(*, address: str) -> dict[str, Any]:
    """Return the template's context. No queries."""
    return {
        "address": address,
        "groups": _groups(address, settings.SHOP_NAME, settings.STORE_CURRENCY),
        "codes": list(Code),
        "calls_per_minute": settings.API_CALLS_PER_MINUTE,
        "events": [(topic.value, means) for topic, means in vocabulary.EVENTS.items()],
        "checks": CHECKS,
    }


@cache
def _groups(address: str, *depends_on: Any) -> list[Group]:
    made = openapi.document()
    groups = {name: Group(name, about) for name, about in openapi.TAGS.items()}
    schemas = made["components"]["schemas"]
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            [tag] = operation["tags"]
            groups[tag].operations.append(_operation(address, method.upper(), path, operation, schemas))
    return list(groups.values())


def _operation(address: str, method: str, path: str, operation: Schema, schemas: Schema) -> Operation:
    status = next(status for status in operation["responses"] if status < "300")
    answered = _schema_of(operation["responses"][status])
    sent = _schema_of(operation.get("requestBody", {}))
    parameters = operation.get("parameters", [])
    return Operation(
        name=operation["operationId"],
        method=method,
        path=path,
        title=operation["summary"],
        about=operation.get("description", ""),
        parameters=[
            FieldRow(one["name"], _kind(one["schema"], schemas), one.get("description", ""), one["required"])
            for one in map(_with_required, parameters)
        ],
        body=list(_rows(sent, schemas)) if sent else [],
        fields=list(_rows(_row_schema(answered, schemas), schemas)) if answered else [],
        answer=_json(_example(answered, schemas)) if answered else "",
        sample=_sample(address, method, path, operation, sent, schemas),
    )


def _with_required(parameter: Schema) -> Schema:
    return {"required": False, **parameter}


def _schema_of(part: Schema) -> Schema | None:
    content = part.get("content", {}).get("application/json")
    found: Schema | None = content["schema"] if content else None
    return found


def _resolve(schema: Schema, schemas: Schema) -> Schema:
    """Follow references, and take the first alternative."""
    while True:
        if "$ref" in schema:
            schema = schemas[schema["$ref"].rpartition("/")[2]]
        elif "allOf" in schema or "oneOf" in schema:
            schema = (schema.get("allOf") or schema["oneOf"])[0]
        else:
            return schema


def _row_schema(schema: Schema, schemas: Schema) -> Schema:
    """Return the schema of one row of a page, or the schema itself."""
    schema = _resolve(schema, schemas)
    if "next_cursor" in schema.get("properties", {}):
        return _resolve(schema["properties"]["data"]["items"], schemas)
    return schema


def _rows(schema: Schema, schemas: Schema) -> Iterator[FieldRow]:
    schema = _resolve(schema, schemas)
    required = schema.get("required", ())
    for name, one in schema.get("properties", {}).items():
        yield FieldRow(name, _kind(one, schemas), one.get("description", ""), name in required)


def _kind(schema: Schema, schemas: Schema) -> str:
    """Return the type in words."""
    whole = _resolve(schema, schemas)
    if "enum" in whole:
        return ", ".join("null" if value is None else str(value) for value in whole["enum"])
    types = whole.get("type", "object")
    words = types if isinstance(types, list) else [types]
    named = whole.get("format") if whole.get("format") in ("date-time", "date", "decimal", "uuid") else None
    words = [named if named and word == "string" else word for word in words]
    if words[0] == "array":
        return f"array of {_kind(whole.get('items', {}), schemas)}"
    return " or ".join(words)


def _example(schema: Schema, schemas: Schema, name: str = "") -> Any:
    whole = _resolve(schema, schemas)
    if name in _EXAMPLES:
        return _EXAMPLES[name]
    if "enum" in whole:
        return whole["enum"][0]
    types = whole.get("type", "object")
    match types[0] if isinstance(types, list) else types:
        case "array":
            return [_example(whole.get("items", {}), schemas)]
        case "object":
            return {inner: _example(one, schemas, inner) for inner, one in whole.get("properties", {}).items()}
        case "boolean":
            return True
        case "integer":
            return 1
    if isinstance(types, list):
        return None
    return {"date-time": "2030-01-31T18:00:00Z", "uuid": "0f6f0c4e-6b0b-4c0f-9a44-3b6f8b8f9d10"}.get(
        whole.get("format", ""), ""
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _sample(address: str, method: str, path: str, operation: Schema, sent: Schema | None, schemas: Schema) -> Sample:
    path = re.sub(r"\{event\}", "0f6f0c4e-6b0b-4c0f-9a44-3b6f8b8f9d10", path)
    url = address + re.sub(r"\{id\}", "23501", path).removeprefix("/api/v3")
    lines = [f"curl {shlex.quote(url)}", f'  -H "Authorization: Bearer {KEY}"']
    if method != "GET":
        lines[0] = f"curl -X {method} {shlex.quote(url)}"
    if any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", ())):
        lines.append('  -H "Idempotency-Key: shop-two-7781"')
    if sent:
        body = _body(sent, schemas)
        lines += ['  -H "Content-Type: application/json"', f"  -d {shlex.quote(json.dumps(body))}"]
    return Sample("curl", "curl", " \\\n".join(lines))


def _body(schema: Schema, schemas: Schema) -> Any:
    name = schema["$ref"].rpartition("/")[2]
    properties = schemas[name]["properties"]
    body = {one: _example(properties[one], schemas, one) for one in _SENT[name]}
    if name == "BulkOrderRequest":
        body["orders"] = [_body(properties["orders"]["items"], schemas)]
    return body
