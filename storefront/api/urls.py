"""The addresses for programs. None of them redirects: a redirect loses the body of a POST."""

from django.urls import path, re_path

from storefront.api.failures import unknown_address
from storefront.api.v2.views import PanelView

app_name = "api"
urlpatterns = [
    path("api/v2", PanelView.as_view(), name="v2"),
    path("api/v2/", PanelView.as_view()),
    re_path(r"^api(?:/|$)", unknown_address),
]
