"""The URLs of the Admin API. None redirects: a redirect loses the body of a POST."""

from typing import Any

from django.urls import path, re_path

from storefront.api.adminapi import orders, payments, tickets, users
from storefront.api.adminapi.base import AdminApiView, UnknownAddressView
from storefront.api.adminapi.v1 import V1View

app_name = "adminapi"


def endpoint(route: str, view: type[AdminApiView]) -> list[Any]:
    """Return the URL of an endpoint of version 2, with and without a slash at its end."""
    return [path(f"adminapi/v2/{route}{slash}", view.as_view()) for slash in ("", "/")]


urlpatterns = [
    *endpoint("orders", orders.OrdersView),
    *endpoint("orders/<int:pk>", orders.OrderView),
    *endpoint("users", users.UsersView),
    *endpoint("payments", payments.PaymentsView),
    *endpoint("payments/add", payments.AddPaymentView),
    *endpoint("tickets", tickets.TicketsView),
    *endpoint("tickets/add", tickets.AddTicketView),
    *endpoint("tickets/<int:pk>", tickets.TicketView),
    *endpoint("tickets/<int:pk>/reply", tickets.ReplyView),
    path("adminapi/v1", V1View.as_view()),
    path("adminapi/v1/", V1View.as_view()),
    re_path(r"^adminapi(?:/|$)", UnknownAddressView.as_view()),
]
