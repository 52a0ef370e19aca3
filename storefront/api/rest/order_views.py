"""Quote, place, read and list orders; request refills and cancellations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from orders.buying import checkout
from orders.catalog.customer_pricing import CustomerPricing
from orders.errors import NotPossible, OrdersError, ServiceNotSold
from orders.lifecycle import customer_requests
from orders.models import Cancellation, Order, OrderEvent, Refill
from orders.models.order import Source
from storefront.api.keys import Caller
from storefront.api.panel import queries
from storefront.api.rest import problems, sandbox_rows
from storefront.api.rest.authentication import READ
from storefront.api.rest.base import RestViewSet
from storefront.api.rest.filters import CancellationFilter, OrderFilter, RefillFilter
from storefront.api.rest.idempotency import idempotent
from storefront.api.rest.problems import Code, Problem
from storefront.api.rest.serializers import (
    BulkOrderRequest,
    BulkResultSerializer,
    CancellationSerializer,
    OrderEventSerializer,
    OrderReference,
    OrderRequest,
    OrderSerializer,
    QuoteSerializer,
    RefillSerializer,
)
from storefront.api.sandbox.models import SandboxOrder


class OrderViewSet(ListModelMixin, RetrieveModelMixin, RestViewSet):
    """Orders of the key's customer."""

    queryset = Order.objects.none()  # names the model to the description; own_rows has them
    serializer_class = OrderSerializer
    filterset_class = OrderFilter
    sandbox = sandbox_rows.ORDERS
    sandbox_actions = frozenset({"list", "retrieve", "create", "bulk"})
    tag = "Orders"

    def own_rows(self) -> QuerySet[Order]:
        return Order.objects.of(self.caller.user)

    @extend_schema(request=OrderRequest, responses={201: OrderSerializer})
    @idempotent(is_required=True)
    def create(self, request: Request) -> Response:
        """Place an order. Its charge is taken from the balance at once."""
        order = _place(self.caller, request.data)
        return Response(_shown(order), status=201, headers={"Location": f"/api/v3/orders/{order.pk}"})

    @extend_schema(request=BulkOrderRequest, responses={200: BulkResultSerializer})
    @action(detail=False, methods=["post"], filterset_class=None, pagination_class=None)
    @idempotent(is_required=True)
    def bulk(self, request: Request) -> Response:
        """Place several orders, with a result for each line. A line that fails does not stop the others."""
        lines = BulkOrderRequest.read(request.data)["orders"]
        results = [{"index": index, **_placed_line(self.caller, line)} for index, line in enumerate(lines)]
        return Response({"placed": sum(row["order"] is not None for row in results), "results": results})

    @extend_schema(responses=OrderEventSerializer(many=True))
    @action(detail=True, serializer_class=OrderEventSerializer, filterset_class=None)
    def events(self, request: Request, pk: str) -> Response:
        """List the events of an order, newest first."""
        order = self.get_object()
        events = OrderEvent.objects.filter(order=order, kind__in=OrderEvent.PUBLIC)
        page: Any = self.paginate_queryset(events)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class QuoteViewSet(RestViewSet):
    tag = "Orders"
    scopes = {"create": READ}
    sandbox_actions = frozenset({"create"})

    @extend_schema(request=OrderRequest, responses={200: QuoteSerializer})
    @idempotent()
    def create(self, request: Request) -> Response:
        """Get the price of an order before buying it. Nothing is bought."""
        inputs = _inputs(OrderRequest.read(request.data))
        service, pricing = _sold(self.caller, inputs.pop("service"))
        quote = checkout.quote(service, inputs=inputs, pricing=pricing)
        return Response(QuoteSerializer(quote, context={"balance": self.caller_balance()}).data)


