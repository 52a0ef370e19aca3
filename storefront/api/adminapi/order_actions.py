"""The endpoints that change orders, through the same functions as the back office."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import transaction
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from orders.errors import (
    CancelNotOffered,
    InvalidField,
    NothingRemains,
    NotPossible,
    OrderEnded,
    OrdersError,
    OwnMoney,
    RequestOpen,
)
from orders.lifecycle import customer_requests, staff_decisions
from orders.models import Cancellation, Order, OrderEvent, PullLease, Refill
from orders.models.customer_request import RequestStatus
from orders.rules import amounts
from orders.rules.state_machine import Status
from providers.placing import routing
from storefront.api.adminapi import audit, envelope, inputs, order_rows, pages, shapes
from storefront.api.adminapi.base import AdminApiView
from storefront.api.adminapi.models import Group, StaffKey
from storefront.api.adminapi.orders import orders_with_parts

#: Why no cancellation can be requested.
_NOT_POSSIBLE: Mapping[type[NotPossible], str] = {
    CancelNotOffered: "The service is sold without cancellation",
    OrderEnded: "The order has ended",
    NothingRemains: "Everything is delivered",
    RequestOpen: "A cancellation is open already",
}
Act = Callable[[Order], Any]


class OrderActionView(AdminApiView):
    """Acts on one order, or on each of several; one that is refused does not stop the others."""

    group = Group.ORDERS
    endpoint = ""

    def on_one(self, pk: int, act: Act) -> Response:
        apply(self.key, pk, act, endpoint=self.endpoint)
        return envelope.success(None)

    def on_each(self, numbers: list[int], act: Act) -> Response:
        """Act on each order in a transaction of its own.

        The answer to a call of which a part failed has HTTP 200, because a part was done; ``error_message`` names
        the orders that were refused.
        """
        return self.on_these(dict.fromkeys(numbers, act))

    def on_these(self, acts: Mapping[int, Act]) -> Response:
        """Run an act of its own on each order, as ``on_each`` does."""
        applied = {pk: partial(apply, self.key, pk, act, endpoint=self.endpoint) for pk, act in acts.items()}
        return answer_each("Order", applied)


def answer_each(noun: str, acts: Mapping[int, Callable[[], None]]) -> Response:
    """Run the act of each number, and name those that were refused. What ``noun`` names has these numbers."""
    refused: dict[int, str] = {}
    for number, act in acts.items():
        try:
            act()
        except (OrdersError, NotFound, envelope.CannotDo) as problem:
            refused[number] = envelope.describe(problem)[1]
    if not refused:
        return envelope.success(None)
    text = " ".join(f"{noun} {number}: {why.rstrip('.')}." for number, why in refused.items())
    return envelope.failure(HTTPStatus.CONFLICT, text, http_status=HTTPStatus.OK)


def apply(key: StaffKey, pk: int, act: Act, *, endpoint: str) -> None:
    """Run ``act`` on the locked order, and write what it changed into the order's history.

    Raises:
        NotFound: There is no such order.
        OrdersError: The order does not allow it.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).select_related("service").filter(pk=pk).first()
        if order is None:
            raise NotFound("Order not found")
        if order.user_id == key.user_id:
            raise OwnMoney("This is an order of the person who created the key. A colleague has to decide")
        before, former, lease = _values(order), _last_event(pk), _lease_end(pk)
        act(order)
        after, latest = _values(Order.objects.get(pk=pk)), _last_event(pk)
        changes = audit.differences(before, after)
        if not changes and latest != former:
            # Nothing but the timeline of the order tells of it, such as an order that is sent now and not later.
            changes = {"event": ("", latest.data.get("decision", latest.kind))}
        if not changes and lease != _lease_end(pk):
            # A report without news still says that the program delivers the order.
            changes = {"lease": (order_rows.date(lease), "")}
        audit.record(key, order, endpoint, changes)


def _lease_end(pk: int) -> datetime | None:
    return PullLease.objects.filter(order=pk).values_list("until", flat=True).first()


def _last_event(pk: int) -> Any:
    return OrderEvent.objects.filter(order=pk).order_by("-id").first()


