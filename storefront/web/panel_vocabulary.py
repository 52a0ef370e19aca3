"""The representation of orders, refills and prices that the panel API and webhooks share.

It only maps values: no requests and no queries.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.conf import settings

from orders.models.customer_request import RequestStatus
from orders.rules import amounts
from orders.rules.state_machine import Status

#: Use exactly these six words: clients treat any other spelling as "pending" and poll forever.
WORDS = {
    Status.QUEUED: "Pending",
    Status.SUBMITTING: "Pending",
    Status.PENDING: "Pending",
    Status.IN_DOUBT: "Processing",
    Status.PROCESSING: "Processing",
    Status.IN_PROGRESS: "In progress",
    Status.COMPLETED: "Completed",
    Status.PARTIAL: "Partial",
    Status.CANCELED: "Canceled",
    Status.FAILED: "Canceled",
}
# Keyed by the values in the database: enum members are slow to look up a thousand times for one response.
_WORDS = {status.value: word for status, word in WORDS.items()}
#: The statuses of a refill that clients know; they see waiting and sent refills as pending.
REFILL_WORDS = {
    RequestStatus.WAITING: "Pending",
    RequestStatus.SENT: "Pending",
    RequestStatus.IN_PROGRESS: "In progress",
    RequestStatus.COMPLETED: "Completed",
    RequestStatus.REJECTED: "Rejected",
}


def order_row(row: tuple[Any, ...]) -> dict[str, str]:
    """Return the status of one order as the panel API shows it; ``row`` has the columns of ``order_rows``."""
    return order_rows([row])[row[0]]


def order_rows(rows: Iterable[tuple[Any, ...]]) -> dict[int, dict[str, str]]:
    """Return the status of orders as the panel API shows it, by order number.

    ``charge`` is net of refunds, as on other panels: what the order cost in the end. Resellers calculate refunds to
    their own customers from their price and ``remains``, so ``remains`` is always within 0 and the quantity: the
    whole quantity if the order is canceled, 0 if it is completed.

    Args:
        rows: Each order's id, status, quantity, charge less refunds (millionths), start count and remains.
    """
    # A response has up to a thousand rows, so nothing in this loop is looked up twice.
    currency, words, plain_units, places = settings.STORE_CURRENCY, _WORDS, amounts.plain_units, amounts.AMOUNT_PLACES
    found = {}
    for pk, status, quantity, paid, start_count, remains in rows:
        word = words[status]
        if word == "Completed":
            remains = 0
        elif remains is None or remains > quantity or word == "Canceled":
            remains = quantity
        elif remains < 0:
            remains = 0
        found[pk] = {
            "charge": plain_units(paid, places),
            "start_count": str(start_count or 0),
            "status": word,
            "remains": str(remains),
            "currency": currency,
        }
    return found


def wire_rate(rate: Decimal, is_flat: bool, is_read_flat: bool) -> str:
    """Return the rate as clients interpret it by service type: per piece for packages, per 1,000 for all others.

    Args:
        is_flat: Whether ``rate`` is per piece.
        is_read_flat: Whether clients read the rate of this service type as per piece.
    """
    if is_flat and not is_read_flat:
        rate = amounts.multiply(rate, 1000)
    elif is_read_flat and not is_flat:
        rate = amounts.round_up(amounts.divide(rate, 1000), amounts.RATE_QUANTUM)
    return amounts.plain(rate)
