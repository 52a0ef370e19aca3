"""The reference page at /api/ and the OpenAPI document, and the parts that the pages of other APIs share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import conditional_page

from storefront.api.error_handlers import View, reads_only, unknown_address
from storefront.api.reference import openapi, page

#: Seconds for which clients may cache the document.
KEPT_SECONDS = 300


def page_for_people(view: View) -> View:
    """Decorate the page at an address where programs may call by mistake: any method but GET and HEAD is unknown."""

    @csrf_exempt  # a program that posts here by mistake gets a JSON error
    @wraps(view)
    def inner(request: HttpRequest) -> HttpResponseBase:
        if request.method not in ("GET", "HEAD"):
            return unknown_address(request)
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            # URLs under /api/ are not redirected, for the sake of programs, but people enter a key on these pages.
            return HttpResponsePermanentRedirect(f"https://{request.get_host()}{request.get_full_path()}")
        return view(request)

    return inner


def openapi_view(render_document: Callable[[], bytes], content_type: str) -> View:
    """Return the view of an OpenAPI document. It is public, and editors on other sites read it in the browser."""

    @reads_only
    @conditional_page
    def document(request: HttpRequest) -> HttpResponse:
        headers = {"Cache-Control": f"public, max-age={KEPT_SECONDS}", "Access-Control-Allow-Origin": "*"}
        return HttpResponse(render_document(), content_type=f"{content_type}; charset=utf-8", headers=headers)

    return document


@page_for_people
def reference(request: HttpRequest) -> HttpResponse:
    context = page.context(request.user, address=request.build_absolute_uri("/api/v2"))
    return render(request, "api/reference.html", context)


def v3_without_slash(request: HttpRequest) -> HttpResponse:
    """Redirect people who left out the slash to the reference page; programs get a JSON error."""
    return redirect("api:v3") if request.method in ("GET", "HEAD") else unknown_address(request)


openapi_json = openapi_view(openapi.as_json, "application/json")
openapi_yaml = openapi_view(openapi.as_yaml, "application/yaml")