def _values(order: Order) -> dict[str, Any]:
    """Return the values of an order that its history records."""
    open_requests = {
        name: ", ".join(model.objects.open().filter(order=order).values_list("status", flat=True))
        for name, model in (("refill", Refill), ("cancellation", Cancellation))
    }
    return {
        "status": order.status,
        "start_count": order.start_count,
        "remains": order.remains,
        "refunded": amounts.plain(order.refunded),
        "link": order.link,
        "due_at": order_rows.date(order.due_at),
        **open_requests,
    }


def _refuse_provided(order: Order) -> None:
    """Raise if a provider has the order: its progress would be changed here only."""
    if routing.may_be_placed(order):
        raise envelope.CannotDo("A provider delivers this order, so its progress cannot be set")


def _report(key: StaffKey, **progress: Any) -> Act:
    """Return the act that reports progress of an order delivered by hand. Every order can be canceled."""

    def act(order: Order) -> None:
        if progress.get("status") is Status.CANCELED:
            staff_decisions.cancel(order, actor=key.user)
            return
        _refuse_provided(order)
        staff_decisions.report(order, actor=key.user, **progress)

    return act


def _progress(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in ("status", "start_count", "remains") if name in line}


# ------------------------------------------------------------------------------------------------ actions


class CancelView(OrderActionView):
    endpoint = "orders/cancel"
    body_class = inputs.CancelOrders

    def post(self, request: Request) -> Response:
        given = self.read_body()
        why = given["cancel_reason"]
        return self.on_each(given["ids"], lambda order: staff_decisions.cancel(order, actor=self.key.user, why=why))


class RequestCancelView(OrderActionView):
    endpoint = "orders/request-cancel"
    body_class = inputs.Ids

    def post(self, request: Request) -> Response:
        def act(order: Order) -> None:
            try:
                customer_requests.request_cancellation(order, actor=self.key.user)
            except NotPossible as problem:
                raise envelope.CannotDo(_NOT_POSSIBLE[type(problem)]) from None

        return self.on_each(self.read_body()["ids"], act)


class ResendView(OrderActionView):
    endpoint = "orders/resend"
    body_class = inputs.Ids

    def post(self, request: Request) -> Response:
        def act(order: Order) -> None:
            if order.state is Status.FAILED:
                raise envelope.CannotDo("It failed and was refunded, so it has to be placed again")
            staff_decisions.try_again(order, actor=self.key.user)

        return self.on_each(self.read_body()["ids"], act)


class ChangeStatusView(OrderActionView):
    endpoint = "orders/change-status"
    body_class = inputs.ChangeStatus

    def post(self, request: Request) -> Response:
        given = self.read_body()
        return self.on_each(given["ids"], _report(self.key, status=given["status"]))


class SetPartialView(OrderActionView):
    endpoint = "orders/set-partial"
    body_class = inputs.SetPartial

    def post(self, request: Request, pk: int) -> Response:
        remains = self.read_body()["remains"]

        def act(order: Order) -> None:
            if order.service.is_manual:
                staff_decisions.report(order, status=Status.PARTIAL, remains=remains, actor=self.key.user)
            else:
                staff_decisions.set_partial(order, remains=remains, actor=self.key.user)

        return self.on_one(pk, act)


class EditLinkView(OrderActionView):
    endpoint = "orders/edit-link"
    body_class = inputs.EditLink

    def post(self, request: Request, pk: int) -> Response:
        link = self.read_body()["link"]

        def act(order: Order) -> None:
            if order.service.is_manual:
                _refuse_provided(order)
            try:
                staff_decisions.change_link(order, link=link, actor=self.key.user)
            except InvalidField:
                raise envelope.CannotDo("The service does not accept this link") from None

        return self.on_one(pk, act)


# ------------------------------------------------------------------------------------------------ delivery by hand


class PullView(AdminApiView):
    """Hand out orders that wait for delivery by hand."""

    group = Group.ORDERS
    data_shape = shapes.listed(shapes.ORDER)
    body_class = inputs.Pull

    def post(self, request: Request) -> Response:
        given = self.read_body()
        with transaction.atomic():
            taken = staff_decisions.take_by_hand(
                limit=given["limit"],
                service_ids=given["service_ids"],
                lease=timedelta(minutes=settings.PULL_LEASE_MINUTES),
                actor=self.key.user,
            )
            found = list(orders_with_parts().filter(pk__in=taken).order_by("id"))
            for order in found:
                audit.record(self.key, order, "orders/pull", _pulled(taken[order.pk]))
        return pages.handed_out(order_rows.rows(found))


