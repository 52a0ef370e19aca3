"""The errors of payments. Nothing was written when one is raised."""

from __future__ import annotations

from orders.errors import OrdersError


class PaymentError(OrdersError):
    """Base class of the errors of this module. Nothing was written when one is raised."""


class TooManyOpenPayments(PaymentError):
    """The customer has too many unpaid payments, or the payment has too many proofs."""


class AlreadyCredited(PaymentError):
    """The payment was credited before this decision."""


class AlreadyEnded(PaymentError):
    """The payment has ended, so this step is no longer possible."""


class NotRefundable(PaymentError):
    """The amount is more than what is left of the payment, or than the customer's own money in the balance."""


class ReasonNeeded(PaymentError):
    """The decision needs a reason: a refusal, or a credit of another amount than the requested one."""
