"""What programs get where no view answers: JSON, never a page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from storefront.api.panel import responses


@csrf_exempt
def unknown_address(request: HttpRequest) -> HttpResponse:
    return responses.error("Unknown address, the API is at /api/v2", status=404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The whole site's handler400: a host that is not ours, and the like."""
    if request.path.startswith("/api/"):
        return responses.error(responses.INCORRECT_REQUEST, status=400)
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """The whole site's handler500. For a program no ``error``: nobody knows here how far its request came."""
    if request.path.startswith("/api/"):
        return responses.reply({}, status=500)
    return defaults.server_error(request)
