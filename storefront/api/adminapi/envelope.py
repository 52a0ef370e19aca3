"""The envelope of every answer: ``data``, ``error_message`` and ``error_code``, which is 0 if all went well."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, UnreadablePostError
from rest_framework.exceptions import APIException, Throttled
from rest_framework.response import Response

from orders.errors import OrdersError

log = logging.getLogger(__name__)


class CannotDo(APIException):
    """The call is understood, but the order, user or ticket does not allow it now."""

    status_code = HTTPStatus.CONFLICT
    default_detail = "This cannot be done now."


def success(data: Any, **beside: Any) -> Response:
    """Return a good answer. ``beside`` are further members of the envelope."""
    return Response({"data": data, **beside, "error_message": "", "error_code": 0})


def failure(status: int, message: str, *, http_status: int | None = None, headers: Any = None) -> Response:
    """Return a bad answer. ``error_code`` is the HTTP status that describes the problem.

    Args:
        http_status: The status of the response if it differs from ``status``.
    """
    return Response(error_body(status, message), status=http_status or status, headers=headers)


def error_body(status: int, message: str) -> dict[str, Any]:
    return {"data": [], "error_message": message, "error_code": int(status)}


def exception_response(problem: Exception, context: Any) -> Response:
    """Turn every exception of a view into a bad answer. Programs that expect JSON cannot read an error page."""
    status, message, headers = describe(problem)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.exception("The Admin API failed.")
    return failure(status, message, headers=headers)


def describe(problem: Exception) -> tuple[HTTPStatus, str, dict[str, str]]:
    """Return the HTTP status, the text and the headers that answer an exception."""
    match problem:
        case Throttled():
            return (
                HTTPStatus.TOO_MANY_REQUESTS,
                "Too many requests",
                {"Retry-After": str(getattr(problem, "wait", None) or 1)},
            )
        case APIException():
            challenge = getattr(problem, "auth_header", "")
            headers = {"WWW-Authenticate": challenge} if challenge else {}
            return HTTPStatus(problem.status_code), _sentence(problem.detail), headers
        case Http404():
            return HTTPStatus.NOT_FOUND, str(problem) or "Not found", {}
        case RequestDataTooBig():
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large", {}
        case SuspiciousOperation() | UnreadablePostError():
            return HTTPStatus.BAD_REQUEST, "The request cannot be read", {}
        case OrdersError():
            return HTTPStatus.CONFLICT, str(problem), {}
    return HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error", {}


def _sentence(detail: Any) -> str:
    """Return the errors of a serializer, which may be nested, as one line: "limit: A valid integer is required."."""
    if isinstance(detail, dict):
        parts = [
            _sentence(problems) if name == "non_field_errors" else f"{name}: {_sentence(problems)}"
            for name, problems in detail.items()
        ]
        return " ".join(parts)
    if isinstance(detail, list):
        return " ".join(filter(None, map(_sentence, detail)))
    return str(detail)
