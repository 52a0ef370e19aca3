"""The exception handler of the panel API: it words every error as clients of this API expect.

Clients take an ``error`` in the status of an order as the order's end, and may repeat an order after any HTTP status
but 200. So logical errors have HTTP 200, and reads that fail for now get an empty object without ``error``.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from django.db import Error as DatabaseFailure
from rest_framework import exceptions
from rest_framework.response import Response

from storefront.api.bodies import BodyTooLarge, LengthRequired
from storefront.api.panel import responses
from storefront.api.panel.actions import WRITES
from storefront.api.panel.responses import INCORRECT_REQUEST, PanelRefusal

log = logging.getLogger(__name__)


class KeyExposed(Exception):
    """The key was sent over plain HTTP. Nothing was done."""


class Closed(Exception):
    """The shop is closed for maintenance; ``wait`` is in seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"wait {wait} s")
        self.wait = wait


def answer_error(failure: Exception, context: dict[str, Any]) -> Response:
    """Return the answer to a call that raised ``failure``."""
    action = context["request"].action
    match failure:
        case PanelRefusal():
            return responses.error(failure.text)
        case Closed():
            return _later(action, responses.CLOSED, HTTPStatus.SERVICE_UNAVAILABLE, failure.wait)
        case exceptions.Throttled():
            wait: int = failure.wait  # type: ignore[attr-defined]
            return _later(action, responses.TOO_MANY, HTTPStatus.TOO_MANY_REQUESTS, wait)
        case KeyExposed():
            is_status = action in ("status", "refill_status")
            return responses.reply({}, status=403) if is_status else responses.error(responses.HTTPS_ONLY)
        case exceptions.AuthenticationFailed():
            return responses.error(responses.INVALID_KEY)
        case exceptions.PermissionDenied():
            return responses.error(str(failure.detail))
        case exceptions.MethodNotAllowed():
            allowed = ", ".join(context["view"].allowed_methods)
            return responses.error("Use GET or POST", status=failure.status_code, headers={"Allow": allowed})
        case BodyTooLarge():
            return responses.error(f"{INCORRECT_REQUEST}: it is too large", status=failure.status_code)
        case LengthRequired():
            return responses.error(f"{INCORRECT_REQUEST}: send Content-Length", status=failure.status_code)
        case exceptions.ParseError():
            return responses.error(INCORRECT_REQUEST, status=failure.status_code)
    log.exception("The panel API failed.", exc_info=failure)
    return _failed(action, failure)


def _later(action: str, text: str, status: int, wait: int) -> Response:
    """Refuse a call for now. A write gets a text with HTTP 200, which says that nothing was done."""
    if action in WRITES:
        return responses.error(text)
    return responses.reply({}, status=status, headers={"Retry-After": str(wait)})


def _failed(action: str, failure: Exception) -> Response:
    """Return HTTP 500, with ``error`` only if it is certain that nothing was bought, otherwise with an empty object.

    Placing an order is one transaction, so whatever breaks it rolls it back. But if the database itself fails, it may
    have been committing, and the outcome is unknown.
    """
    if action == "add" and not isinstance(failure, DatabaseFailure):
        return responses.error("Internal error, nothing was charged", status=HTTPStatus.INTERNAL_SERVER_ERROR)
    return responses.reply({}, status=HTTPStatus.INTERNAL_SERVER_ERROR)
