"""The services, orders and refills of a panel simulator, and the progress of an order with time.

Pure: no HTTP, no clock, and nothing of the project.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

FLAT_TYPES = frozenset({"Package", "Custom Comments Package"})
COUNTED_BY_LINES = {
    "Custom Comments": "comments",
    "Comment Replies": "comments",
    "Mentions Custom List": "usernames",
}


def plain(value: Decimal) -> str:
    """Return a number as panels write it: no exponent, no trailing zeros."""
    return format(value.normalize(), "f")


@dataclass(frozen=True, slots=True)
class PanelService:
    """One line of the price list; ``rate`` is per 1,000, or for one order where the type is flat."""

    id: int
    name: str
    type: str
    category: str
    rate: Decimal
    min: int
    max: int
    refill: bool = False
    cancel: bool = False

    @property
    def unit_price(self) -> Decimal:
        return self.rate if self.type in FLAT_TYPES else self.rate / 1000


@dataclass(frozen=True, slots=True)
class StatusNames:
    """A panel's own status words for orders."""

    pending: str = "Pending"
    running: str = "In progress"
    completed: str = "Completed"
    partial: str = "Partial"
    canceled: str = "Canceled"

    @property
    def final(self) -> frozenset[str]:
        return frozenset({self.completed, self.partial, self.canceled})

    @property
    def returning(self) -> frozenset[str]:
        """The statuses after which the price of the undelivered part is returned to the buyer."""
        return frozenset({self.partial, self.canceled})


@dataclass(slots=True, kw_only=True)
class SimulatedOrder:
    """One order of the panel.

    ``charge`` is what was taken when it was placed, ``returned`` what was refunded since. ``number`` counts the panel's
    orders from 1 and decides how the order ends; ``created_at`` is seconds since 1970.
    """

    id: str
    number: int
    service: str
    params: dict[str, str]
    quantity: int
    unit_price: Decimal
    charge: Decimal
    start_count: int
    status: str
    remains: int
    created_at: float
    returned: Decimal = field(default_factory=Decimal)
    is_cancel_requested: bool = False

    @property
    def undelivered(self) -> Decimal:
        """The price of what has not been delivered, whatever ``remains`` was set to."""
        return self.unit_price * max(0, min(self.remains, self.quantity))


@dataclass(slots=True, kw_only=True)
class SimulatedRefill:
    """A requested refill; ``created_at`` is seconds since 1970."""

    id: str
    order: str
    status: str
    created_at: float


@dataclass(frozen=True, slots=True)
class OrderedAmount:
    """How much an add asks for: the smallest and the largest part are held against the limits, ``total`` is paid."""

    smallest: int
    largest: int
    total: int


def amount(service: PanelService, params: Mapping[str, str]) -> OrderedAmount:
    """Count what is bought: lines where the type lists them, posts of a subscription, else quantity times runs."""
    if service.type in FLAT_TYPES:
        return OrderedAmount(service.min, service.max, 1)
    if service.type in COUNTED_BY_LINES:
        lines = sum(1 for line in params[COUNTED_BY_LINES[service.type]].splitlines() if line.strip())
        return OrderedAmount(lines, lines, lines)
    if service.type == "Subscriptions":
        posts = max(1, int(params.get("posts", "1")) + int(params.get("old_posts", "0")))
        return OrderedAmount(int(params["min"]), int(params["max"]), int(params["max"]) * posts)
    total = int(params["quantity"]) * int(params.get("runs", "1"))
    return OrderedAmount(int(params["quantity"]), total, total)


def standing(number: int, quantity: int, age: float, statuses: StatusNames) -> tuple[str, int]:
    """Return status and remains of an order ``age`` seconds after it was placed; it finishes within 20 to 60 seconds.

    One in nine is canceled undelivered, one in five of the others is partial; decided by ``number`` alone.
    """
    started, finished = 2 + number % 4, 20 + number * 7 % 41
    ending, left = statuses.completed, 0
    if number % 9 == 0:
        ending, left = statuses.canceled, quantity
    elif number % 5 == 0 and quantity > 1:
        ending, left = statuses.partial, max(1, quantity * (10 + number * 13 % 40) // 100)
    if age < started:
        return statuses.pending, quantity
    if age >= finished:
        return ending, left
    return statuses.running, quantity - int((quantity - left) * (age - started) / (finished - started))
