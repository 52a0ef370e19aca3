"""Start a payment: store the row first, then call the gateway, in this order and never in one transaction."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from storefront.payments import crediting, return_urls
from storefront.payments.gateway import Gateway, Unreachable, Way
from storefront.payments.models import Payment


def start(user: Any, *, gateway: Gateway, way: Way, amount: Decimal, return_to: str = "") -> Payment:
    """Start a payment of ``amount``; its ``address`` is where the customer goes next.

    After Unreachable the row is kept: if the gateway knows the payment after all, its webhook finds the row.

    Raises:
        crediting.TooManyOpenPayments: The customer has too many unpaid payments.
        Unreachable: The gateway did not answer, or it named a host that it may not use.
    """
    payment = crediting.open_payment(user, gateway=gateway, way=way, amount=amount, return_to=return_to)
    step = gateway.start(payment)
    if not return_urls.allowed_next(gateway, step.address):
        raise Unreachable(f"{gateway.name} sends customers to a host that it has not named")
    return crediting.mark_started(payment, step=step)
