"""The reference page of the REST API and its OpenAPI document."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import conditional_page

from storefront.api.error_handlers import reads_only, unknown_address
from storefront.api.reference.views import openapi_response
from storefront.api.rest import openapi, reference_page


@csrf_exempt  # a program that posts here by mistake gets a JSON error
def reference(request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return unknown_address(request)
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        # URLs under /api/ are not redirected, for the sake of programs, but people copy keys on this page.
        return HttpResponsePermanentRedirect(f"https://{request.get_host()}{request.get_full_path()}")
    return render(request, "api/v3.html", reference_page.context(address=request.build_absolute_uri("/api/v3")))


@reads_only
@conditional_page
def openapi_json(request: HttpRequest) -> HttpResponse:
    return openapi_response(openapi.as_json(), "application/json")


@reads_only
@conditional_page
def openapi_yaml(request: HttpRequest) -> HttpResponse:
    return openapi_response(openapi.as_yaml(), "application/yaml")
