"""What makes the shop write, through the doors that people and panels use."""

from __future__ import annotations

from decimal import Decimal

from orders import fulfilment, ledger
from orders.models import Order
from storefront.accounts.models import User
from storefront.support import tickets
from storefront.support.models import Message
from storefront.topups import crediting
from storefront.topups.gateway import Way
from storefront.topups.gateways import GATEWAYS
from storefront.topups.models import TopUp
from tests import factories


def paid(user: User, amount: str = "25", label: str = "Bank transfer") -> TopUp:
    """Money that staff has seen arrive."""
    way = Way(label=label, minimum=Decimal(1), method="1")
    topup = crediting.opened(user, gateway=GATEWAYS["transfer"], way=way, amount=Decimal(amount))
    return crediting.approved(topup, amount=Decimal(amount), actor=factories.user(), reason="seen")


def answered(user: User, subject: str = "Where is it?", text: str = "On its way.") -> Message:
    ticket = tickets.open_ticket(user, subject=subject, text="Please look.")
    return tickets.answer(ticket, author=factories.user(is_staff=True), text=text)


def canceled(user: User) -> Order:
    return fulfilment.canceled(factories.order(user).pk)


def made_low(user: User) -> None:
    """Buys until less than the customer's line is left."""
    ledger.watch(user.wallet, below=Decimal("99.95"))
    factories.order(user)
