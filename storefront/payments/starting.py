"""Begins a payment: the row first, then the gateway, never the other way round and never in one transaction."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from storefront.payments import crediting, return_urls
from storefront.payments.gateway import Gateway, Unreachable, Way
from storefront.payments.models import Payment


def start(user: Any, *, gateway: Gateway, way: Way, amount: Decimal, return_to: str = "") -> Payment:
    """A payment of ``amount``; its ``address`` is where the customer goes next. Raises crediting.TooMany, Unreachable.

    After Unreachable the row stays: should the gateway know of the payment after all, its webhook finds it.
    """
    payment = crediting.open_payment(user, gateway=gateway, way=way, amount=amount, return_to=return_to)
    step = gateway.start(payment)
    if not return_urls.next_of(gateway, step.address):
        raise Unreachable(f"{gateway.name} sends customers to a host that it has not named")
    return crediting.mark_started(payment, step=step)
