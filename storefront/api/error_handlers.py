"""The error answers for programs where no view answers: each API has its own form, and none is a page.

They are for unknown addresses and wrong methods, for what Django or the web server refuses before a view is called, and
for failures outside of a view.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from storefront.api.adminapi import envelope
from storefront.api.rest.problems import Code, Problem
from storefront.web.api_paths import API_PREFIXES

_HEADERS = {"Cache-Control": "no-store", "Content-Language": "en"}
#: What is wrong with a request, in the words of the panel API. Any other status below 500 has the first text.
_PANEL_TEXTS = {
    HTTPStatus.BAD_REQUEST: "Incorrect request",
    HTTPStatus.NOT_FOUND: "Unknown address, the API is at /api/v2",
    HTTPStatus.METHOD_NOT_ALLOWED: "Use GET",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Incorrect request: it is too large",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "Incorrect request: the address is too long",
}
_ADMIN_TEXTS = {
    HTTPStatus.BAD_REQUEST: "The request cannot be read",
    HTTPStatus.NOT_FOUND: "There is no such address. The API is at /adminapi/v2/.",
    HTTPStatus.METHOD_NOT_ALLOWED: "Use GET",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The address or a header is too long",
}
_CODES = {
    HTTPStatus.FORBIDDEN: Code.SCOPE_MISSING,
    HTTPStatus.NOT_FOUND: Code.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: Code.METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Code.PAYLOAD_TOO_LARGE,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: Code.PAYLOAD_TOO_LARGE,
    HTTPStatus.INTERNAL_SERVER_ERROR: Code.INTERNAL_ERROR,
}

View = Callable[[HttpRequest], HttpResponseBase]


def answer(path: str, status: int) -> HttpResponse:
    """Return the answer to a request for ``path`` that fails with an HTTP ``status``, in the form of its API.

    The web server calls it, by the setting ``API_ERROR_ANSWER``, for a request that it cannot read.
    """
    if path.startswith("/adminapi/v1"):
        return _json({"status": "fail", "error": _text(_ADMIN_TEXTS, status) or "Internal error"}, status)
    if path.startswith("/adminapi"):
        return _json(envelope.error_body(status, _text(_ADMIN_TEXTS, status) or "Internal error"), status)
    if path.rstrip("/") == "/api/v3" or path.startswith("/api/v3/"):
        default = Code.INTERNAL_ERROR if status == HTTPStatus.INTERNAL_SERVER_ERROR else Code.INVALID_REQUEST
        problem = Problem(_CODES.get(HTTPStatus(status), default)).plain_response()
        for name, value in _HEADERS.items():
            problem[name] = value
        return problem
    # A failed call of the panel API gets no ``error``, because it is unknown here how far it was processed.
    text = _text(_PANEL_TEXTS, status)
    return _json({"error": text} if text else {}, status)


@csrf_exempt
def unknown_address(request: HttpRequest) -> HttpResponse:
    return answer(request.path_info, HTTPStatus.NOT_FOUND)


def reads_only(view: View) -> View:
    """Decorate a view that answers GET and HEAD: any other method gets an error in the form of its API."""

    @csrf_exempt  # a program that posts here by mistake gets that error, not a page about a missing token
    @wraps(view)
    def inner(request: HttpRequest) -> HttpResponseBase:
        if request.method in ("GET", "HEAD"):
            return view(request)
        refusal = answer(request.path_info, HTTPStatus.METHOD_NOT_ALLOWED)
        refusal["Allow"] = "GET, HEAD"
        return refusal

    return inner


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a bad request, such as one for an unknown host. This is handler400 of the whole site."""
    if request.path_info.startswith(API_PREFIXES):
        return answer(request.path_info, HTTPStatus.BAD_REQUEST)
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a server error. This is handler500 of the whole site."""
    if request.path_info.startswith(API_PREFIXES):
        return answer(request.path_info, HTTPStatus.INTERNAL_SERVER_ERROR)
    return defaults.server_error(request)


def _text(texts: dict[HTTPStatus, str], status: int) -> str:
    """Return what is wrong with the request; "" if nothing is, because we failed."""
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return ""
    return texts.get(HTTPStatus(status), texts[HTTPStatus.BAD_REQUEST])


def _json(data: Any, status: int) -> HttpResponse:
    return HttpResponse(orjson.dumps(data), content_type="application/json", status=status, headers=_HEADERS)
