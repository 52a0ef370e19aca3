"""The reference page at /api/ and the OpenAPI document."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import conditional_page

from storefront.api.error_handlers import reads_only, unknown_address
from storefront.api.reference import openapi, page

#: Seconds for which clients may cache the document.
KEPT_SECONDS = 300


@csrf_exempt  # a program that posts here by mistake gets a JSON error
def reference(request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return unknown_address(request)
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        # URLs under /api/ are not redirected, for the sake of programs, but people enter a key on this page.
        return HttpResponsePermanentRedirect(f"https://{request.get_host()}{request.get_full_path()}")
    context = page.context(request.user, address=request.build_absolute_uri("/api/v2"))
    return render(request, "api/reference.html", context)


def v3_without_slash(request: HttpRequest) -> HttpResponse:
    """Redirect people who left out the slash to the reference page; programs get a JSON error."""
    return redirect("api:v3") if request.method in ("GET", "HEAD") else unknown_address(request)


@reads_only
@conditional_page
def openapi_json(request: HttpRequest) -> HttpResponse:
    return openapi_response(openapi.as_json(), "application/json")


@reads_only
@conditional_page
def openapi_yaml(request: HttpRequest) -> HttpResponse:
    return openapi_response(openapi.as_yaml(), "application/yaml")


def openapi_response(text: bytes, content_type: str) -> HttpResponse:
    # The document is public, and editors on other sites read it in the browser.
    headers = {"Cache-Control": f"public, max-age={KEPT_SECONDS}", "Access-Control-Allow-Origin": "*"}
    return HttpResponse(text, content_type=f"{content_type}; charset=utf-8", headers=headers)
