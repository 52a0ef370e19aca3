"""The middleware that answers API requests before all others: cookies, languages and page policies are not for them."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from storefront.api.panel.views import panel

#: All of these are in use by client programs. None redirects, because a redirect would lose the body of a POST.
ADDRESSES = frozenset({"/api/v2", "/api/v2/", "/api/v1", "/api/v1/"})


def programs_first(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer API requests. This middleware must come before all others."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info not in ADDRESSES:
            return get_response(request)
        answer = panel(request)
        if answer.status_code != HTTPStatus.NOT_MODIFIED:  # it would be the length of the omitted body
            # Without a length the server sends the body in chunks, and some hand-written clients take the chunk sizes
            # for JSON.
            answer["Content-Length"] = str(len(answer.content))
        return _with_policies(request, answer)

    return middleware


def _with_policies(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """Add the security headers that the skipped middleware would add, for data instead of a page."""
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    if settings.SECURE_HSTS_SECONDS and request.is_secure():
        subdomains = "; includeSubDomains" if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else ""
        answer["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}{subdomains}"
    return answer