def _pulled(former_end: datetime | None) -> audit.Changes:
    """Return what changed about an order that was handed out, now or again after its lease ended."""
    if former_end is None:
        return {"status": (Status.QUEUED.value, Status.PROCESSING.value)}
    return {"lease": (f"over since {order_rows.date(former_end)}", "pulled again")}


class UpdateView(OrderActionView):
    endpoint = "orders/update"
    body_class = inputs.UpdateOrders

    def post(self, request: Request) -> Response:
        lines = self.read_body()["orders"]
        return self.on_these({line["id"]: _report(self.key, **_progress(line)) for line in lines})


class PullCancellationsView(AdminApiView):
    """Hand out customers' cancellations of orders that are delivered by hand."""

    group = Group.ORDERS
    data_shape = shapes.listed(shapes.ORDER)
    body_class = inputs.Pull

    def post(self, request: Request) -> Response:
        given = self.read_body()
        requests = _take(self.key, Cancellation, given, "cancel/pull")
        return pages.handed_out(_order_rows_of(requests))


class RejectCancellationsView(OrderActionView):
    endpoint = "cancel/reject"
    body_class = inputs.RejectCancellations

    def post(self, request: Request) -> Response:
        given = self.read_body()

        def act(order: Order) -> None:
            request = Cancellation.objects.open().filter(order=order).first()
            if request is None:
                raise envelope.CannotDo("There is no open cancellation")
            reason = given["reason"] or "rejected by a program"
            customer_requests.reject(request, reason=reason, actor=self.key.user)

        return self.on_each(given["ids"], act)


class PullRefillsView(AdminApiView):
    """Hand out customers' refills of orders that are delivered by hand."""

    group = Group.ORDERS
    data_shape = shapes.listed(shapes.REFILL)
    body_class = inputs.Pull

    def post(self, request: Request) -> Response:
        given = self.read_body()
        requests = _take(self.key, Refill, given, "refill/pull")
        rows = {row["id"]: row for row in _order_rows_of(requests)}
        return pages.handed_out(
            [{**rows[request.order_id], "id": request.pk, "order_id": request.order_id} for request in requests]
        )


class RefillStatusView(AdminApiView):
    group = Group.ORDERS
    body_class = inputs.RefillStatus

    def post(self, request: Request) -> Response:
        given = self.read_body()
        acts = {number: partial(self._change, number, given["status"], given["reason"]) for number in given["ids"]}
        return answer_each("Refill", acts)

    def _change(self, number: int, status: RequestStatus, reason: str) -> None:
        with transaction.atomic():
            refill = Refill.objects.filter(pk=number).select_related("order").first()
            if refill is None:
                raise NotFound("Refill not found")
            if refill.order.user_id == self.key.user_id:
                raise OwnMoney("This is an order of the person who created the key. A colleague has to decide")
            _refuse_provided(refill.order)
            before = refill.status
            if status == RequestStatus.COMPLETED:
                after = customer_requests.complete(refill, actor=self.key.user)
            elif status == RequestStatus.REJECTED:
                reason = reason or "rejected by a program"
                after = customer_requests.reject(refill, reason=reason, actor=self.key.user)
            else:
                after = customer_requests.apply_refill_status(refill, status=status, actor=self.key.user)
                if after.status != status:
                    raise envelope.CannotDo(f"It is {after.get_status_display().lower()}")
            changes = audit.differences({"refill": before}, {"refill": after.status})
            audit.record(self.key, refill.order, "refill/change-status", changes)


def _take(key: StaffKey, model: Any, given: dict[str, Any], endpoint: str) -> list[Any]:
    with transaction.atomic():
        taken: list[Any] = customer_requests.take_by_hand(
            model, limit=given["limit"], service_ids=given["service_ids"], actor=key.user
        )
        for request in taken:
            changes = {model._meta.model_name: (RequestStatus.WAITING.value, request.status)}
            audit.record(key, request.order, endpoint, changes)
    return taken


def _order_rows_of(requests: list[Any]) -> list[dict[str, Any]]:
    found = orders_with_parts().filter(pk__in=[request.order_id for request in requests])
    return order_rows.rows(found.order_by("id"))
