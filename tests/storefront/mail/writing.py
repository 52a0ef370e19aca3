"""Create emails the way customers, staff and panels cause them."""

from __future__ import annotations

from decimal import Decimal

from orders.ledger import transfers
from orders.lifecycle import fulfillment
from orders.models import Order
from storefront.accounts.models import User
from storefront.payments import crediting, quotes
from storefront.payments.models import Payment, PaymentMethod
from storefront.support import tickets
from storefront.support.models import Message
from tests import factories


def approve_payment(user: User, amount: str = "25", label: str = "Bank transfer") -> Payment:
    """Approve a manual payment."""
    method = PaymentMethod.objects.create(gateway="transfer", name=label, minimum=Decimal(1))
    payment = crediting.open_payment(user, method=method, quote=quotes.quote(method, Decimal(amount)))
    return crediting.approve(payment, amount=Decimal(amount), actor=factories.user(), reason="seen")


def answer_ticket(user: User, subject: str = "Where is it?", text: str = "On its way.") -> Message:
    ticket = tickets.open_ticket(user, subject=subject, text="Please look.")
    return tickets.answer(ticket, author=factories.user(is_staff=True), text=text)


def cancel_order(user: User) -> Order:
    return fulfillment.cancel(factories.order(user).pk)


def make_balance_low(user: User) -> None:
    """Buy until the balance is below the threshold."""
    transfers.set_low_balance_alert(user.wallet, below=Decimal("99.95"))
    factories.order(user)
