"""API keys: where requests carry them, and who calls with one, read in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest
from django.utils import timezone

from orders.db.kept_cursor import fetch_rows
from orders.rules import amounts
from storefront.accounts import ip_addresses, security_log
from storefront.accounts.models import ApiKey, User, digest

#: Minimum time between two updates of ``last_used_at``, which is for people and not needed on every call.
USED_EVERY = timedelta(minutes=1)

_NO_DISCOUNT = Decimal(0)
# Written as SQL because every call needs it, and the ORM takes longer to build the query than the database to answer
# it. The first columns are the first fields of Caller.
_STATEMENT = """
SELECT k.id, k.user_id, k.has_read_scope, k.has_order_scope, k.has_get_writes, k.is_sandbox, k.addresses,
    k.calls_per_minute, w.balance, l.discount,
    EXISTS (SELECT 1 FROM orders_customerrate r WHERE r.user_id = k.user_id),
    (SELECT version FROM orders_catalogversion WHERE id = 1),
    k.last_used_at IS NULL OR k.last_used_at < %s
FROM accounts_apikey k
JOIN accounts_user u ON u.id = k.user_id
LEFT JOIN orders_account w ON w.user_id = k.user_id
LEFT JOIN orders_pricelevel l ON l.id = w.level_id
WHERE k.digest = %s AND k.revoked_at IS NULL AND u.is_active
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """An active key and its customer; ``balance`` is in millionths, ``catalog_version`` the current one."""

    key_id: int
    user_id: int
    has_read_scope: bool
    has_order_scope: bool
    has_get_writes: bool
    is_sandbox: bool
    addresses: str
    calls_per_minute: int | None
    balance: int
    discount: Decimal
    has_own_rates: bool
    catalog_version: int

    @property
    def user(self) -> User:
        """Return the customer as a User instance with the primary key only."""
        return User(pk=self.user_id)


def key_in_headers(http: HttpRequest) -> str:
    """Return the key from ``Authorization: Bearer`` or ``X-Api-Key``, "" if neither header has one."""
    scheme, _, token = http.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return bearer or str(http.META.get("HTTP_X_API_KEY", "")).strip()


def find_caller(key: str) -> Caller | None:
    """Return the caller with this key, or None if there is no such active key."""
    if not key:
        return None
    now = timezone.now()
    row = _fetch_row(digest(key), now - USED_EVERY)
    if row is None:
        return None
    *columns, balance, discount, has_own_rates, catalog_version, is_mark_due = row
    if is_mark_due:
        ApiKey.objects.filter(pk=columns[0]).update(last_used_at=now)
    percent = amounts.from_units(discount, 2) if discount else _NO_DISCOUNT
    return Caller(*columns, balance or 0, percent, bool(has_own_rates), catalog_version or 0)  # type: ignore[call-arg]


def log_unknown_key(http: HttpRequest) -> None:
    """Write to the security log, once a minute per address, because programs with a revoked key keep calling."""
    address = ip_addresses.rate_limit_address(ip_addresses.client_address(http))
    if cache.add(f"api.unknown_key.{address}", 1, 60):
        security_log.warn("api_key_refused", http)


def _fetch_row(key_digest: str, used_before: datetime) -> tuple[Any, ...] | None:
    # This is the first statement of a request: if the connection has died since the last one, it fails here and is
    # repeated on a new connection. Django would check the connection with an extra statement before every call.
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        return _execute(key_digest, used_before)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        connection.close()
        return _execute(key_digest, used_before)


def _execute(key_digest: str, used_before: datetime) -> tuple[Any, ...] | None:
    values = (connection.ops.adapt_datetimefield_value(used_before), key_digest)
    return next(iter(fetch_rows(_STATEMENT, values)), None)
