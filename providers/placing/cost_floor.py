"""The cost floor: what an order costs us at least. ``orders`` calls it through the setting ORDERS_COST_FLOOR."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from django.db import connection

from orders.catalog.versioned_cache import VersionedCache
from orders.models import Service
from orders.rules import amounts
from providers.placing import costs

# The SQL of ``routing.usable()``, because every purchase runs it and the ORM takes longer to build the statement than
# the database to run it. A test compares the two.
_STATEMENT = """
SELECT o.rate, o.pending_rate, o.is_flat, p.exchange_rate
FROM providers_route r JOIN providers_offer o ON o.id = r.offer_id JOIN providers_provider p ON p.id = o.provider_id
WHERE r.service_id = %s AND r.is_active AND o.is_available AND o.problem = '' AND p.is_active
"""


#: Rate, whether it is flat, and exchange rate of each usable route of a service. Triggers on what is read here change
#: the catalog_version (migration 0003).
_kept: VersionedCache[tuple[tuple[Decimal, bool, Decimal], ...]] = VersionedCache(50_000)


def cost_of(service: Service, *, quantity: int, catalog_version: int | None = None) -> Decimal | None:
    """Return the lowest cost of ``quantity`` pieces of ``service`` on any usable route, in the store currency.

    Args:
        catalog_version: The catalog version, if the caller has just read it. Costs that are cached for it are used
            without a query.

    Returns:
        The cost, or None if no route is usable: staff deliver the service, or its orders wait for a route.
    """
    routes = _kept.get(catalog_version, service.pk, partial(_read, service.pk)) or ()
    prices = (
        costs.exact(rate, quantity, is_flat=is_flat, exchange_rate=exchange_rate)
        for rate, is_flat, exchange_rate in routes
    )
    return min(prices, default=None)


def _read(service_id: int) -> tuple[tuple[Decimal, bool, Decimal], ...]:
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT, [service_id])
        found = cursor.fetchall()
    return tuple(
        (costs.billed(_rate(rate), None if held is None else _rate(held)), bool(is_flat), _rate(exchange_rate))
        for rate, held, is_flat, exchange_rate in found
    )


def _rate(units: int) -> Decimal:
    return amounts.from_units(units, amounts.RATE_PLACES)
