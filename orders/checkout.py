"""Buying: quote() prices what a customer asks for, place_order() takes the money and keeps the order, or does neither.

The order's row is the outbox: once it is committed it will be placed, whatever happens to the wake-up call.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils.module_loading import import_string

from orders import kinds, ledger, money, pricing, schedule
from orders.errors import InvalidField, OrderInvalid, PriceChanged, ServiceNotSold, SoldBelowCost
from orders.kinds import Details
from orders.models import Order, Service
from orders.models.order import Source

log = logging.getLogger("vitrine.orders")

#: As wide as the column.
REQUEST_ID_MAX = 128
#: No wallet can hold more: whole millionths in 64 bits.
_LARGEST_CHARGE = money.from_units(money.LARGEST, money.AMOUNT_PLACES)
#: The operator is told of a service that would be sold below cost once in this time.
_TOLD_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Quote:
    """What an order would be: its cleaned details, its charge in the store currency, and its start (None: now)."""

    service: Service
    details: Details
    charge: Decimal
    starts_at: datetime | None = None


def quote(service: Service, *, inputs: Mapping[str, Any]) -> Quote:
    """Prices ``inputs`` (texts by the panel API's names) for ``service``. Writes nothing.

    Raises ServiceNotSold, or OrderInvalid with every problem.
    """
    if not (service.is_active and service.category.is_active):
        raise ServiceNotSold(f"service {service.pk} is off sale")
    details = kinds.read(
        service.type,
        inputs,
        minimum=service.min_quantity,
        maximum=service.max_quantity,
        has_dripfeed=service.has_runs,
    )
    if service.type.has_link and service.link_pattern and not re.fullmatch(service.link_pattern, details.link):
        raise OrderInvalid([InvalidField("link", "bad_link", limit=service.link_example or None)])
    try:
        starts_at = schedule.read(inputs)
    except InvalidField as problem:
        raise OrderInvalid([problem]) from None
    charge = pricing.charge(service.rate, details.quantity, is_flat=service.is_flat)
    if charge > _LARGEST_CHARGE:
        most = int(money.divide(money.multiply(_LARGEST_CHARGE, details.quantity), charge))
        raise OrderInvalid([InvalidField("quantity", "too_large", limit=most)])
    return Quote(service, details, charge, starts_at)


def place_order(
    user: Any,
    *,
    service: Service,
    inputs: Mapping[str, Any],
    source: str = Source.PAGE,
    request_id: str | None = None,
    shown_charge: Decimal | None = None,
) -> Order:
    """Buys ``service`` for ``user``: the order and its charge in one short transaction, then the wake-up call.

    The same ``request_id`` of the same user buys once: the second call returns the first order. ``shown_charge`` is the
    price the customer agreed to. Raises ServiceNotSold (SoldBelowCost among it), OrderInvalid, PriceChanged,
    InsufficientFunds; then nothing was charged.
    """
    if request_id:
        if len(request_id) > REQUEST_ID_MAX or not request_id.isprintable():
            raise OrderInvalid([InvalidField("request_id", "too_long", limit=REQUEST_ID_MAX)])
        placed = Order.objects.filter(user=user, request_id=request_id).first()
        if placed:
            return placed
    offer = quote(service, inputs=inputs)
    _check_price(offer, shown_charge)
    try:
        with transaction.atomic():
            order = Order.objects.create(user=user, source=source, request_id=request_id or None, **_columns(offer))
            ledger.charge(order)
    except IntegrityError:
        # The same request arrived twice at the same moment: the one that was committed first stands.
        twin = Order.objects.filter(user=user, request_id=request_id).first() if request_id else None
        if twin is None:
            raise
        return twin
    transaction.on_commit(lambda: wake(order), robust=True)
    return order


def _columns(offer: Quote) -> dict[str, Any]:
    return {
        "service": offer.service,
        "rate": offer.service.rate,
        "is_flat": offer.service.is_flat,
        "charge": offer.charge,
        "link": offer.details.link,
        "quantity": offer.details.quantity,
        "fields": offer.details.fields,
        "runs": offer.details.runs,
        "interval": offer.details.interval,
        "starts_at": offer.starts_at,
    }


def _check_price(offer: Quote, shown_charge: Decimal | None) -> None:
    """Raises PriceChanged, or SoldBelowCost; of that the operator is told once an hour for each service."""
    if shown_charge is not None and offer.charge != shown_charge:
        raise PriceChanged(offer.charge)
    cost = import_string(settings.ORDERS_COST_FLOOR)(offer.service, quantity=offer.details.quantity)
    if cost is None or cost <= offer.charge:
        return
    words = f"service {offer.service.pk} costs {cost} where its price is {offer.charge}; it was not sold"
    if cache.add(f"orders.below_cost.{offer.service.pk}", 1, _TOLD_SECONDS):
        log.warning(words)
    raise SoldBelowCost(words)


def wake(order: Order) -> None:
    """Tells the upstream side that ``order`` waits. A lost or doubled call changes nothing."""
    import_string(settings.ORDERS_WAKE)(order)
