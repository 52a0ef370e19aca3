"""The URLs of the Admin API. None redirects: a redirect loses the body of a POST."""

from typing import Any

from django.urls import path, re_path

from storefront.api.adminapi import orders, users
from storefront.api.adminapi.base import AdminApiView, UnknownAddressView

app_name = "adminapi"


def endpoint(route: str, view: type[AdminApiView]) -> list[Any]:
    """Return the URL of an endpoint of version 2, with and without a slash at its end."""
    return [path(f"adminapi/v2/{route}{slash}", view.as_view()) for slash in ("", "/")]


urlpatterns = [
    *endpoint("orders", orders.OrdersView),
    *endpoint("orders/<int:pk>", orders.OrderView),
    *endpoint("users", users.UsersView),
    re_path(r"^adminapi(?:/|$)", UnknownAddressView.as_view()),
]
