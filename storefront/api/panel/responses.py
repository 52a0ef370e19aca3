"""The answers of the panel API: its rows, its error texts, and the responses around them.

The shapes are exactly those of the panel API's example page: clients compare words, types and whole objects.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpResponse, HttpResponseNotModified
from rest_framework.response import Response

from orders.errors import (
    CancelNotOffered,
    InsufficientFunds,
    InvalidField,
    LinkInUse,
    NotPossible,
    OrderInvalid,
    OrderNotCompleted,
    OrdersError,
    RefillNotOffered,
    RefillTooSoon,
    RefillWindowOver,
    RequestOpen,
    RequestReused,
)
from orders.rules.order_inputs import Shape
from orders.rules.service_types import INPUTS, SERVICE_TYPES, has_runs

INVALID_KEY = "Invalid API key"
INCORRECT_REQUEST = "Incorrect request"
INCORRECT_SERVICE = "Incorrect service ID"
INCORRECT_ORDER = "Incorrect order ID"
NOT_ENOUGH_FUNDS = "Not enough funds on balance"
BAD_LINK = "Bad link"
LINK_IN_USE = "You have active order with this link. Please wait until order being completed."
REQUEST_REUSED = "This request id was used for another order"
CLOSED = "Closed for maintenance, please try again later"
TOO_MANY = "Too many requests, please try again later"
HTTPS_ONLY = "API keys are accepted over HTTPS only, use https://"
WRONG_ADDRESS = "This API key may not be used from this address"
READS_ONLY = "This API key may not place orders"
ORDERS_ONLY = "This API key may not read"
NO_GET_WRITES = "This API key takes no orders by GET, use POST"
NO_DRIP_FEED = "This service does not support drip-feed"
NO_LATER_START = "Start at is not possible here: orders start at once"
UNLIMITED_POSTS = "Posts field is required: subscriptions without a limit are not available"
NO_REFILL = "Refill is disabled for this service"
NO_CANCEL = "Cancel is disabled for this service"
NOT_COMPLETED = "The order is not completed"
REFILL_OVER = "Refill days are over"
REFILL_TOO_SOON = "The order was completed or refill was requested less than 24 hours ago"
NOT_CANCELABLE = "Order already completed and cannot be canceled"
CANCEL_OPEN = "Cancel was already requested"
REFILL_NOT_FOUND = "Refill not found"

SERVICE_COLUMNS = (
    "pk", "name", "service_type", "category__name", "rate", "is_flat", "min_quantity", "max_quantity", "has_refill",
    "has_cancel", "has_dripfeed", "description",
)  # fmt: skip

#: Replacements for quotes and backslashes, because some clients paste names into JSON and SQL without escaping.
_LOOKALIKES = str.maketrans({'"': "”", "'": "’", "\\": "/"})
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class ServicesDocument:
    """A price list, ready to be sent, with an ETag that no other list has."""

    body: bytes
    gzip: bytes
    etag: str


class PanelRefusal(Exception):
    """The call is refused with ``text`` as its error and HTTP 200, as in all panels of this family."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def reply(data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return ``data``, marked as English. No cache may store it, because the key may be in the URL."""
    return Response(data, status, headers={"Cache-Control": "no-store", "Content-Language": "en", **(headers or {})})


def error(text: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error response. It has no other key, because clients compare the whole object."""
    return reply({"error": text}, status=status, headers=headers)


def services(document: ServicesDocument, *, is_gzip: bool) -> HttpResponse:
    """Return a rendered price list. Only the caller may cache it, and has to revalidate it each time."""
    headers = {"Content-Type": "application/json", **_caching(document)}
    if is_gzip:
        headers["Content-Encoding"] = "gzip"
    return HttpResponse(document.gzip if is_gzip else document.body, headers=headers)


def unchanged(document: ServicesDocument) -> HttpResponse:
    """Return a 304: the caller's list is up to date."""
    return HttpResponseNotModified(headers=_caching(document))


def _caching(document: ServicesDocument) -> dict[str, str]:
    return {"ETag": document.etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}


def service_row(row: tuple[Any, ...]) -> tuple[dict[str, Any], Decimal, bool, bool]:
    """Return a row of the price list from its SERVICE_COLUMNS, without the rate, and the arguments of ``wire_rate``."""
    (
        pk,
        name,
        service_type,
        category,
        rate,
        is_flat,
        least,
        greatest,
        has_refill,
        has_cancel,
        has_dripfeed,
        description,
    ) = row
    line = {
        "service": pk,
        "name": _one_line(name),
        "type": SERVICE_TYPES[service_type].wire,
        "category": _one_line(category),
        "rate": "",
        "min": str(least),
        "max": str(greatest),
        "dripfeed": has_dripfeed and has_runs(SERVICE_TYPES[service_type]),
        "refill": has_refill,
        "cancel": has_cancel,
        "desc": description,
    }
    return line, rate, is_flat, SERVICE_TYPES[service_type].is_flat


def why_not_placed(problem: OrdersError) -> str:
    """Return why an order was not placed, in the panel API's words."""
    match problem:
        case OrderInvalid():
            return field_error(problem.problems[0])
        case InsufficientFunds():
            return NOT_ENOUGH_FUNDS
        case LinkInUse():
            return LINK_IN_USE
        case RequestReused():
            return REQUEST_REUSED
    return INCORRECT_SERVICE


def why_not(problem: NotPossible, *, is_refill: bool) -> str:
    """Return why a refill or cancellation cannot be requested, in the panel API's words."""
    match problem:
        case RefillNotOffered():
            return NO_REFILL
        case OrderNotCompleted():
            return NOT_COMPLETED
        case RefillWindowOver():
            return REFILL_OVER
        case RefillTooSoon():
            return REFILL_TOO_SOON
        case CancelNotOffered():
            return NO_CANCEL
        case RequestOpen():
            return REFILL_TOO_SOON if is_refill else CANCEL_OPEN
    return NOT_CANCELABLE


def _one_line(text: str) -> str:
    return " ".join(_CONTROLS.sub(" ", text).translate(_LOOKALIKES).split())


def _is_quantity(name: str) -> bool:
    """Whether the limits of the service apply to the input: a quantity, or entries that are counted."""
    return name in INPUTS and (INPUTS[name].is_quantity or INPUTS[name].shape is Shape.LINES)


def field_error(problem: InvalidField) -> str:
    """Return what is wrong with an input, in the panel API's words.

    Clients search for some: "quantity less", "link".
    """
    name = problem.field.replace("_", " ").capitalize()
    if problem.field in ("runs", "interval"):
        name = f"Drip-feed {problem.field}"
    limit = "" if problem.limit is None else f" {problem.limit}"
    match problem.field, problem.code:
        case "link", _:
            return BAD_LINK
        case "runs", "unsupported":
            return NO_DRIP_FEED
        case "start_at", "unsupported":
            return NO_LATER_START
        case "start_at", "too_large":
            return f"Start at is more than{limit} days ahead"
        case "posts", "missing" | "unlimited":
            return UNLIMITED_POSTS
        case _, "too_small" if _is_quantity(problem.field):
            return f"Quantity less than minimal{limit}"
        case _, "too_large" if _is_quantity(problem.field):
            return f"Quantity more than maximum{limit}"
        case _, "missing":
            return f"{name} field is required"
        case _, "not_a_number":
            return f"{name} is not a number"
        case _, "too_small":
            return f"{name} less than minimal{limit}"
        case _, "too_large":
            return f"{name} more than maximum{limit}"
        case _, "too_long":
            return f"{name} is longer than{limit}"
        case _:
            return f"Incorrect {name.lower()}" + (limit and f", use:{limit}")
