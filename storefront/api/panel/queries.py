"""The queries of ``add`` and the most frequent reads, written as SQL.

The ORM takes longer to build them than the database to answer them. None of them writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import connection

from orders.catalog.versioned_cache import VersionedCache
from orders.db.kept_cursor import fetch_rows
from orders.models import Category, CustomerRate, Service
from orders.rules import amounts
from storefront.api.keys import Caller

# The columns of a service that a purchase needs, in the order of the model's columns, as ``from_db`` requires.
_NEEDED = {
    "id", "category_id", "service_type", "rate", "is_flat", "min_quantity", "max_quantity", "link_pattern",
    "link_example", "has_dripfeed", "is_one_per_link", "is_active",
}  # fmt: skip
_SERVICE = tuple(field.attname for field in Service._meta.concrete_fields if field.attname in _NEEDED)
_RATE = _SERVICE.index("rate")
_ADD = f"""
SELECT {", ".join(f"s.{column}" for column in _SERVICE)}, c.is_active
FROM orders_service s
JOIN orders_category c ON c.id = s.category_id
WHERE s.id = %s
"""  # noqa: S608  # the columns are named above
_STATUS = """
SELECT id, status, quantity, charge - refunded, start_count, remains FROM orders_order
WHERE user_id = %s AND id {among}
"""
_STATUS_ON_POSTGRES = _STATUS.format(among="= ANY(%s::bigint[])")
_STATUS_ON_SQLITE = _STATUS.format(among="IN (SELECT value FROM json_each(%s))")


_kept: VersionedCache[Service] = VersionedCache(50_000)


def service_for(caller: Caller, pk: int) -> tuple[Service, Decimal | None] | None:
    """Return the service and the caller's own rate (None without one), or None if the service does not exist.

    The service and its category hold only the columns that a purchase needs. They are cached until the catalog version
    changes.
    """
    service = _kept.get(caller.catalog_version, pk, partial(_service, pk))
    if service is None:
        return None
    own = CustomerRate.objects.filter(user=caller.user_id, service=pk) if caller.has_own_rates else None
    return service, own.values_list("rate", flat=True).first() if own is not None else None


def _service(pk: int) -> Service | None:
    found = fetch_rows(_ADD, (pk,))
    if not found:
        return None
    *columns, is_category_active = found[0]
    columns[_RATE] = amounts.from_units(columns[_RATE], amounts.RATE_PLACES)
    service = Service.from_db(connection.alias, _SERVICE, columns)
    within = (service.category_id, is_category_active)
    service.category = Category.from_db(connection.alias, ("id", "is_active"), within)
    return service


def order_rows(user_id: int, pks: Iterable[int]) -> list[tuple[Any, ...]]:
    """Return the state of the customer's orders among ``pks``, in the columns of ``panel_vocabulary.order_row``."""
    numbers = ",".join(map(str, pks))
    if connection.vendor == "postgresql":
        return fetch_rows(_STATUS_ON_POSTGRES, (user_id, f"{{{numbers}}}"))
    return fetch_rows(_STATUS_ON_SQLITE, (user_id, f"[{numbers}]"))
