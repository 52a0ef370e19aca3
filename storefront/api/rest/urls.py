"""The URLs of the REST API and of its reference page."""

from django.urls import path, re_path

from storefront.api.error_handlers import unknown_address
from storefront.api.rest import reference_views
from storefront.api.rest.resources import resources

urlpatterns = [
    path("", reference_views.reference, name="v3"),
    path("openapi.json", reference_views.openapi_json, name="v3_openapi_json"),
    path("openapi.yaml", reference_views.openapi_yaml, name="v3_openapi_yaml"),
    *resources,
    re_path(r"", unknown_address),
]
