"""Access of pages of other sites to the answers of the API (CORS), for the origins in ``API_CORS_ORIGINS``.

A page that sends a key shows it to everybody who opens the page, so a shop has to switch this on, and only reads are
meant for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

#: What a browser is told that asks before a call with one of these headers.
PREFLIGHT: Mapping[str, str] = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Api-Key",
    "Access-Control-Max-Age": "86400",
}


def allowed_origin(http: HttpRequest) -> str:
    """Return the origin of the page that sent the request, "" if its pages may not read answers."""
    origin: str = http.META.get("HTTP_ORIGIN", "")
    allowed = settings.API_CORS_ORIGINS
    return origin if "*" in allowed or origin in allowed else ""


def is_preflight(http: HttpRequest) -> bool:
    """Return whether a browser asks if it may send a call of an allowed origin."""
    return http.method == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in http.META and bool(allowed_origin(http))


def allow_reading(http: HttpRequest, response: HttpResponseBase) -> None:
    """Let pages of the allowed origins read the response."""
    if not settings.API_CORS_ORIGINS:
        return
    patch_vary_headers(response, ["Origin"])
    if origin := allowed_origin(http):
        response["Access-Control-Allow-Origin"] = origin
