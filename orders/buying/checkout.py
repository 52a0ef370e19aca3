"""Pricing and placing of customers' orders.

The order's row is the outbox: once it is committed it will be placed, even if the wake-up call is lost.
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

#: No wallet can hold more: balances are whole millionths in 64 bits.
_LARGEST_CHARGE = amounts.from_units(amounts.LARGEST, amounts.AMOUNT_PLACES)
#: Seconds between two log entries about the same service that would be sold below cost.
_LOG_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Quote:
    """A priced order before it is placed.

    ``rate`` (per 1,000, or per piece if flat) and ``charge`` are in the store currency; ``starts_at`` None means now.
    """

    service: Service
    details: Details
    rate: Decimal
    charge: Decimal
    starts_at: datetime | None = None


def quote(
    service: Service, *, inputs: Mapping[str, Any], pricing: CustomerPricing = customer_pricing.LIST_PRICES
) -> Quote:
    """Validate and price an order, without writing anything.

    Args:
        inputs: The customer's inputs by their names in the panel API.
        pricing: The customer's pricing.

    Raises:
        ServiceNotSold: The service or its category is not on sale.
        OrderInvalid: At least one input is invalid.
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
    rate = pricing.rate(service)
    charge = charges.charge(rate, details.quantity, is_flat=service.is_flat)
    if charge > _LARGEST_CHARGE:
        most = int(amounts.divide(amounts.multiply(_LARGEST_CHARGE, details.quantity), charge))
        raise OrderInvalid([InvalidField("quantity", "too_large", limit=most)])
    return Quote(service, details, rate, charge, starts_at)


def check_link(service: Service, link: str) -> None:
    """Raise InvalidField, with the service's example link, if ``link`` does not match the pattern of ``service``."""
    if service.type.has_link and service.link_pattern and not _matches(service, link):
        raise InvalidField("link", "bad_link", limit=service.link_example or None)


def _matches(service: Service, link: str) -> bool:
    """Return whether ``link`` matches the pattern of ``service``. A pattern that cannot be used matches nothing."""
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
    pricing: CustomerPricing | None = None,
    shown_charge: Decimal | None = None,
    catalog_version: int | None = None,
) -> Order:
    """Place an order for the customer: the order and its charge in one short transaction, then the wake-up call.

    The same request buys once: another call of it returns the first order. Nothing was charged if an error is raised.

    Args:
        request_id: The idempotency key that the sender gave the request (see ``orders.buying.idempotency``).
        fingerprint: The hash of the request's content, used where there is no ``request_id``.
        pricing: The customer's pricing; looked up if it is omitted.
        shown_charge: The price that the customer agreed to, in the store currency.
        catalog_version: The catalog version, if the caller has just read it: values cached for it are not read again.

    Raises:
        ServiceNotSold: The service is not on sale; SoldBelowCost if its price is below its cost.
        OrderInvalid: At least one input is invalid.
        PriceChanged: The charge differs from ``shown_charge``.
        LinkInUse: The service allows one open order per link, and one is open.
        RequestReused: The ``request_id`` was used for another order.
        InsufficientFunds: The balance is below the charge.
    """
    # With IDEMPOTENCY_SECONDS 0 no request counts as a repeat; a stored fingerprint would only block the next order.
    is_known_again = bool(request_id or settings.IDEMPOTENCY_SECONDS)
    request = idempotency.IdempotentRequest(user.pk, request_id or None, fingerprint if is_known_again else None)
    request.check()
    try:
        if pricing is None:
            pricing = customer_pricing.pricing_for(user, service.pk)
        quoted = quote(service, inputs=inputs, pricing=pricing)
        _check_price(quoted, shown_charge, catalog_version)
        order = _sell_once(request, quoted, source)
    except OrdersError:
        # A retry can fail because its first attempt succeeded, for example by spending the balance: return that order.
        earlier = request.earlier()
        if earlier is None:
            raise
        return earlier
    return order


def _sell_once(request: idempotency.IdempotentRequest, quoted: Quote, source: str) -> Order:
    for is_last in (False, True):
        order = _order(request, quoted, source)
        try:
            transfers.sell(order)
        except IntegrityError:
            earlier = request.earlier()
            if earlier:
                return earlier
            if quoted.service.is_one_per_link and _is_link_held(quoted):
                raise LinkInUse(f"an order for this link of service {quoted.service.pk} is open") from None
            # Try once more: ``earlier`` has released the id or fingerprint of an order older than the window.
            if is_last:
                raise
        else:
            _wake_after_commit(order)
            return order
    raise AssertionError("unreachable")


def _order(request: idempotency.IdempotentRequest, quoted: Quote, source: str) -> Order:
    return Order(
        user_id=request.user_id,
        source=source,
        request_id=request.request_id,
        fingerprint=request.fingerprint,
        link_lock=_link_lock(quoted),
        service=quoted.service,
        rate=quoted.rate,
        is_flat=quoted.service.is_flat,
        charge=quoted.charge,
        link=quoted.details.link,
        quantity=quoted.details.quantity,
        fields=quoted.details.fields,
        runs=quoted.details.runs,
        interval=quoted.details.interval,
        starts_at=quoted.starts_at,
    )


def _link_lock(quoted: Quote) -> int | None:
    link = quoted.details.link
    return same_link.lock(quoted.service.pk, link) if link and quoted.service.is_one_per_link else None


def _is_link_held(quoted: Quote) -> bool:
    return Order.objects.open().filter(link_lock=_link_lock(quoted)).exists()


def _check_price(quoted: Quote, shown_charge: Decimal | None, catalog_version: int | None) -> None:
    """Raise PriceChanged or SoldBelowCost; log the latter once an hour for each service."""
    if shown_charge is not None and quoted.charge != shown_charge:
        raise PriceChanged(quoted.charge)
    cost = cost_of(quoted.service, quantity=quoted.details.quantity, catalog_version=catalog_version)
    if cost is None or cost <= quoted.charge:
        return
    message = (
        f"service {quoted.service.pk} was not sold: the order costs us {amounts.plain(cost)}, "
        f"its price is {amounts.plain(quoted.charge)}"
    )
    if cache.add(f"orders.below_cost.{quoted.service.pk}", 1, _LOG_SECONDS):
        log.warning(message)
    raise SoldBelowCost(message)


def cost_of(service: Service, *, quantity: int, catalog_version: int | None = None) -> Decimal | None:
    """Return what ``quantity`` pieces cost us, in the store currency, or None if the cost is not known.

    Nothing is sold below this cost.
    """
    cost: Decimal | None = import_string(settings.ORDERS_COST_FLOOR)(
        service, quantity=quantity, catalog_version=catalog_version
    )
    return cost


def _wake_after_commit(order: Order) -> None:
    transaction.on_commit(lambda: wake(order), robust=True)


def wake(order: Order) -> None:
    """Notify the worker that ``order`` is waiting. A lost or repeated call changes nothing."""
    import_string(settings.ORDERS_WAKE)(order)
