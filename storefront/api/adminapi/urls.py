"""The URLs of the Admin API. None redirects: a redirect loses the body of a POST."""

from django.urls import path, re_path

from storefront.api.adminapi import openapi, order_actions, orders, payments, tickets, users
from storefront.api.adminapi.base import AdminApiView
from storefront.api.adminapi.v1 import V1View
from storefront.api.error_handlers import unknown_address

app_name = "adminapi"

#: The endpoints of version 2, without the spelling with a slash: the description names each once.
ROUTES: tuple[tuple[str, type[AdminApiView]], ...] = (
    ("orders", orders.OrdersView),
    ("orders/<int:pk>", orders.OrderView),
    ("orders/pull", order_actions.PullView),
    ("orders/update", order_actions.UpdateView),
    ("orders/change-status", order_actions.ChangeStatusView),
    ("orders/<int:pk>/set-partial", order_actions.SetPartialView),
    ("orders/<int:pk>/edit-link", order_actions.EditLinkView),
    ("orders/resend", order_actions.ResendView),
    ("orders/cancel", order_actions.CancelView),
    ("orders/request-cancel", order_actions.RequestCancelView),
    ("cancel/pull", order_actions.PullCancellationsView),
    ("cancel/reject", order_actions.RejectCancellationsView),
    ("refill/pull", order_actions.PullRefillsView),
    ("refill/change-status", order_actions.RefillStatusView),
    ("users", users.UsersView),
    ("users/add", users.AddUserView),
    ("payments", payments.PaymentsView),
    ("payments/add", payments.AddPaymentView),
    ("tickets", tickets.TicketsView),
    ("tickets/add", tickets.AddTicketView),
    ("tickets/<int:pk>", tickets.TicketView),
    ("tickets/<int:pk>/reply", tickets.ReplyView),
)
ENDPOINTS = [path(f"adminapi/v2/{route}", view.as_view()) for route, view in ROUTES]

urlpatterns = [
    *ENDPOINTS,
    *(path(f"adminapi/v2/{route}/", view.as_view()) for route, view in ROUTES),
    path("adminapi/openapi.json", openapi.document),
    path("adminapi/v1", V1View.as_view()),
    path("adminapi/v1/", V1View.as_view()),
    re_path(r"^adminapi(?:/|$)", unknown_address),
]
