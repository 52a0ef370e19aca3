"""The URLs of the panel API and of its reference pages.

None that programs call redirects: a redirect loses the body of a POST.
"""

from django.urls import include, path, re_path

from storefront.api.error_handlers import unknown_address
from storefront.api.panel.views import PanelView
from storefront.api.reference import views as reference

app_name = "api"
urlpatterns = [
    path("api/v2", PanelView.as_view(), name="v2"),
    # All of these are in use by client programs.
    path("api/v2/", PanelView.as_view()),
    path("api/v1", PanelView.as_view()),
    path("api/v1/", PanelView.as_view()),
    path("api/", reference.reference, name="reference"),
    path("api/openapi.json", reference.openapi_json, name="openapi_json"),
    path("api/openapi.yaml", reference.openapi_yaml, name="openapi_yaml"),
    path("api/v3", reference.v3_without_slash),
    path("api/v3/", include("storefront.api.rest.urls")),
    re_path(r"^api(?:/|$)", unknown_address),
]
