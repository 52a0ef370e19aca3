"""Purchase from a page: charges only the price that was shown, and each form buys once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from orders.buying import checkout
from orders.catalog.customer_pricing import CustomerPricing
from orders.errors import InvalidField, PriceChanged
from orders.models import Order, Service
from orders.models.order import Source
from storefront.shop import order_form

#: The problem of a mass order line whose link is locked by an open order.
LINK_IN_USE = InvalidField("link", "in_use")


class FormReused(Exception):
    """The form already bought something else, for example before it was changed with the back button."""

    def __init__(self, order: Order) -> None:
        super().__init__(f"the form was used for order {order.pk}")
        self.order = order


def new_request_id() -> str:
    return str(uuid.uuid4())


def request_id(text: str) -> str:
    """Return the posted request ID if it is a UUID, else a new one."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return new_request_id()


def buy(
    user: Any,
    *,
    service: Service,
    inputs: Mapping[str, Any],
    request_id: str,
    shown_price: str,
    pricing: CustomerPricing,
) -> Order:
    """Buy what the form holds, once. If an exception is raised, nothing was charged.

    Raises:
        FormReused: The form already bought a different order.
        OrdersError: Everything that ``checkout.place_order`` raises.
    """
    quote = checkout.quote(service, inputs=inputs, pricing=pricing)
    order = Order.objects.filter(user=user, request_id=request_id).first()
    if order is None:
        if shown_price != order_form.unit_price(service, pricing=pricing):
            raise PriceChanged(quote.charge)
        # Service and pricing were read once in this request, so the rate compared above is the rate charged.
        order = checkout.place_order(
            user, service=service, inputs=inputs, source=Source.PAGE, request_id=request_id, pricing=pricing
        )
    details = quote.details
    requested = (service.pk, details.link, details.quantity, details.fields, details.runs, details.interval)
    bought = (order.service_id, order.link, order.quantity, order.fields, order.runs, order.interval)
    # A scheduled start that has passed meanwhile reads as "now".
    if bought != requested or quote.starts_at not in (None, order.starts_at):
        raise FormReused(order)
    return order
