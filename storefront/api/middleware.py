"""The middleware stack of everything that programs call: all paths under ``/api/`` and ``/adminapi/``.

Pages need sessions, cookies, languages, CSRF tokens and compression; programs send a key, and reading a cookie for them
would only cost time. So requests of programs leave the stack of the pages at its first entry. What follows is the same
for both: Django's handler resolves the URL, calls the view and renders its response.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, get_resolver

from storefront.web.api_paths import API_PREFIXES

#: Pages and documents for people under these prefixes. They have the middleware of the pages.
PAGES = frozenset(
    f"{address}{name}" for address in ("/api/", "/api/v3/") for name in ("", "openapi.json", "openapi.yaml")
)

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class ApiHandler(BaseHandler):
    """Django's handler without the middleware of the pages, with ``STACK`` instead."""

    _view_middleware = _template_response_middleware = _exception_middleware = ()

    def __init__(self) -> None:
        handler: Any = convert_exception_to_response(self._get_response)  # type: ignore[attr-defined]
        for middleware in reversed(STACK):
            handler = convert_exception_to_response(middleware(handler))
        self._middleware_chain = handler

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        """Return the view of the request's path. No middleware of programs gives a request another URLconf."""
        match = request.resolver_match = _resolve(request.path_info)
        return match


# Cached, because programs call few paths, and matching one costs more than calling its view. No route depends on the
# language.
@lru_cache(maxsize=1024)
def _resolve(path: str) -> ResolverMatch:
    return get_resolver().resolve(path)


def api_middleware(get_response: GetResponse) -> GetResponse:
    """Create the middleware that answers programs by ``STACK``. It must come before all others."""
    answer = ApiHandler()._middleware_chain

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return (answer if is_for_programs(request.path_info) else get_response)(request)

    return middleware


def is_for_programs(path: str) -> bool:
    """Return whether programs call this path, so that every answer to it has to be JSON."""
    return path.startswith(API_PREFIXES) and path not in PAGES


def data_headers(get_response: GetResponse) -> GetResponse:
    """Create the middleware that adds the length and the security headers of data, as opposed to pages."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        # A 304 has no body, and its length would be that of the omitted one.
        if isinstance(response, HttpResponse) and response.status_code != HTTPStatus.NOT_MODIFIED:
            # Without a length the server sends the body in chunks, and some hand-written clients take the chunk sizes
            # for JSON.
            response["Content-Length"] = str(len(response.content))
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        if settings.SECURE_HSTS_SECONDS and request.is_secure():
            subdomains = "; includeSubDomains" if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else ""
            response["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}{subdomains}"
        # The key may be in the URL, so no cache may store an answer unless its view says otherwise.
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        return response

    return middleware


#: Outermost first.
STACK: tuple[Callable[[GetResponse], GetResponse], ...] = (data_headers,)
