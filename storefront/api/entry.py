"""Programs have a door of their own: what pages need (cookies, languages, policies for browsers) is not for them."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from storefront.api.panel.views import panel

#: Every client program has one of these written into it. None of them redirects: that would lose the body of a POST.
ADDRESSES = frozenset({"/api/v2", "/api/v2/", "/api/v1", "/api/v1/"})


def programs_first(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A middleware to be put before all others."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info not in ADDRESSES:
            return get_response(request)
        answer = panel(request)
        if answer.status_code != HTTPStatus.NOT_MODIFIED:  # there it would be the length of what was not sent
            # Without it a server sends the body in chunks, which clients written by hand take for a part of the JSON.
            answer["Content-Length"] = str(len(answer.content))
        return _with_policies(request, answer)

    return middleware


def _with_policies(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """What the middleware for pages would add, which has no part in this: an answer is data and nothing to show."""
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    if settings.SECURE_HSTS_SECONDS and request.is_secure():
        subdomains = "; includeSubDomains" if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else ""
        answer["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}{subdomains}"
    return answer
