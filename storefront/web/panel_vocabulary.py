"""The words in which programs hear of orders, refills and prices: the panel API and callbacks use the same.

Only what both need. Pure mapping: no requests, no queries.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings

from orders.models.customer_request import RequestStatus
from orders.rules import amounts
from orders.rules.state_machine import Status

#: Exactly these six words: clients take any other spelling for "pending" and poll for ever.
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
# By the texts in the database: an enumeration is slow to look up, a thousand times in an answer.
_WORDS = {status.value: word for status, word in WORDS.items()}
#: What clients know of a refill: what only waits is pending to them.
REFILL_WORDS = {
    RequestStatus.WAITING: "Pending",
    RequestStatus.SENT: "Pending",
    RequestStatus.IN_PROGRESS: "In progress",
    RequestStatus.COMPLETED: "Completed",
    RequestStatus.REJECTED: "Rejected",
}


def order_row(row: tuple[Any, ...]) -> dict[str, str]:
    """One order's status: from its id, status, quantity, charge less refunds in millionths, start count and remains.

    ``charge`` is net of what was paid back, as the family shows it: what the order cost its owner in the end. Who pays
    on to customers of their own reckons from the price they took and from ``remains``, so that one is always within
    [0, quantity], the whole quantity when canceled and 0 when completed.
    """
    _id, status, quantity, paid, start_count, remains = row
    word = _WORDS[status]
    if word == "Completed":
        remains = 0
    elif remains is None or remains > quantity or word == "Canceled":
        remains = quantity
    elif remains < 0:
        remains = 0
    return {
        "charge": amounts.plain_units(paid, amounts.AMOUNT_PLACES),
        "start_count": str(start_count or 0),
        "status": word,
        "remains": str(remains),
        "currency": settings.STORE_CURRENCY,
    }


def wire_rate(rate: Decimal, is_flat: bool, is_read_flat: bool) -> str:
    """The rate as clients read it: by the type alone, the price of one for packages, of 1,000 for all others."""
    if is_flat and not is_read_flat:
        rate = amounts.multiply(rate, 1000)
    elif is_read_flat and not is_flat:
        rate = amounts.round_up(amounts.divide(rate, 1000), amounts.RATE_QUANTUM)
    return amounts.plain(rate)
