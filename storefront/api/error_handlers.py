"""The error answers for programs where no view answers: JSON, never a page."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from storefront.web.api_paths import API_PREFIXES


@csrf_exempt
def unknown_address(request: HttpRequest) -> HttpResponse:
    return _json({"error": "Unknown address, the API is at /api/v2"}, HTTPStatus.NOT_FOUND)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a bad request, such as one for an unknown host. This is handler400 of the whole site."""
    if request.path_info.startswith(API_PREFIXES):
        return _json({"error": "Incorrect request"}, HTTPStatus.BAD_REQUEST)
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a server error. This is handler500 of the whole site.

    Programs get no ``error``, because it is unknown here how far the request was processed.
    """
    if request.path_info.startswith(API_PREFIXES):
        return _json({}, HTTPStatus.INTERNAL_SERVER_ERROR)
    return defaults.server_error(request)


def _json(data: Any, status: HTTPStatus) -> HttpResponse:
    headers = {"Cache-Control": "no-store", "Content-Language": "en"}
    return HttpResponse(orjson.dumps(data), content_type="application/json", status=status, headers=headers)
