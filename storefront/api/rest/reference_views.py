"""The reference page of the REST API and its OpenAPI document."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from storefront.api.reference.views import openapi_view, page_for_people
from storefront.api.rest import openapi, reference_page


@page_for_people
def reference(request: HttpRequest) -> HttpResponse:
    return render(request, "api/v3.html", reference_page.context(address=request.build_absolute_uri("/api/v3")))


openapi_json = openapi_view(openapi.as_json, "application/json")
openapi_yaml = openapi_view(openapi.as_yaml, "application/yaml")
