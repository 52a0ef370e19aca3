"""The URLs of the Admin API. None redirects: a redirect loses the body of a POST."""

from typing import Any

from django.urls import path, re_path

from storefront.api.adminapi import order_actions, orders, payments, tickets, users
from storefront.api.adminapi.base import AdminApiView, UnknownAddressView
from storefront.api.adminapi.v1 import V1View

app_name = "adminapi"


def endpoint(route: str, view: type[AdminApiView]) -> list[Any]:
    """Return the URL of an endpoint of version 2, with and without a slash at its end."""
    return [path(f"adminapi/v2/{route}{slash}", view.as_view()) for slash in ("", "/")]


urlpatterns = [
    *endpoint("orders", orders.OrdersView),
    *endpoint("orders/<int:pk>", orders.OrderView),
    *endpoint("orders/pull", order_actions.PullView),
    *endpoint("orders/update", order_actions.UpdateView),
    *endpoint("orders/change-status", order_actions.ChangeStatusView),
    *endpoint("orders/<int:pk>/set-partial", order_actions.SetPartialView),
    *endpoint("orders/<int:pk>/edit-link", order_actions.EditLinkView),
    *endpoint("orders/resend", order_actions.ResendView),
    *endpoint("orders/cancel", order_actions.CancelView),
    *endpoint("orders/request-cancel", order_actions.RequestCancelView),
    *endpoint("cancel/pull", order_actions.PullCancellationsView),
    *endpoint("cancel/reject", order_actions.RejectCancellationsView),
    *endpoint("refill/pull", order_actions.PullRefillsView),
    *endpoint("refill/change-status", order_actions.RefillStatusView),
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
