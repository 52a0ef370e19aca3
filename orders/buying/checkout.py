"""Buying: quote() prices what a customer asks for, place_order() takes the money and keeps the order, or does neither.

The order's row is the outbox: once it is committed it will be placed, whatever happens to the wake-up call.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils.module_loading import import_string

from orders.buying import idempotency, scheduled_start
from orders.catalog import customer_pricing
from orders.catalog.customer_pricing import CustomerPricing
from orders.errors import (
    InvalidField,
    LinkInUse,
    OrderInvalid,
    OrdersError,
    PriceChanged,
    ServiceNotSold,
    SoldBelowCost,
)
from orders.ledger import transfers
from orders.models import Order, Service
from orders.models.order import Source
from orders.rules import amounts, charges, link_patterns, same_link, service_types
from orders.rules.service_types import Details

log = logging.getLogger("vitrine.orders")

#: No wallet can hold more: whole millionths in 64 bits.
_LARGEST_CHARGE = amounts.from_units(amounts.LARGEST, amounts.AMOUNT_PLACES)
#: The operator is told of a service that would be sold below cost once in this time.
_TOLD_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Quote:
    """What an order would be: its cleaned details, its rate and charge in the store currency, its start (None: now)."""

    service: Service
    details: Details
    rate: Decimal
    charge: Decimal
    starts_at: datetime | None = None


def quote(
    service: Service, *, inputs: Mapping[str, Any], paid_by: CustomerPricing = customer_pricing.LIST_PRICES
) -> Quote:
    """Prices ``inputs`` (texts by the panel API's names) for ``service``. Writes nothing.

    Raises ServiceNotSold, or OrderInvalid with every problem.
    """
    if not (service.is_active and service.category.is_active):
        raise ServiceNotSold(f"service {service.pk} is off sale")
    details = service_types.read(
        service.type,
        inputs,
        minimum=service.min_quantity,
        maximum=service.max_quantity,
        has_dripfeed=service.has_runs,
    )
    try:
        check_link(service, details.link)
        starts_at = scheduled_start.parse_start(inputs)
    except InvalidField as problem:
        raise OrderInvalid([problem]) from None
    rate = paid_by.rate(service)
    charge = charges.charge(rate, details.quantity, is_flat=service.is_flat)
    if charge > _LARGEST_CHARGE:
        most = int(amounts.divide(amounts.multiply(_LARGEST_CHARGE, details.quantity), charge))
        raise OrderInvalid([InvalidField("quantity", "too_large", limit=most)])
    return Quote(service, details, rate, charge, starts_at)


def check_link(service: Service, link: str) -> None:
    """Raises InvalidField where ``service`` takes links and ``link`` is none of its kind, with its example of one."""
    if service.type.has_link and service.link_pattern and not _matches(service, link):
        raise InvalidField("link", "bad_link", limit=service.link_example or None)


def _matches(service: Service, link: str) -> bool:
    """Whether the pattern of ``service`` lets ``link`` through. One that cannot be read lets nothing through."""
    try:
        return link_patterns.matches(service.link_pattern, link)
    except link_patterns.PatternNotSupported as problem:
        log.error("The link pattern of service %s cannot be used, so it sells nothing: %s", service.pk, problem)
        return False


def place_order(
    user: Any,
    *,
    service: Service,
    inputs: Mapping[str, Any],
    source: str = Source.PAGE,
    request_id: str | None = None,
    fingerprint: int | None = None,
    paid_by: CustomerPricing | None = None,
    shown_charge: Decimal | None = None,
    stamp: int | None = None,
) -> Order:
    """Buys ``service`` for the customer: the order and its charge in one short transaction, then the wake-up call.

    The same request buys once, known by its ``request_id`` or else by its ``fingerprint`` (see ``repeats``): another
    call of it returns the first order. ``paid_by`` are the customer's terms, looked up if they are not given, and
    ``shown_charge`` is the price the customer agreed to. ``stamp`` is the catalogue's, if the caller has just read it:
    what is kept under it is not read again. Raises ServiceNotSold (SoldBelowCost among it), OrderInvalid,
    PriceChanged, LinkInUse, RequestReused, InsufficientFunds; then nothing was charged.
    """
    # Without a window nothing is a repetition; a fingerprint that is kept would only be in the way of the next order.
    is_known_again = bool(request_id or settings.REPEAT_SECONDS)
    request = idempotency.IdempotentRequest(user.pk, request_id or None, fingerprint if is_known_again else None)
    request.check()
    try:
        if paid_by is None:
            paid_by = customer_pricing.pricing_for(user, service.pk)
        offer = quote(service, inputs=inputs, paid_by=paid_by)
        _check_price(offer, shown_charge, stamp)
        order = _sell_once(request, offer, source)
    except OrdersError:
        # Perhaps it is in its own way: what it wants is bought already, with the last of the money.
        earlier = request.earlier()
        if earlier is None:
            raise
        return earlier
    return order


def _sell_once(request: idempotency.IdempotentRequest, offer: Quote, source: str) -> Order:
    for is_last in (False, True):
        order = _order(request, offer, source)
        try:
            transfers.sell(order)
        except IntegrityError:
            earlier = request.earlier()
            if earlier:
                return earlier
            if offer.service.is_one_per_link and _is_link_held(offer):
                raise LinkInUse(f"an order for this link of service {offer.service.pk} is open") from None
            # Once more: an order that was too old to be the same request has made room.
            if is_last:
                raise
        else:
            _wake_after_commit(order)
            return order
    raise AssertionError("unreachable")


def _order(request: idempotency.IdempotentRequest, offer: Quote, source: str) -> Order:
    return Order(
        user_id=request.user_id,
        source=source,
        request_id=request.request_id,
        fingerprint=request.fingerprint,
        link_lock=_link_lock(offer),
        service=offer.service,
        rate=offer.rate,
        is_flat=offer.service.is_flat,
        charge=offer.charge,
        link=offer.details.link,
        quantity=offer.details.quantity,
        fields=offer.details.fields,
        runs=offer.details.runs,
        interval=offer.details.interval,
        starts_at=offer.starts_at,
    )


def _link_lock(offer: Quote) -> int | None:
    link = offer.details.link
    return same_link.lock(offer.service.pk, link) if link and offer.service.is_one_per_link else None


def _is_link_held(offer: Quote) -> bool:
    return Order.objects.open().filter(link_lock=_link_lock(offer)).exists()


def _check_price(offer: Quote, shown_charge: Decimal | None, stamp: int | None) -> None:
    """Raises PriceChanged, or SoldBelowCost; of that the operator is told once an hour for each service."""
    if shown_charge is not None and offer.charge != shown_charge:
        raise PriceChanged(offer.charge)
    cost = cost_of(offer.service, quantity=offer.details.quantity, stamp=stamp)
    if cost is None or cost <= offer.charge:
        return
    words = f"service {offer.service.pk} costs {cost} where its price is {offer.charge}; it was not sold"
    if cache.add(f"orders.below_cost.{offer.service.pk}", 1, _TOLD_SECONDS):
        log.warning(words)
    raise SoldBelowCost(words)


def cost_of(service: Service, *, quantity: int, stamp: int | None = None) -> Decimal | None:
    """What ``quantity`` pieces cost us, in the store currency: nothing is sold below it. None: nothing is known."""
    cost: Decimal | None = import_string(settings.ORDERS_COST_FLOOR)(service, quantity=quantity, stamp=stamp)
    return cost


def _wake_after_commit(order: Order) -> None:
    transaction.on_commit(lambda: wake(order), robust=True)


def wake(order: Order) -> None:
    """Tells the upstream side that ``order`` waits. A lost or doubled call changes nothing."""
    import_string(settings.ORDERS_WAKE)(order)
