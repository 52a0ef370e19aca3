"""The price below which a service is not sold: what it costs us. Called by the ground floor, through a setting."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from orders.models import Service
from providers import costs, routing


def cost_of(service: Service, *, quantity: int) -> Decimal | None:
    """The least that ``quantity`` pieces of ``service`` cost us on any usable route, in the store currency; one query.

    None where no route is usable: a service that people deliver has none, and one whose routes are out waits for them.
    """
    routes: Any = routing.usable().filter(service=service).order_by()
    found = routes.values_list("offer__rate", "offer__held_rate", "offer__is_flat", "offer__provider__exchange_rate")
    prices = (
        costs.exact(costs.billed(rate, held), quantity, is_flat=is_flat, exchange_rate=exchange_rate)
        for rate, held, is_flat, exchange_rate in found
    )
    return min(prices, default=None)
