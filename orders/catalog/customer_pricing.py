"""What a customer pays: their own price for a service, or the list price less the discount of their level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from orders.models import Account, CustomerRate, Service
from orders.rules import charges


@dataclass(frozen=True, slots=True)
class CustomerPricing:
    """``discount`` in percent, ``own`` rates by service. An own rate stands: no discount comes off it."""

    discount: Decimal = Decimal(0)
    own: Mapping[int, Decimal] = field(default_factory=dict)

    def rate(self, service: Service) -> Decimal:
        """What the customer pays for ``service``: for 1,000, or for one where it is flat."""
        own = self.own.get(service.pk)
        return charges.apply_discount(service.rate, self.discount) if own is None else own


#: What everybody pays who is not known.
LIST_PRICES = CustomerPricing()


def pricing_for(user: Any, *services: int) -> CustomerPricing:
    """The terms of ``user`` for ``services``, or for all of them; two queries."""
    discount = Account.objects.filter(user=user).values_list("level__discount", flat=True).first()
    own = CustomerRate.objects.filter(user=user)
    if services:
        own = own.filter(service__in=services)
    return CustomerPricing(discount or Decimal(0), dict(own.values_list("service", "rate")))
