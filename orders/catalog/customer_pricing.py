"""Prices for one customer: a custom rate for a service, or the list price less the discount of the price level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from orders.models import Account, CustomerRate, Service
from orders.rules import charges


@dataclass(frozen=True, slots=True)
class CustomerPricing:
    """The prices of one customer.

    ``discount`` is in percent; ``own`` holds custom rates by service id, to which the discount does not apply.
    """

    discount: Decimal = Decimal(0)
    own: Mapping[int, Decimal] = field(default_factory=dict)

    def rate(self, service: Service) -> Decimal:
        """Return the customer's rate for ``service``: per 1,000, or per piece if its price is flat."""
        own = self.own.get(service.pk)
        return charges.apply_discount(service.rate, self.discount) if own is None else own


#: Prices for anonymous visitors.
LIST_PRICES = CustomerPricing()


def pricing_for(user: Any, *services: int) -> CustomerPricing:
    """Return the pricing of ``user`` for ``services``, or for all services if none is named. Two queries."""
    discount = Account.objects.filter(user=user).values_list("level__discount", flat=True).first()
    own = CustomerRate.objects.filter(user=user)
    if services:
        own = own.filter(service__in=services)
    return CustomerPricing(discount or Decimal(0), dict(own.values_list("service", "rate")))
