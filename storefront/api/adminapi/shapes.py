"""The shapes of what the Admin API answers, for its OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Shape: TypeAlias = dict[str, Any]

INTEGER: Shape = {"type": "integer"}
TEXT: Shape = {"type": "string"}
YES_NO: Shape = {"type": "boolean"}
AMOUNT: Shape = {"type": "string", "pattern": r"^-?\d+\.\d{2,}$", "example": "12.50"}
DATE: Shape = {
    "type": "string",
    "description": "In the shop's time zone; empty: never.",
    "example": "2026-11-20 14:03:11",
}
OBJECT: Shape = {"type": "object", "additionalProperties": True}


def made_of(properties: Mapping[str, Shape]) -> Shape:
    """Return the shape of an object that always has all of ``properties``."""
    return {"type": "object", "required": list(properties), "properties": dict(properties)}


def listed(row: Shape) -> Shape:
    return made_of({"count": INTEGER, "list": {"type": "array", "items": row}})


def enveloped(data: Shape, *, is_page: bool = False) -> Shape:
    """Return the shape of a good answer."""
    envelope = {"data": data, "error_message": TEXT, "error_code": INTEGER}
    return made_of({**envelope, "pagination": PAGINATION} if is_page else envelope)


_TEXTS = (
    "external_id",
    "user",
    "user_email",
    "creation_type",
    "link",
    "service_name",
    "service_type",
    "status",
    "mode",
)
ORDER_PROPERTIES: Mapping[str, Shape] = {
    "id": INTEGER,
    **dict.fromkeys(_TEXTS, TEXT),
    **dict.fromkeys(("start_count", "quantity", "service_id", "remains"), INTEGER),
    "charge": {**AMOUNT, "description": "After refunds."},
    "created": DATE,
    "last_update": DATE,
    "provider": TEXT,
    "ip_address": TEXT,
    "order_buttons": OBJECT,
    "fields": OBJECT,
    "actions": made_of(dict.fromkeys(("resend", "edit_link", "refill", "request_cancel", "cancel_and_refund"), YES_NO)),
}
ORDER = made_of(ORDER_PROPERTIES)
REFILL = made_of({**ORDER_PROPERTIES, "order_id": INTEGER})
CUSTOM_RATE = made_of({"service_id": INTEGER, "service_name": TEXT, "custom_rate": AMOUNT, "percent": TEXT})
USER = made_of(
    {
        "id": INTEGER,
        **dict.fromkeys(("username", "email", "name", "status"), TEXT),
        **dict.fromkeys(("balance", "spent", "discount"), AMOUNT),
        "created": DATE,
        "last_auth": DATE,
        "custom_rates": {"type": "array", "items": CUSTOM_RATE},
    }
)
PAYMENT = made_of(
    {
        "id": INTEGER,
        **dict.fromkeys(("user", "currency", "method", "status", "fraud_risk", "memo", "mode"), TEXT),
        "user_balance": AMOUNT,
        "amount": AMOUNT,
        "created": DATE,
        "updated": DATE,
    }
)
NEW_PAYMENT = made_of({"payment_id": INTEGER, "user": made_of({"username": TEXT, "balance": AMOUNT})})
TICKET_PROPERTIES: Mapping[str, Shape] = {
    "id": INTEGER,
    **dict.fromkeys(("user", "subject", "status", "assignee"), TEXT),
    "created": DATE,
    "last_update": DATE,
}
TICKET = made_of(TICKET_PROPERTIES)
MESSAGE = made_of({"id": INTEGER, "sender_name": TEXT, "is_staff": YES_NO, "message": TEXT, "created": DATE})
CONVERSATION = made_of({**TICKET_PROPERTIES, "messages": {"type": "array", "items": MESSAGE}})
TICKET_NUMBER = made_of({"ticket_id": INTEGER})
NOTHING: Shape = {"nullable": True, "description": "Nothing, or an empty list beside an error."}
PAGINATION = made_of({"prev_page_href": TEXT, "next_page_href": TEXT, "offset": INTEGER, "limit": INTEGER})
ERROR = made_of({"data": {"type": "array", "items": {}}, "error_message": TEXT, "error_code": INTEGER})
