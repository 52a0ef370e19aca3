"""The errors of the REST API: problem details (RFC 9457) with a stable ``code``.

Programs compare ``code``; titles and details are for people and may be reworded.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from enum import Enum
from http import HTTPStatus
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response

from orders import errors
from orders.errors import InvalidField, NotPossible, OrdersError
from orders.rules import amounts

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
#: Where the reference page explains each code.
REFERENCE = "/api/v3/"


class Code(Enum):
    """Every ``code`` with its HTTP status, its title, and what the caller can do."""

    INVALID_REQUEST = 400, "The request cannot be read", "Send a JSON object as the reference describes it."
    INVALID_CURSOR = 400, "The cursor is invalid", "Use next_cursor of the previous page unchanged."
    IDEMPOTENCY_KEY_REQUIRED = (
        400,
        "The Idempotency-Key header is required",
        "Send a new random key with each order, and the same key when you repeat the request.",
    )
    IDEMPOTENCY_KEY_INVALID = 400, "The Idempotency-Key header is invalid", "Send 1 to 255 printable ASCII characters."
    INVALID_API_KEY = 401, "The API key is missing or invalid", "Send Authorization: Bearer with an active key."
    INSUFFICIENT_FUNDS = 402, "The balance is too low", "Add funds, then place the order with a new key."
    BALANCE_ON_HOLD = (
        403,
        "The balance is on hold",
        "Contact support. Orders are possible after the release.",
    )
    HTTPS_REQUIRED = 403, "API keys are accepted over HTTPS only", "Use https://, and replace the key that was exposed."
    ADDRESS_NOT_ALLOWED = 403, "The API key may not be used from this address", "Change the key's allowed addresses."
    SCOPE_MISSING = 403, "The API key may not do this", "Use a key with the scope that the reference names."
    SANDBOX_KEY = (
        403,
        "The sandbox does not have this",
        "A sandbox key works with services, quotes, orders, refills, cancellations and balance. Use a live key here.",
    )
    NOT_FOUND = 404, "Not found", "Check the address and the ID. Objects of other customers are not found either."
    METHOD_NOT_ALLOWED = 405, "The method is not allowed", "Use one of the methods in the Allow header."
    SERVICE_NOT_AVAILABLE = 409, "The service is not available", "Read the services again and choose another one."
    LINK_IN_USE = 409, "An order for this link is open", "Wait until that order has ended."
    PRICE_CHANGED = 409, "The price has changed", "Confirm the charge and send it as expected_charge."
    REFILL_NOT_OFFERED = 409, "The service does not include refills", "Nothing can be done for this order."
    ORDER_NOT_COMPLETED = 409, "The order is not completed", "Request the refill after the order has ended."
    REFILL_WINDOW_OVER = 409, "The refill period is over", "Nothing can be done for this order."
    REFILL_TOO_SOON = 409, "The last refill was requested too recently", "Try again at the time in available_at."
    CANCEL_NOT_OFFERED = 409, "Orders for this service cannot be canceled", "Nothing can be done for this order."
    ORDER_ENDED = 409, "The order has ended", "Nothing remains to cancel."
    NOTHING_REMAINS = 409, "Everything is delivered", "Nothing remains to cancel."
    REQUEST_OPEN = 409, "The same request is still open", "Wait for its result."
    TOO_MANY_ENDPOINTS = 409, "The maximum number of webhook endpoints is reached", "Remove an endpoint first."
    ENDPOINT_PAUSED = 409, "The webhook endpoint is paused", "Set is_active to true first."
    LENGTH_REQUIRED = 411, "The length of the body is missing", "Send Content-Length instead of chunks."
    PAYLOAD_TOO_LARGE = 413, "The request is too large", "Send less in one request."
    UNSUPPORTED_MEDIA_TYPE = 415, "The content type is not supported", "Send JSON with Content-Type: application/json."
    INVALID_FIELDS = 422, "Some fields are invalid", "See errors for each field."
    IDEMPOTENCY_KEY_REUSED = 422, "The Idempotency-Key was used for another request", "Send a new key."
    RATE_LIMITED = 429, "Too many requests", "Wait as many seconds as Retry-After says."
    INTERNAL_ERROR = 500, "Something went wrong on our side", "Repeat the request with the same Idempotency-Key."
    TRY_AGAIN = 503, "The request could not be completed now", "Repeat it with the same Idempotency-Key."
    MAINTENANCE = 503, "The shop is closed for maintenance", "Wait as many seconds as Retry-After says."

    def __init__(self, status: int, title: str, advice: str) -> None:
        self.status = status
        self.title = title
        self.advice = advice

    @property
    def word(self) -> str:
        """Return the value of ``code`` in answers."""
        return self.name.lower()


class Problem(Exception):
    """The request is refused. ``details`` are further members of the answer, as JSON values."""

    def __init__(self, code: Code, detail: str = "", *, headers: Mapping[str, str] | None = None, **details: Any):
        super().__init__(code.word)
        self.code = code
        self.detail = detail or f"{code.title}. {code.advice}"
        self.headers = dict(headers or {})
        self.details = details

    @property
    def body(self) -> dict[str, Any]:
        return {
            "type": f"{settings.SHOP_URL}{REFERENCE}#{self.code.word}",
            "title": self.code.title,
            "status": self.code.status,
            "detail": self.detail,
            "code": self.code.word,
            **self.details,
        }

    def response(self) -> Response:
        return Response(self.body, self.code.status, headers=self.headers, content_type=CONTENT_TYPE)

    def plain_response(self) -> HttpResponse:
        """Return the answer for code that runs outside of a view."""
        return HttpResponse(
            orjson.dumps(self.body), status=self.code.status, headers=self.headers, content_type=CONTENT_TYPE
        )


_BY_STATUS = {
    HTTPStatus.BAD_REQUEST: Code.INVALID_REQUEST,
    HTTPStatus.UNAUTHORIZED: Code.INVALID_API_KEY,
    HTTPStatus.FORBIDDEN: Code.SCOPE_MISSING,
    HTTPStatus.NOT_FOUND: Code.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: Code.METHOD_NOT_ALLOWED,
    HTTPStatus.LENGTH_REQUIRED: Code.LENGTH_REQUIRED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Code.PAYLOAD_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: Code.UNSUPPORTED_MEDIA_TYPE,
}
_BY_ERROR: Mapping[type[OrdersError], Code] = {
    errors.InsufficientFunds: Code.INSUFFICIENT_FUNDS,
    errors.BalanceHeld: Code.BALANCE_ON_HOLD,
    errors.ServiceNotSold: Code.SERVICE_NOT_AVAILABLE,
    errors.SoldBelowCost: Code.SERVICE_NOT_AVAILABLE,
    errors.LinkInUse: Code.LINK_IN_USE,
    errors.RefillNotOffered: Code.REFILL_NOT_OFFERED,
    errors.OrderNotCompleted: Code.ORDER_NOT_COMPLETED,
    errors.RefillWindowOver: Code.REFILL_WINDOW_OVER,
    errors.RefillTooSoon: Code.REFILL_TOO_SOON,
    errors.CancelNotOffered: Code.CANCEL_NOT_OFFERED,
    errors.OrderEnded: Code.ORDER_ENDED,
    errors.NothingRemains: Code.NOTHING_REMAINS,
    errors.RequestOpen: Code.REQUEST_OPEN,
}


def handle(failure: Exception, context: Mapping[str, Any]) -> Response:
    """Return the answer to any exception of a view. This is the exception handler of the REST API."""
    return of_exception(failure).response()


def of_exception(failure: Exception) -> Problem:
    """Return the problem that an exception of a view means; an unexpected one is logged."""
    match failure:
        case Problem():
            return failure
        case errors.OrderInvalid():
            return Problem(Code.INVALID_FIELDS, errors=[_field_error(problem) for problem in failure.problems])
        case errors.PriceChanged():
            return Problem(Code.PRICE_CHANGED, charge=amounts.plain(failure.charge))
        case NotPossible(until=until) if until is not None:
            return Problem(_BY_ERROR[type(failure)], available_at=until.isoformat())
        case OrdersError() if type(failure) in _BY_ERROR:
            return Problem(_BY_ERROR[type(failure)])
        case Http404():
            return Problem(Code.NOT_FOUND)
        case OperationalError():
            # A deadlock, or a lock that could not be had in time: the transaction was rolled back.
            log.warning("The REST API could not complete a request: %s", failure)
            return Problem(Code.TRY_AGAIN, headers={"Retry-After": "1"})
        case RequestDataTooBig():
            return Problem(Code.PAYLOAD_TOO_LARGE)
        case exceptions.ValidationError():
            return Problem(Code.INVALID_FIELDS, errors=_field_errors(failure.detail))
        case exceptions.APIException():
            code = _BY_STATUS.get(HTTPStatus(failure.status_code), Code.INVALID_REQUEST)
            headers = {"WWW-Authenticate": failure.auth_header} if hasattr(failure, "auth_header") else None
            is_worded = code is Code.INVALID_REQUEST and isinstance(failure.detail, str)
            return Problem(code, str(failure.detail) if is_worded else "", headers=headers)
    log.error("The REST API failed.", exc_info=failure)
    return Problem(Code.INTERNAL_ERROR)


#: What each code of ``InvalidField`` means.
_MESSAGES = {
    "missing": "This field is required",
    "not_a_number": "Enter a whole number",
    "too_small": "The value is below the minimum",
    "too_large": "The value is above the maximum",
    "invalid_choice": "The value is not one of the allowed values",
    "bad_link": "The service does not accept this link",
    "too_long": "The value is too long",
    "unsupported": "This service does not support this field",
    "unlimited": "Set the number of posts",
}


def _field_error(problem: InvalidField) -> dict[str, Any]:
    limit = "" if problem.limit is None else f" ({problem.limit})"
    return {"field": problem.field, "code": problem.code, "message": f"{_MESSAGES[problem.code]}{limit}."}


def _field_errors(detail: Any, path: str = "") -> list[dict[str, Any]]:
    """Return the errors of a serializer or filter as a flat list; ``field`` is a path such as "orders.0.link"."""
    if isinstance(detail, dict):
        return [row for name, inner in detail.items() for row in _field_errors(inner, _joined(path, name))]
    if not isinstance(detail, list):
        detail = [detail]
    rows = []
    for place, inner in enumerate(detail):
        if isinstance(inner, (dict, list)):
            rows += _field_errors(inner, _joined(path, place))
        else:
            rows.append({"field": path, "code": _FIELD_CODES.get(inner.code, "invalid"), "message": str(inner)})
    return rows


#: Names of the framework's validators, by the codes that the orders package uses for the same.
_FIELD_CODES = {
    "required": "missing",
    "null": "missing",
    "blank": "missing",
    "empty": "missing",
    "min_value": "too_small",
    "max_value": "too_large",
    "max_length": "too_long",
    "min_length": "too_small",
    "null_characters_not_allowed": "unsupported",
    "surrogate_characters_not_allowed": "unsupported",
    "invalid_choice": "invalid_choice",
    "unknown": "unknown",
}


def _joined(path: str, name: str | int) -> str:
    name = "" if name == "non_field_errors" else str(name)
    return ".".join(filter(None, (path, name)))
