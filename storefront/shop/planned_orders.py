"""Orders that are placed when a payment arrives: "Pay and order" in one step.

The order form stores the checked order, the payment that is started for it is linked to it, and the credit of that
payment makes it ready. A task places it afterwards, in a transaction of its own, so that a fault of the order never
holds up the credit. A plan is placed at most once: its row is locked, and the order has an idempotency key made of
the payment's reference. If it cannot be placed, nothing is bought and the money stays in the balance.

``storefront.payments`` calls this module by dotted paths and is not imported.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from orders.buying import checkout
from orders.catalog import customer_pricing
from orders.catalog.customer_pricing import CustomerPricing
from orders.errors import (
    BalanceHeld,
    InsufficientFunds,
    LinkInUse,
    OrderInvalid,
    OrdersError,
    PriceChanged,
    ServiceNotSold,
)
from orders.models import Order, Service
from orders.models.order import Source
from providers.worker.queue import enqueue_once
from storefront.shop.models import PlannedOrder, PlanProblem, PlanStatus

logger = logging.getLogger("vitrine.shop")
#: For so long after it was planned an order is placed without asking again.
VALID_FOR = timedelta(days=7)
#: Rows that are older are deleted.
KEPT_FOR = timedelta(days=90)
#: Maximum number of orders that one run places.
BATCH = 200
#: Names in the order form that are not inputs of the order.
_NOT_INPUTS = frozenset({"csrfmiddlewaretoken", "service", "request_id", "shown_price", "pay", "check"})


def plan(user: Any, *, service: Service, inputs: Mapping[str, Any], pricing: CustomerPricing) -> PlannedOrder:
    """Store an order for later, after checking it as at a purchase. Nothing is charged.

    Raises:
        OrderInvalid: At least one input is invalid.
        ServiceNotSold: The service is not on sale.
    """
    quote = checkout.quote(service, inputs=inputs, pricing=pricing)
    entered = {name: text for name, text in inputs.items() if name not in _NOT_INPUTS and text}
    return PlannedOrder.objects.create(user=user, service=service, inputs=entered, charge=quote.charge)


def by_key(user: Any, key: str) -> PlannedOrder | None:
    """Return the customer's planned order with this key, None if there is none."""
    try:
        number = UUID(key)
    except ValueError:
        return None
    return PlannedOrder.objects.filter(user=user, key=number).select_related("service").first()


def of_payment(reference: str) -> PlannedOrder | None:
    """Return the order that waits or waited for the payment with this reference."""
    return PlannedOrder.objects.filter(payment_reference=reference).select_related("service").first()


def payment_started(payment: Any, *, purpose: str) -> None:
    """Link a new payment to the order that it is for. Called by PAYMENT_START_LISTENERS.

    An order waits for one payment, the last that was started for it: two payments must not buy it twice.
    """
    row = by_key(payment.user, purpose) if purpose else None
    if row is not None:
        PlannedOrder.objects.filter(pk=row.pk, status=PlanStatus.WAITING).update(payment_reference=payment.reference)


def payment_credited(payment: Any, *, amount: Decimal) -> None:
    """Make the order of a credited payment ready. Called by PAYMENT_CREDIT_LISTENERS, in the credit's transaction."""
    waiting = PlannedOrder.objects.filter(payment_reference=payment.reference, status=PlanStatus.WAITING)
    if waiting.update(status=PlanStatus.READY):
        # A lost call changes nothing: the task is also scheduled.
        transaction.on_commit(lambda: enqueue_once("storefront.shop.tasks.place_planned_orders"), robust=True)


def place_ready() -> int:
    """Place the orders whose payments have been credited.

    Returns:
        The number of orders that were placed.
    """
    keys = list(
        PlannedOrder.objects.filter(status=PlanStatus.READY).order_by("pk").values_list("pk", flat=True)[:BATCH]
    )
    return sum(_place(pk) for pk in keys)


def delete_old() -> int:
    """Delete plans that are older than ``KEPT_FOR`` and return their number. Their orders stay."""
    old = PlannedOrder.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).exclude(status=PlanStatus.READY)
    return old.delete()[0]


@transaction.atomic
def _place(pk: int) -> bool:
    """Place one order and store the outcome with it. Returns whether it was placed."""
    rows = PlannedOrder.objects.select_for_update(skip_locked=True, of=("self",)).select_related("user")
    row = rows.filter(pk=pk, status=PlanStatus.READY).first()
    if row is None:  # placed by another worker meanwhile
        return False
    try:
        with transaction.atomic():
            row.order = _bought(row)
    except OrdersError as error:
        row.status, row.problem = PlanStatus.FAILED, _problem(error)
        logger.info("Planned order %s was not placed: %s", row.pk, error)
    else:
        row.status = PlanStatus.PLACED
    row.ended_at = timezone.now()
    row.save(update_fields=["status", "problem", "order", "ended_at"])
    if row.status == PlanStatus.FAILED and settings.SHOP_PLAN_LISTENER:
        import_string(settings.SHOP_PLAN_LISTENER)(row)
    return row.status == PlanStatus.PLACED


class _TooLate(OrdersError):
    """The payment arrived too long after the order was planned."""


def _bought(row: PlannedOrder) -> Order:
    """Buy what was planned, for no more than the customer agreed to. Raises OrdersError; then nothing was charged."""
    if timezone.now() - row.created_at > VALID_FOR:
        raise _TooLate
    service = Service.objects.on_sale().select_related("category").filter(pk=row.service_id).first()
    if service is None or not row.user.is_active:
        raise ServiceNotSold(f"service {row.service_id} is off sale")
    pricing = customer_pricing.pricing_for(row.user, service.pk)
    quote = checkout.quote(service, inputs=row.inputs, pricing=pricing)
    if quote.charge > row.charge:
        raise PriceChanged(quote.charge)
    return checkout.place_order(
        row.user,
        service=service,
        inputs=row.inputs,
        source=Source.PAGE,
        request_id=f"payment:{row.payment_reference}",
        pricing=pricing,
        shown_charge=quote.charge,
    )


#: The first class that fits counts: BalanceHeld is an InsufficientFunds.
_PROBLEMS: tuple[tuple[type[OrdersError], PlanProblem], ...] = (
    (_TooLate, PlanProblem.EXPIRED),
    (PriceChanged, PlanProblem.PRICE),
    (ServiceNotSold, PlanProblem.NOT_SOLD),
    (BalanceHeld, PlanProblem.HELD),
    (InsufficientFunds, PlanProblem.FUNDS),
    (LinkInUse, PlanProblem.LINK_IN_USE),
    (OrderInvalid, PlanProblem.INVALID),
)


def _problem(error: OrdersError) -> PlanProblem:
    return next((problem for kind, problem in _PROBLEMS if isinstance(error, kind)), PlanProblem.INVALID)
