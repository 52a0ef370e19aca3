"""The interface of payment gateways and the types that they exchange with the shop.

``docs/payments.md`` shows how to add a gateway. A gateway sends requests and reads answers; it writes no rows and moves
no money. ``crediting`` does that from what the gateway returns here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import Promise


class ReportedState(Enum):
    """The outcome of a payment as reported by a gateway.

    For any other state a gateway raises ``PaymentRefused`` or returns PENDING.
    """

    PAID = "paid"
    PENDING = "pending"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayReport:
    """The proven facts of one payment, as the gateway states them.

    They are proven by a signature or because they answer our own request. The payment is found by ``reference``, which
    is ours, or by ``upstream_id``, which is the gateway's. ``amount`` is the amount that was actually paid.
    """

    said: ReportedState
    amount: Decimal = Decimal(0)
    currency: str = ""
    reference: str = ""
    upstream_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One payment method as offered to customers. A gateway may offer several, which differ in ``method``."""

    label: str | Promise
    minimum: Decimal
    maximum: Decimal | None = None
    method: str = ""
    hint: str | Promise = ""
    fee: str | Promise = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """The address to which the customer goes next: a path of the shop, or https at one of the gateway's hosts.

    ``is_waiting`` says that the next step is the gateway's, not the customer's.
    """

    address: str
    is_waiting: bool = True
    upstream_id: str = ""


@dataclass(frozen=True, slots=True)
class Instructions:
    """Plain text for customers who pay by themselves: what to do, and account details to copy."""

    text: str
    details: str = ""


class GatewayError(Exception):
    """Base class of gateway errors. The text may be logged, so it must not contain secrets."""


class PaymentRefused(GatewayError):
    """A webhook that is not proven to come from the gateway, or whose content is not understood."""


class Unreachable(GatewayError):
    """The gateway did not answer, or its answer lacks what is needed."""


class Gateway(ABC):
    """A payment gateway.

    ``name`` is part of references, accounts and URLs, so it must never change.
    """

    name: str
    label: str | Promise
    #: Settings without which the gateway is not offered.
    needs: Sequence[str] = ()
    #: Hosts to which the gateway may send customers; other external addresses are refused.
    hosts: Sequence[str] = ()
    #: Whether customers upload a proof of payment that staff reviews.
    takes_proofs = False
    #: Time after which an unpaid payment ends. One that is paid later is credited nevertheless.
    expires_after = timedelta(days=1)

    def is_ready(self) -> bool:
        return all(getattr(settings, name, None) for name in self.needs)

    @abstractmethod
    def ways(self) -> Sequence[Way]:
        """Return the payment methods that customers can choose, in order."""

    @abstractmethod
    def start(self, payment: Any) -> Next:
        """Open the payment at the gateway.

        It is called after the payment's row is committed, outside of any transaction.

        Raises:
            Unreachable: The gateway did not answer, or its answer lacks what is needed.
        """

    def read_webhook(self, request: HttpRequest) -> GatewayReport:
        """Return the facts in a webhook after checking its signature, time and format. It reads no database.

        Raises:
            PaymentRefused: The webhook is not proven to come from the gateway, or its content is not understood.
        """
        raise PaymentRefused("this gateway sends no webhooks")

    def query(self, payment: Any) -> GatewayReport | None:
        """Ask the gateway for the state of a payment.

        Returns:
            The facts; None if the gateway does not support queries.

        Raises:
            Unreachable: The gateway did not answer, or its answer lacks what is needed.
        """
        return None

    def instructions(self, payment: Any) -> Instructions | None:
        """Return what the customer has to do, if the gateway has no page that says it."""
        return None
