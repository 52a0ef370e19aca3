"""The error answers for programs where no view answers: JSON, never a page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from storefront.api.panel import responses


@csrf_exempt
def unknown_address(request: HttpRequest) -> HttpResponse:
    return responses.error("Unknown address, the API is at /api/v2", status=404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a bad request, such as one for an unknown host. This is handler400 of the whole site."""
    if request.path.startswith("/api/"):
        return responses.error(responses.INCORRECT_REQUEST, status=400)
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a server error. This is handler500 of the whole site.

    Programs get no ``error``, because it is unknown here how far the request was processed.
    """
    if request.path.startswith("/api/"):
        return responses.reply({}, status=500)
    return defaults.server_error(request)