class _RequestViewSet(ListModelMixin, RetrieveModelMixin, RestViewSet):
    """What refills and cancellations share: both are requests of a customer about an order."""

    ask: Callable[..., Mapping[int, Any]]
    ask_sandbox: Callable[[Caller, int], Any]
    sandbox_actions = frozenset({"list", "retrieve", "create"})

    def _requested(self, request: Request) -> Response:
        number = OrderReference.read(request.data)["order"]
        if self.caller.is_sandbox:
            outcome = type(self).ask_sandbox(self.caller, number)
        else:
            orders = Order.objects.filter(user=self.caller.user_id, pk=number)
            outcome = type(self).ask(orders, actor=self.caller.user).get(number)
        if outcome is None:
            raise Problem(Code.NOT_FOUND, f"There is no order {number}.")
        if isinstance(outcome, NotPossible):
            raise outcome
        return Response(self.get_serializer(outcome).data, status=201)


class RefillViewSet(_RequestViewSet):
    """Refills of the customer's orders."""

    queryset = Refill.objects.none()  # names the model to the description; own_rows has them
    serializer_class = RefillSerializer
    filterset_class = RefillFilter
    ask = staticmethod(customer_requests.request_refills)
    ask_sandbox = staticmethod(sandbox_rows.request_refill)
    sandbox = sandbox_rows.REFILLS
    tag = "Refills"

    def own_rows(self) -> QuerySet[Refill]:
        return Refill.objects.filter(order__user=self.caller.user_id)

    @extend_schema(request=OrderReference, responses={201: RefillSerializer})
    @idempotent()
    def create(self, request: Request) -> Response:
        """Request a refill of an order that has ended."""
        return self._requested(request)


class CancellationViewSet(_RequestViewSet):
    """Cancellations of the customer's orders."""

    queryset = Cancellation.objects.none()  # names the model to the description; own_rows has them
    serializer_class = CancellationSerializer
    filterset_class = CancellationFilter
    ask = staticmethod(customer_requests.request_cancellations)
    ask_sandbox = staticmethod(sandbox_rows.request_cancellation)
    sandbox = sandbox_rows.CANCELLATIONS
    tag = "Cancellations"

    def own_rows(self) -> QuerySet[Cancellation]:
        return Cancellation.objects.filter(order__user=self.caller.user_id)

    @extend_schema(request=OrderReference, responses={201: CancellationSerializer})
    @idempotent()
    def create(self, request: Request) -> Response:
        """Request the cancellation of an open order."""
        return self._requested(request)


# ------------------------------------------------------------------------------------------------ placing
def _place(caller: Caller, data: Any) -> Order | SandboxOrder:
    inputs = _inputs(OrderRequest.read(data))
    service, pricing = _sold(caller, inputs.pop("service"))
    shown_charge = inputs.pop("expected_charge", None)
    if caller.is_sandbox:
        return sandbox_rows.place_order(
            caller, service=service, inputs=inputs, pricing=pricing, shown_charge=shown_charge
        )
    return checkout.place_order(
        caller.user,
        service=service,
        inputs=inputs,
        source=Source.API,
        catalog_version=caller.catalog_version,
        pricing=pricing,
        shown_charge=shown_charge,
    )


def _placed_line(caller: Caller, line: Any) -> dict[str, Any]:
    try:
        order = _place(caller, line)
    except (OrdersError, ValidationError) as failure:
        return {"order": None, "problem": problems.of_exception(failure).body}
    return {"order": _shown(order), "problem": None}


def _shown(order: Order | SandboxOrder) -> Any:
    is_sandbox = isinstance(order, SandboxOrder)
    serializer = sandbox_rows.SandboxOrderSerializer if is_sandbox else OrderSerializer
    return serializer(order).data  # type: ignore[arg-type]  # each takes its own kind of row


def _sold(caller: Caller, service_id: int) -> tuple[Any, CustomerPricing]:
    found = queries.service_for(caller, service_id)
    if found is None:
        raise ServiceNotSold
    service, own_rate = found
    return service, CustomerPricing(caller.discount, {} if own_rate is None else {service_id: own_rate})


def _inputs(data: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs as checkout reads them: times and days as text."""
    return {name: value.isoformat() if isinstance(value, (date, datetime)) else value for name, value in data.items()}
