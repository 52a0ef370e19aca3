"""The URLs of the panel API and of its reference pages.

None that programs call redirects: a redirect loses the body of a POST.
"""

from django.urls import include, path, re_path

from storefront.api.error_handlers import unknown_address
from storefront.api.panel.views import panel
from storefront.api.reference import views as reference

app_name = "api"
urlpatterns = [
    # ``storefront.api.entry`` answers these first; they are listed here so that ``reverse`` finds the address of the
    # API.
    path("api/v2", panel, name="v2"),
    path("api/v2/", panel),
    path("api/v1", panel),
    path("api/v1/", panel),
    path("api/", reference.reference, name="reference"),
    path("api/openapi.json", reference.openapi_json, name="openapi_json"),
    path("api/openapi.yaml", reference.openapi_yaml, name="openapi_yaml"),
    path("api/v3/", include("storefront.api.rest.urls")),
    re_path(r"^api(?:/|$)", unknown_address),
]
