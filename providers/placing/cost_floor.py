"""The price below which a service is not sold: what it costs us. Called by the ground floor, through a setting."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from django.db import connection

from orders.catalog.versioned_cache import VersionedCache
from orders.models import Service
from orders.rules import amounts
from providers.placing import costs

# ``routing.usable()`` by hand, as every purchase asks this: the ORM takes longer to write it than the database to
# answer it. A test holds the two together.
_STATEMENT = """
SELECT o.rate, o.pending_rate, o.is_flat, p.exchange_rate
FROM providers_route r JOIN providers_offer o ON o.id = r.offer_id JOIN providers_provider p ON p.id = o.provider_id
WHERE r.service_id = %s AND r.is_active AND o.is_available AND o.problem = '' AND p.is_active
"""


#: Rate, whether it is flat, and exchange rate of each usable route of a service. Triggers on what is read here change
#: the catalog_version (migration 0003).
_kept: VersionedCache[tuple[tuple[Decimal, bool, Decimal], ...]] = VersionedCache(50_000)


def cost_of(service: Service, *, quantity: int, catalog_version: int | None = None) -> Decimal | None:
    """The least that ``quantity`` pieces of ``service`` cost us on any usable route, in the store currency.

    None where no route is usable: a service that people deliver has none, and one whose routes are out waits for them.
    One query, or none where the costs are kept under ``catalog_version``, the catalog's as the caller has just read it.
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
