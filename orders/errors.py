"""Exceptions for orders and money; each class names a situation, and callers turn it into a message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal


class OrdersError(Exception):
    """Base class of all errors in this package. Nothing was written when one is raised."""


class InvalidAmount(OrdersError):
    """A text or number is not an amount that can be stored exactly."""


class InvalidField(OrdersError):
    """One input of an order is invalid.

    ``field`` is the input's name, ``code`` one of: missing, not_a_number, too_small, too_large, invalid_choice,
    bad_link, too_long, unsupported, unlimited. ``limit`` is the bound that was exceeded, or shows valid values, where
    there is one.
    """

    def __init__(self, field: str, code: str, *, limit: int | str | None = None) -> None:
        super().__init__(f"{field}: {code}" + (f" ({limit})" if limit is not None else ""))
        self.field = field
        self.code = code
        self.limit = limit


class OrderInvalid(OrdersError):
    """An order has invalid inputs; ``problems`` lists all of them, in form order."""

    def __init__(self, problems: Sequence[InvalidField]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class ServiceNotSold(OrdersError):
    """The service does not exist, or it or its category is not on sale."""


class SoldBelowCost(ServiceNotSold):
    """Every route of the service costs us more than its price, so it is not sold until an operator changes that."""


class PriceChanged(OrdersError):
    """The price differs from the one that the customer was shown; ``charge`` is the present price."""

    def __init__(self, charge: Decimal) -> None:
        super().__init__(f"the charge is now {charge}")
        self.charge = charge


class RequestReused(OrdersError):
    """The request id was used before for another order, ``order_id``."""

    def __init__(self, order_id: int) -> None:
        super().__init__(f"the request ID was used for order {order_id}")
        self.order_id = order_id


class LinkInUse(OrdersError):
    """The service allows one open order per link, and another order for this link is open."""


class NotNow(OrdersError):
    """The order does not allow this decision of staff, or no longer; the text says why."""


class InsufficientFunds(OrdersError):
    """The customer's balance is below the charge."""


class BalanceHeld(InsufficientFunds):
    """Staff hold the customer's balance, for example after a chargeback. Nothing can be bought until its release."""


class OwnMoney(OrdersError):
    """A member of staff acts on their own account; a colleague has to do it."""


class InvalidReference(OrdersError):
    """A reference is too long for its column or not printable."""


class ReferenceReused(OrdersError):
    """The reference was used before for another amount or another account."""


class NotPossible(OrdersError):
    """A refill or a cancellation cannot be requested; ``until`` is the deciding point in time, where there is one."""

    def __init__(self, words: str = "", *, until: datetime | None = None) -> None:
        super().__init__(words or type(self).__name__)
        self.until = until


class RefillNotOffered(NotPossible):
    """The service is sold without refill."""


class OrderNotCompleted(NotPossible):
    """The order has not ended, or nothing of it was delivered, so there is nothing to refill."""


class RefillWindowOver(NotPossible):
    """The refill window of this order ended at ``until``."""


class RefillTooSoon(NotPossible):
    """The last refill was requested too recently; the next can be requested at ``until``."""


class CancelNotOffered(NotPossible):
    """The service is sold without cancellation."""


class OrderEnded(NotPossible):
    """The order has ended, so it cannot be canceled."""


class NothingRemains(NotPossible):
    """Everything is delivered, so there is nothing to cancel."""


class RequestOpen(NotPossible):
    """The same request was made before and is still open."""


class RequestClosed(OrdersError):
    """The request has ended in the meantime, so this step is no longer possible."""
