"""The addresses for programs, and the pages for those who write them. None that programs call redirects: a redirect
loses the body of a POST."""

from django.urls import path, re_path

from storefront.api.error_handlers import unknown_address
from storefront.api.panel.views import panel
from storefront.api.reference import views as reference

app_name = "api"
urlpatterns = [
    # The door answers these before they get here; they are for whoever asks for the address of the API.
    path("api/v2", panel, name="v2"),
    path("api/v2/", panel),
    path("api/v1", panel),
    path("api/v1/", panel),
    path("api/", reference.reference, name="reference"),
    path("api/openapi.json", reference.openapi_json, name="openapi_json"),
    path("api/openapi.yaml", reference.openapi_yaml, name="openapi_yaml"),
    re_path(r"^api(?:/|$)", unknown_address),
]
