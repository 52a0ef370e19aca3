"""The three actions of version 1 that programs still use: one address, ``action`` chooses.

Answers have the form of that version: ``status`` is "success", or "fail" with a word in ``error``, with HTTP 200.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied, Throttled, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from orders.models import Order
from orders.rules.state_machine import Status
from storefront.api.adminapi import envelope, inputs, order_rows, payments, users
from storefront.api.adminapi.authentication import StaffKeyAuthentication
from storefront.api.adminapi.base import AdminApiView, body_of, read
from storefront.api.adminapi.models import Group
from storefront.web import panel_vocabulary


class Failure(APIException):
    """A refusal with one of the words that programs know."""

    status_code = HTTPStatus.OK


class V1Authentication(StaffKeyAuthentication):
    """The key comes as the parameter ``key``, in the query or in the body, or in the header ``X-Api-Key``."""

    def key_of(self, request: Request) -> str:
        return super().key_of(request) or str(body_of(request).get("key") or "").strip()


class V1View(AdminApiView):
    authentication_classes: list[type[BaseAuthentication]] = [V1Authentication]
    permission_classes = []  # each action asks for its own scope

    def get(self, request: Request) -> Response:
        return self.answer(request)

    def post(self, request: Request) -> Response:
        return self.answer(request)

    def answer(self, request: Request) -> Response:
        params = {**request.query_params.dict(), **body_of(request)}
        action = ACTIONS.get(str(params.get("action", "")))
        if action is None:
            raise Failure("bad_action")
        return Response({**action(self, params), "status": "success"})

    def require(self, group: Group, *, is_write: bool = False) -> None:
        """Raise unless the key has the scope, and for a write by GET its own permission."""
        if not self.key.may(group, is_write=is_write):
            raise PermissionDenied("This key does not have the scope for this action.")
        if is_write and self.request.method == "GET" and not self.key.has_get_writes:
            raise PermissionDenied("This key may not add payments by GET. Use POST, or allow it in the back office.")

    def get_exception_handler(self) -> Callable[..., Response]:
        return failure


def failure(problem: Exception, context: Any) -> Response:
    """Answer an exception in the form of version 1."""
    response = envelope.exception_response(problem, context)
    word = response.data["error_message"]
    if isinstance(problem, AuthenticationFailed):
        word = "bad_auth"
    elif isinstance(problem, ValidationError):
        word = f"bad_request: {word}"
    if response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(problem, Throttled):
        response.status_code = HTTPStatus.OK
    response.data = {"status": "fail", "error": word}
    return response


def orders_by_id(view: V1View, params: Mapping[str, Any]) -> dict[str, Any]:
    view.require(Group.ORDERS)
    given = read(inputs.V1Orders, params)
    found = Order.objects.select_related("user", "service").filter(pk__in=given["orders"]).order_by("id")
    by_id = {order.pk: order for order in found}
    if not by_id:
        raise Failure("order_not_found")
    return {"orders": [_order(row, by_id[row["id"]]) for row in order_rows.rows(found)]}


def user(view: V1View, params: Mapping[str, Any]) -> dict[str, Any]:
    view.require(Group.USERS)
    found = users.find_user(read(inputs.V1User, params)["username"])
    if found is None:
        raise Failure("bad_username")
    (row,) = users.rows([found])
    return {**row, "currency": settings.STORE_CURRENCY}


def add_payment(view: V1View, params: Mapping[str, Any]) -> dict[str, Any]:
    view.require(Group.PAYMENTS, is_write=True)
    given = read(inputs.V1Payment, params)
    found = users.find_user(given["username"])
    if found is None:
        raise Failure("bad_username")
    memo = given["details"]
    payment, _balance = payments.add(
        view.key, found, amount=given["amount"], method="Bonus", memo=memo, endpoint="addPayment"
    )
    return {"payment_id": payment.pk}


#: By names that are case-sensitive, as programs expect.
ACTIONS: Mapping[str, Callable[[V1View, Mapping[str, Any]], dict[str, Any]]] = {
    "getOrders-by-id": orders_by_id,
    "getUser": user,
    "addPayment": add_payment,
}


def _order(row: Mapping[str, Any], order: Order) -> dict[str, Any]:
    return {
        "id": row["id"],
        "username": row["user"],
        "order_status": "Fail" if order.state is Status.FAILED else panel_vocabulary.WORDS[order.state],
        "service": row["service_name"],
        "service_id": row["service_id"],
        "provider": row["provider"],
        "external_id": row["external_id"],
        "link": row["link"],
        "quantity": row["quantity"],
        "charge": row["charge"],
        "start_count": row["start_count"],
        "remains": row["remains"],
        "date": row["created"],
        "current_date": order_rows.date(timezone.now()),
    }
