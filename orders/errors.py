"""What can be wrong with an order or with money. Leaves name the situation; callers turn them into words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal


class OrdersError(Exception):
    """Base of every error of the ground floor. Nothing was written when one is raised."""


class InvalidAmount(OrdersError):
    """A text or number that is not an amount we can keep exactly."""


class InvalidField(OrdersError):
    """One input of an order that cannot be used.

    ``field`` is the input's name, ``code`` one of: missing, not_a_number, too_small, too_large, invalid_choice,
    bad_link, too_long, unsupported, unlimited. ``limit`` is the bound that was passed, where there is one.
    """

    def __init__(self, field: str, code: str, *, limit: int | str | None = None) -> None:
        super().__init__(f"{field}: {code}" + (f" ({limit})" if limit is not None else ""))
        self.field = field
        self.code = code
        self.limit = limit


class OrderInvalid(OrdersError):
    """An order that cannot be placed as asked; ``problems`` holds every input that must change, in form order."""

    def __init__(self, problems: Sequence[InvalidField]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class ServiceNotSold(OrdersError):
    """The service does not exist, is off sale, or its category is."""


class SoldBelowCost(ServiceNotSold):
    """Every way to deliver the service costs us more than its price; it is not sold until somebody looks at it."""


class PriceChanged(OrdersError):
    """The price differs from the one the customer was shown; ``charge`` is the price now."""

    def __init__(self, charge: Decimal) -> None:
        super().__init__(f"the charge is now {charge}")
        self.charge = charge


class RequestReused(OrdersError):
    """The id of this request has bought something else before: order ``order_id``."""

    def __init__(self, order_id: int) -> None:
        super().__init__(f"the request id was used for order {order_id}")
        self.order_id = order_id


class LinkInUse(OrdersError):
    """The service takes one order a link at a time, and another one for this link is open."""


class InsufficientFunds(OrdersError):
    """The wallet holds less than the charge."""


class OwnMoney(OrdersError):
    """Staff acts on an account of their own: a colleague has to decide."""


class InvalidReference(OrdersError):
    """A reference that is too long for its column or not printable."""


class ReferenceReused(OrdersError):
    """The reference was used before for something else: another amount, another account."""


class NotPossible(OrdersError):
    """A refill or a cancellation that cannot be asked for. ``until``: the moment that decides, where there is one."""

    def __init__(self, words: str = "", *, until: datetime | None = None) -> None:
        super().__init__(words or type(self).__name__)
        self.until = until


class RefillNotOffered(NotPossible):
    """The service is sold without refill."""


class OrderNotCompleted(NotPossible):
    """A refill is of what was delivered: the order has not ended, or nothing of it was delivered."""


class RefillWindowOver(NotPossible):
    """Refills of this order could be asked for until ``until``."""


class RefillTooSoon(NotPossible):
    """The last refill was asked for too short a while ago; the next is possible at ``until``."""


class CancelNotOffered(NotPossible):
    """The service is sold without a right to cancel."""


class OrderEnded(NotPossible):
    """There is nothing to stop: the order has ended."""


class NothingRemains(NotPossible):
    """There is nothing to stop: everything is delivered."""


class RequestOpen(NotPossible):
    """The same was asked for before and is not answered yet."""


class RequestClosed(OrdersError):
    """The request was answered meanwhile: this step is no longer open."""
