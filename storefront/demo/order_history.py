"""Orders from before the demo was opened, so that it has delivery times and completed orders to show.

They are placed and ended by the same functions as any order; only their times are set afterwards.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from orders.buying import checkout
from orders.catalog import delivery_stats
from orders.ledger import transfers
from orders.lifecycle import fulfillment
from orders.models import Order, Service
from orders.rules.state_machine import Progress, Status
from storefront.mail import email_preferences
from storefront.mail.models import EmailKind

CUSTOMER = "earlier@example.com"
#: Number of orders of each service, and number of days over which they are spread.
ORDERS_PER_SERVICE, DAYS = 24, 20
#: Median minutes from the purchase to the end, and the number of 24 orders that were not delivered in full.
SAMPLES = ((14, 0), (95, 1), (300, 0), (26, 2), (780, 1), (2900, 0), (48, 0), (170, 4))


@transaction.atomic
def create(services: list[Service], inputs: dict[str, str]) -> None:
    """Create completed orders of as many ``services`` as there are samples, for a customer who cannot sign in."""
    customer = get_user_model().objects.create_user(email=CUSTOMER)
    transfers.credit_payment(
        transfers.open_wallet(customer), amount=Decimal(5000), gateway="manual", reference="demo-past"
    )
    email_preferences.unsubscribe(customer.pk, kind=EmailKind.ORDERS)
    chance = random.Random(7)  # noqa: S311  # a fixed seed makes the same demo every time
    now = timezone.now()
    start_times = sorted(now - timedelta(days=DAYS * chance.random()) for _ in range(ORDERS_PER_SERVICE * len(SAMPLES)))
    for number, at in enumerate(start_times):
        place, nth = number % len(SAMPLES), number // len(SAMPLES)
        if place < len(services):
            minutes, short = SAMPLES[place]
            took = min(timedelta(minutes=minutes * chance.lognormvariate(0, 0.6)), (now - at) * 0.9)
            _order(customer, services[place], inputs, at=at, took=took, is_short=nth < short)
    delivery_stats.update_delivery_stats()


def _order(
    customer: Any, service: Service, inputs: dict[str, str], *, at: datetime, took: timedelta, is_short: bool
) -> None:
    order_inputs = {**inputs, "link": service.link_example or inputs["link"], "quantity": str(service.min_quantity)}
    order = checkout.place_order(
        customer, service=service, inputs=order_inputs, request_id=f"past-{service.pk}-{at.timestamp()}"
    )
    Order.objects.filter(pk=order.pk).update(status=Status.PENDING)
    end = (
        Progress(status=Status.PARTIAL, remains=order.quantity // 4) if is_short else Progress(status=Status.COMPLETED)
    )
    fulfillment.apply_progress(order.pk, progress=end)
    Order.objects.filter(pk=order.pk).update(created_at=at, started_at=at + took * 0.2, ended_at=at + took)
    order.events.update(created_at=at + took)
