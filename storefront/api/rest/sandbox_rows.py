"""What sandbox keys read and do in the REST API: orders, refills and cancellations that move no money.

They have the shapes of the shop's own. Other resources of a customer have no counterpart in the sandbox.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers

from orders.buying import checkout
from orders.catalog.customer_pricing import CustomerPricing
from orders.errors import PriceChanged
from orders.models import Service
from storefront.api.keys import Caller
from storefront.api.rest.filters import SandboxCancellationFilter, SandboxOrderFilter, SandboxRefillFilter
from storefront.api.rest.serializers import CancellationSerializer, OrderSerializer, RefillSerializer
from storefront.api.sandbox import store
from storefront.api.sandbox.models import SandboxOrder, SandboxRefill


class SandboxOrderSerializer(OrderSerializer):
    def to_representation(self, instance: Any) -> Any:
        return super().to_representation(instance.as_order())


class SandboxCancellationSerializer(CancellationSerializer):
    """The cancellation of a sandbox order has no row of its own, so its ID is that of the order."""

    def to_representation(self, instance: Any) -> Any:
        return super().to_representation(instance.as_cancellation())


@dataclass(frozen=True, slots=True)
class SandboxRows:
    """A resource of the sandbox: ``of`` returns the rows of a key."""

    of: Callable[[int], QuerySet[Any]]
    serializer_class: type[serializers.BaseSerializer[Any]]
    filterset_class: type[django_filters.FilterSet]


def _orders(key_id: int) -> QuerySet[SandboxOrder]:
    return SandboxOrder.objects.of(key_id).select_related("service")


ORDERS = SandboxRows(_orders, SandboxOrderSerializer, SandboxOrderFilter)
REFILLS = SandboxRows(
    lambda key_id: SandboxRefill.objects.filter(order__key=key_id), RefillSerializer, SandboxRefillFilter
)
CANCELLATIONS = SandboxRows(
    lambda key_id: _orders(key_id).filter(cancel_requested_at__isnull=False),
    SandboxCancellationSerializer,
    SandboxCancellationFilter,
)


def balance(caller: Caller) -> Decimal:
    """Return the play money of the caller's key."""
    return store.balance(caller.key_id)


def place_order(
    caller: Caller,
    *,
    service: Service,
    inputs: Mapping[str, Any],
    pricing: CustomerPricing,
    shown_charge: Decimal | None,
) -> SandboxOrder:
    """Place an order with play money.

    Raises:
        OrdersError: As in the shop, also PriceChanged.
    """
    if shown_charge is not None:
        charge = checkout.quote(service, inputs=inputs, pricing=pricing).charge
        if charge != shown_charge:
            raise PriceChanged(charge)
    # The Idempotency-Key was checked before, so each call that arrives here is another order.
    return store.place_order(caller, service=service, inputs=inputs, pricing=pricing, request_id=uuid.uuid4().hex)


def request_refill(caller: Caller, number: int) -> Any:
    """Return the refill of this order, the problem, or None if the key has no such order."""
    return store.refill_many(caller.key_id, numbers=[number]).get(number)


def request_cancellation(caller: Caller, number: int) -> Any:
    """Return the canceled order, the problem, or None if the key has no such order."""
    return store.cancel_many(caller.key_id, numbers=[number]).get(number)
