"""The price below which a service is not sold: what it costs us. Called by the ground floor, through a setting."""

from __future__ import annotations

from decimal import Decimal

from django.db import connection

from orders import money
from orders.models import Service
from providers import costs

# ``routing.usable()`` by hand, as every purchase asks this: the ORM takes longer to write it than the database to
# answer it. A test holds the two together.
_STATEMENT = """
SELECT o.rate, o.held_rate, o.is_flat, p.exchange_rate
FROM providers_route r JOIN providers_offer o ON o.id = r.offer_id JOIN providers_provider p ON p.id = o.provider_id
WHERE r.service_id = %s AND r.is_active AND o.is_available AND o.problem = '' AND p.is_active
"""


def cost_of(service: Service, *, quantity: int) -> Decimal | None:
    """The least that ``quantity`` pieces of ``service`` cost us on any usable route, in the store currency; one query.

    None where no route is usable: a service that people deliver has none, and one whose routes are out waits for them.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT, [service.pk])
        found = cursor.fetchall()
    prices = (
        costs.exact(
            costs.billed(_rate(rate), None if held is None else _rate(held)),
            quantity,
            is_flat=bool(is_flat),
            exchange_rate=_rate(exchange_rate),
        )
        for rate, held, is_flat, exchange_rate in found
    )
    return min(prices, default=None)


def _rate(units: int) -> Decimal:
    return money.from_units(units, money.RATE_PLACES)
