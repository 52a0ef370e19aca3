"""The seam for ways of paying in: what a gateway is, and what it says about a payment. ``docs/payments.md`` shows how
to add one. A gateway asks and reads; it writes no rows and no money: ``crediting`` does, from what it says here."""

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
    """What became of a payment. Whatever is neither is no news: raise ``Refused`` or say PENDING."""

    PAID = "paid"
    PENDING = "pending"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayReport:
    """The facts of one payment, proven (a signature, or an answer to our question), in the words of the gateway.

    It is found by ``reference``, ours, or by ``upstream_id``, the gateway's. ``amount`` is what was really paid.
    """

    said: ReportedState
    amount: Decimal = Decimal(0)
    currency: str = ""
    reference: str = ""
    upstream_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One line of the choice that customers have. A gateway may have several, told apart by ``method``."""

    label: str | Promise
    minimum: Decimal
    maximum: Decimal | None = None
    method: str = ""
    hint: str | Promise = ""
    fee: str | Promise = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """Where the customer goes: a path of ours, or https at one of the gateway's hosts. ``is_waiting``: the next news
    comes from the gateway, not from the customer."""

    address: str
    is_waiting: bool = True
    upstream_id: str = ""


@dataclass(frozen=True, slots=True)
class Instructions:
    """Plain text for customers who pay by themselves: what to do, and account details to copy."""

    text: str
    details: str = ""


class GatewayError(Exception):
    """Base of what can go wrong with a gateway. Its text may reach a log: no secrets in it."""


class PaymentRefused(GatewayError):
    """A webhook that is not proven to come from the gateway, or that says nothing we understand."""


class Unreachable(GatewayError):
    """The gateway did not answer, or not with what we need."""


class Gateway(ABC):
    """A way to pay in. ``name`` stands in references, accounts and addresses: it is never changed."""

    name: str
    label: str | Promise
    #: The settings without which it is not offered.
    needs: Sequence[str] = ()
    #: The hosts it sends customers to; no other address is followed.
    hosts: Sequence[str] = ()
    #: Whether customers send a picture of their payment, which staff looks at.
    takes_proofs = False
    #: An unpaid top-up ends after this long; one that is paid later is credited all the same.
    expires_after = timedelta(days=1)

    def is_ready(self) -> bool:
        return all(getattr(settings, name, None) for name in self.needs)

    @abstractmethod
    def ways(self) -> Sequence[Way]:
        """What customers can choose, in order."""

    @abstractmethod
    def start(self, payment: Any) -> Next:
        """Opens the payment there. Called after the row is kept, outside of any transaction; raises Unreachable."""

    def read_webhook(self, request: HttpRequest) -> GatewayReport:
        """The facts in a webhook whose signature, time and form are right; raises Refused. It looks nothing up."""
        raise PaymentRefused("this gateway sends no webhooks")

    def query(self, payment: Any) -> GatewayReport | None:
        """Asks the gateway how a payment stands, None where it cannot be asked; raises Unreachable."""
        return None

    def instructions(self, payment: Any) -> Instructions | None:
        """What the customer has to do, where the gateway's own page does not say it."""
        return None
