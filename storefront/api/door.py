"""Programs have a door of their own: what pages need (cookies, languages, policies for browsers) is not for them."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from storefront.api.v2.views import panel

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
        return answer

    return middleware
