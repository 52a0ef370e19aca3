"""Identify the caller: read the key's customer and everything that the actions need to know in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from orders.rules import amounts
from storefront.accounts.models import ApiKey, User, digest
from storefront.api.panel.responses import INVALID_KEY, PanelRefusal

#: Minimum time between two updates of ``last_used_at``, which is for people and not needed on every call.
USED_EVERY = timedelta(minutes=1)

_NO_DISCOUNT = Decimal(0)
# Written as SQL because every call needs it, and the ORM takes longer to build the query than the database to answer
# it. The first columns are the first fields of Caller.
_STATEMENT = """
SELECT k.id, k.user_id, k.has_read_scope, k.has_order_scope, k.has_get_writes, k.is_sandbox, k.addresses,
    k.calls_a_minute, w.balance, l.discount,
    EXISTS (SELECT 1 FROM orders_customerrate r WHERE r.user_id = k.user_id),
    (SELECT stamp FROM orders_catalogversion WHERE id = 1),
    k.last_used_at IS NULL OR k.last_used_at < %s
FROM accounts_apikey k
JOIN accounts_user u ON u.id = k.user_id
LEFT JOIN orders_account w ON w.user_id = k.user_id
LEFT JOIN orders_pricelevel l ON l.id = w.level_id
WHERE k.digest = %s AND k.revoked_at IS NULL AND u.is_active
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """An active key and its customer. ``balance`` is in millionths; ``stamp`` is the current catalog version."""

    key_id: int
    user_id: int
    has_read_scope: bool
    has_order_scope: bool
    has_get_writes: bool
    is_sandbox: bool
    addresses: str
    calls_a_minute: int | None
    balance: int
    discount: Decimal
    has_own_rates: bool
    stamp: int

    @property
    def user(self) -> User:
        """Return the customer as a User instance with the primary key only."""
        return User(pk=self.user_id)


def identify(key: str) -> Caller:
    """Return the caller with this key.

    Raises:
        PanelRefusal: There is no such active key.
    """
    if not key:
        raise PanelRefusal(INVALID_KEY)
    now = timezone.now()
    row = _found(digest(key), now - USED_EVERY)
    if row is None:
        raise PanelRefusal(INVALID_KEY)
    *known, balance, discount, has_own_rates, stamp, is_to_be_marked = row
    if is_to_be_marked:
        ApiKey.objects.filter(pk=known[0]).update(last_used_at=now)
    percent = amounts.from_units(discount, 2) if discount else _NO_DISCOUNT
    return Caller(*known, balance or 0, percent, bool(has_own_rates), stamp or 0)  # type: ignore[call-arg]


def _found(digested: str, long_ago: datetime) -> tuple[Any, ...] | None:
    # This is the first statement of a request: if the connection has died since the last one, it fails here and is
    # repeated on a new connection. Django would check the connection with an extra statement before every call.
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        return _asked(digested, long_ago)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        connection.close()
        return _asked(digested, long_ago)


def _asked(digested: str, long_ago: datetime) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT, [connection.ops.adapt_datetimefield_value(long_ago), digested])
        found: tuple[Any, ...] | None = cursor.fetchone()
    return found
