"""Buying from a page: ``checkout.place_order`` with the promises a page makes (the price shown, a form used once)."""

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

#: What a line of a mass order says where an open order holds its link.
LINK_IN_USE = InvalidField("link", "in_use")


class FormReused(Exception):
    """The form had already bought something else, such as before "back" and a change. ``order`` is what it bought."""

    def __init__(self, order: Order) -> None:
        super().__init__(f"the form was used for order {order.pk}")
        self.order = order


def new_request_id() -> str:
    return str(uuid.uuid4())


def request_id(text: str) -> str:
    """The form's own number as it came back, or a new one where it is none of ours."""
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
    paid_by: CustomerPricing,
) -> Order:
    """Buys what the form says, once. Raises what ``place_order`` raises, and FormReused; then nothing was charged."""
    offer = checkout.quote(service, inputs=inputs, paid_by=paid_by)
    used = Order.objects.filter(user=user, request_id=request_id).first()
    if used is None:
        if shown_price != order_form.unit_price(service, paid_by=paid_by):
            raise PriceChanged(offer.charge)
        # Service and terms were read once in this request: the rate compared above is the rate that is taken.
        used = checkout.place_order(
            user, service=service, inputs=inputs, source=Source.PAGE, request_id=request_id, paid_by=paid_by
        )
    wanted = offer.details
    asked = (service.pk, wanted.link, wanted.quantity, wanted.fields, wanted.runs, wanted.interval)
    bought = (used.service_id, used.link, used.quantity, used.fields, used.runs, used.interval)
    # A start that has come meanwhile reads as "now".
    if bought != asked or offer.starts_at not in (None, used.starts_at):
        raise FormReused(used)
    return used
